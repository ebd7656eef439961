/* SPDX-License-Identifier: MIT */
/* test_folder - maildir and eml over files that others make, rename, remove and spoil. */
#include "store/folder/folder.h"
#include "suite.h"

#define MAIL "Subject: x\r\n\r\nbody\r\n"

/* R30: the unique-id is the name without its flags; Dovecot's sizes in it are believed only when
 * they fit. */
static void test_maildir_names(void **state)
{
    struct world w;
    struct postern_snapshot *snapshot;

    (void)state;
    world_open(&w, "maildir");
    put(&w, "ann/new/1700000001.M1P1.host", MAIL);
    put(&w, "ann/cur/1700000002.M1P1.host,S=20,W=20:2,S", MAIL);
    put(&w, "ann/cur/1700000003.M1P1.host,S=7,W=7:2,", MAIL); /* lies */
    put(&w, "ann/cur/1700000004.M1P1.host,S=x,W=:2,FRS", MAIL);
    put(&w, "ann/cur/.hidden", MAIL);
    put(&w, "ann/tmp/1700000005.M1P1.host", MAIL);
    snapshot = snapshot_of(&w);
    assert_int_equal(snapshot->list.count, 4);
    assert_true(is(uid_at(snapshot, 0), "1700000001.M1P1.host"));
    assert_true(is(uid_at(snapshot, 1), "1700000002.M1P1.host,S=20,W=20"));
    assert_true(is(uid_at(snapshot, 2), "1700000003.M1P1.host,S=7,W=7"));
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(snapshot->list.entries[i].size_bytes, strlen(MAIL));
        assert_content(&w, uid_at(snapshot, i), MAIL);
    }
    postern_snapshot_unref(&snapshot);
    world_close(&w);
}

/* Another program sets a flag, or moves a message from new to cur, in mid-session. */
static void test_maildir_renames(void **state)
{
    struct world w;
    struct postern_snapshot *before, *after;
    struct postern_span uid = text("1700000001.M1P1.host");

    (void)state;
    world_open(&w, "maildir");
    put(&w, "ann/new/1700000001.M1P1.host", MAIL);
    before = snapshot_of(&w);
    move(&w, "ann/new/1700000001.M1P1.host", "ann/cur/1700000001.M1P1.host:2,S");
    assert_content(&w, uid, MAIL);
    move(&w, "ann/cur/1700000001.M1P1.host:2,S", "ann/cur/1700000001.M1P1.host:2,RS");
    assert_content(&w, uid, MAIL);
    after = snapshot_of(&w);
    assert_false(postern_snapshot_has_new(before, after));
    move(&w, "ann/cur/1700000001.M1P1.host:2,RS", "ann/cur/1700000001.M1P1.host:2,FRS");
    assert_int_equal(postern_store_expunge(&w.store, w.box, &uid, 1), 0);
    assert_int_equal(count_now(&w), 0);
    assert_false(exists(&w, "ann/cur/1700000001.M1P1.host:2,FRS"));
    postern_snapshot_unref(&before);
    postern_snapshot_unref(&after);
    world_close(&w);
}

/* Messages that vanish, appear or cannot be read are ordinary errors for that message. */
static void test_changes_behind_the_back(void **state)
{
    const char *kind = *state;
    bool maildir = strcmp(kind, "maildir") == 0;
    struct world w;
    struct postern_snapshot *snapshot;
    struct postern_content *content = NULL;
    struct postern_facts facts;
    char path[128];

    world_open(&w, kind);
    put(&w, maildir ? "ann/cur/1.a.eml" : "ann/1.a.eml", MAIL);
    put(&w, maildir ? "ann/cur/2.b.eml" : "ann/2.b.eml", MAIL);
    snapshot = snapshot_of(&w);
    assert_int_equal(snapshot->list.count, 2);
    drop(&w, maildir ? "ann/cur/1.a.eml" : "ann/1.a.eml");
    put(&w, maildir ? "ann/cur/3.c.eml" : "ann/3.c.eml", MAIL);
    assert_int_equal(postern_store_message(&w.store, w.box, text("1.a.eml"), 0, &content, &facts),
                     POSTERN_E_NOT_FOUND);
    assert_content(&w, text("2.b.eml"), MAIL);
    assert_content(&w, text("3.c.eml"), MAIL);
    drop(&w, maildir ? "ann/cur/2.b.eml" : "ann/2.b.eml");
    snprintf(path, sizeof path, "%s/%s", w.dir, maildir ? "ann/cur/2.b.eml" : "ann/2.b.eml");
    assert_int_equal(mkdir(path, 0700), 0); /* a folder where a file was */
    assert_int_equal(postern_store_message(&w.store, w.box, text("2.b.eml"), 0, &content, &facts),
                     POSTERN_E_NOT_FOUND);
    assert_null(content);
    assert_int_equal(count_now(&w), 1);
    postern_snapshot_unref(&snapshot);
    world_close(&w);
}

static uint32_t messages_with(struct world *w, unsigned flags)
{
    struct postern_status status = {0};

    assert_int_equal(w->ops->refresh(w->box, flags, &status), 0);
    return status.messages;
}

/* LOOKED: nothing is looked for, but what this process did is there. */
static void test_looked(void **state)
{
    struct world w;

    (void)state;
    world_open(&w, "maildir");
    deliver(&w, MAIL, NULL);
    assert_int_equal(messages_with(&w, 0), 1);
    put(&w, "ann/new/1700000001.M1P1.host", MAIL);
    assert_int_equal(messages_with(&w, POSTERN_STORE_LOOKED), 1);
    assert_int_equal(messages_with(&w, POSTERN_STORE_LOOKED | POSTERN_STORE_NO_WAIT), 1);
    assert_int_equal(messages_with(&w, 0), 2);
    deliver(&w, MAIL, NULL);
    assert_int_equal(messages_with(&w, POSTERN_STORE_LOOKED), 3);
    world_close(&w);
}

/* A link leads nowhere: not to a secret, not to another mailbox; a FIFO does not hold anybody
 * up. */
static void test_no_links_no_fifos(void **state)
{
    const char *kind = *state;
    const char *base = strcmp(kind, "maildir") == 0 ? "ann/cur" : "ann";
    struct world w;
    char path[128];

    world_open(&w, kind);
    snprintf(path, sizeof path, "%s/%s/1.link.eml", w.dir, base);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    snprintf(path, sizeof path, "%s/%s/2.fifo.eml", w.dir, base);
    assert_int_equal(mkfifo(path, 0600), 0);
    snprintf(path, sizeof path, "%s/3.real.eml", base);
    put(&w, path, MAIL);
    assert_int_equal(count_now(&w), 1);
    world_close(&w);
}

/* A mailbox whose sub-folder became a link to somebody else's is not followed. */
static void test_no_linked_folder(void **state)
{
    struct world w;
    struct postern_mailbox *bob = NULL;
    struct postern_content *content = NULL;
    struct postern_facts facts;
    char path[128];

    (void)state;
    world_open(&w, "maildir");
    assert_int_equal(postern_store_inbox(&w.store, text("bob"), POSTERN_STORE_CREATE, &bob), 0);
    w.ops->close(&bob);
    put(&w, "bob/cur/1.secret", MAIL);
    put(&w, "ann/cur/1.mine", MAIL);
    assert_int_equal(count_now(&w), 1);
    drop(&w, "ann/cur/1.mine");
    drop(&w, "ann/cur");
    snprintf(path, sizeof path, "%s/ann/cur", w.dir);
    assert_int_equal(symlink("../bob/cur", path), 0);
    assert_int_equal(postern_store_message(&w.store, w.box, text("1.secret"), 0, &content, &facts),
                     POSTERN_E_NOT_FOUND);
    world_close(&w);
}

/* R30: names that are no unique-ids are escaped, stay the same, and do not meet. */
static void test_names_are_escaped(void **state)
{
    static const char *const names[] = {
        "ann/plain.eml",
        "ann/with space.eml",
        "ann/with\ttab.eml",
        "ann/gr\xc3\xbc\xc3\x9f.eml",
        "ann/UPPER.EML",
        "ann/note.txt",
        "ann/"
        "a-name-that-is-much-longer-than-seventy-characters-so-that-it-must-be-made-shorter-1.eml",
        "ann/"
        "a-name-that-is-much-longer-than-seventy-characters-so-that-it-must-be-made-shorter-2.eml"};
    struct world w;
    struct postern_snapshot *one, *two;
    struct postern_mailbox *again = NULL;

    (void)state;
    world_open(&w, "eml");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        put(&w, names[i], MAIL);
    put(&w, "ann/readme.md", MAIL); /* not mail */
    one = snapshot_of(&w);
    assert_int_equal(one->list.count, sizeof names / sizeof *names);
    for (size_t i = 0; i < one->list.count; i++) {
        struct postern_span uid = uid_at(one, i);

        assert_in_range(uid.n, 1, POSTERN_UID_MAX);
        for (size_t j = 0; j < uid.n; j++)
            assert_in_range(uid.p[j], 0x21, 0x7e);
        for (size_t j = 0; j < i; j++)
            assert_false(uid.n == uid_at(one, j).n && memcmp(uid.p, uid_at(one, j).p, uid.n) == 0);
        assert_content(&w, uid, MAIL);
    }
    w.ops->close(&w.box);
    postern_store_free(&w.store); /* a new process would see the same */
    assert_int_equal(postern_store_eml_new(&w.store, w.dir, true), 0);
    assert_int_equal(postern_store_inbox(&w.store, text("ann"), 0, &again), 0);
    w.box = again;
    two = snapshot_of(&w);
    assert_false(postern_snapshot_has_new(one, two));
    assert_false(postern_snapshot_has_new(two, one));
    postern_snapshot_unref(&one);
    postern_snapshot_unref(&two);
    world_close(&w);
}

/* R29: what is a unique-id as it stands is not touched, up to its 70th character. */
static void test_longest_uid(void **state)
{
    const char *kind = *state;
    bool maildir = strcmp(kind, "maildir") == 0;
    struct world w;
    char path[128], name[POSTERN_UID_MAX + 2];

    world_open(&w, kind);
    memset(name, 'n', sizeof name);
    for (size_t n = POSTERN_UID_MAX; n <= POSTERN_UID_MAX + 1; n++) {
        struct postern_snapshot *snapshot;

        memcpy(name + n - 4, ".eml", 5);
        snprintf(path, sizeof path, maildir ? "ann/cur/%s" : "ann/%s", name);
        put(&w, path, MAIL);
        snapshot = snapshot_of(&w);
        assert_int_equal(snapshot->list.count, 1);
        assert_true(uid_at(snapshot, 0).n <= POSTERN_UID_MAX);
        assert_int_equal(is(uid_at(snapshot, 0), name), n == POSTERN_UID_MAX);
        assert_content(&w, uid_at(snapshot, 0), MAIL);
        postern_snapshot_unref(&snapshot);
        drop(&w, path);
        memset(name, 'n', sizeof name);
    }
    world_close(&w);
}

/* A wrong size in a name, of a file that is too large to be read for the listing, lasts until it is
 * read. */
static void test_maildir_lying_width(void **state)
{
    enum { LARGE = 100000 };
    struct world w;
    struct postern_content *content = NULL;
    struct postern_facts facts;
    struct postern_entry entry;
    uint32_t number;
    char *bytes = malloc(LARGE + 1);
    struct postern_span uid = text("1.M1.host,S=100000,W=5");

    (void)state;
    assert_non_null(bytes);
    memset(bytes, 'x', LARGE);
    memcpy(bytes + LARGE - 2, "\r\n", 3);
    world_open(&w, "maildir");
    put(&w, "ann/cur/1.M1.host,S=100000,W=5:2,", bytes);
    assert_int_equal(w.ops->find(w.box, uid, &entry, &number), 0);
    assert_int_equal(entry.size_bytes, 5); /* believed so far */
    assert_int_equal(postern_store_message(&w.store, w.box, uid, 0, &content, &facts), 0);
    assert_int_equal(facts.size_raw, LARGE);
    assert_int_equal(facts.size_wire, LARGE);
    assert_true(facts.wire_clean);
    w.ops->content_close(&content);
    assert_int_equal(w.ops->find(w.box, uid, &entry, &number), 0);
    assert_int_equal(entry.size_bytes, LARGE);
    world_close(&w);
    free(bytes);
}

static void set_time(const struct world *w, const char *name, time_t seconds)
{
    const struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};
    char path[512];

    snprintf(path, sizeof path, "%s/%s", w->dir, name);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* R20: a file edited since the listing, to the same size, is not taken for clean: its dot would end
 * the answer. */
static void test_eml_edited_to_a_dot(void **state)
{
    struct world w;
    struct postern_content *content = NULL;
    struct postern_facts facts;

    (void)state;
    world_open(&w, "eml");
    put(&w, "ann/1.eml", "a\r\nb\r\nc\r\n");
    set_time(&w, "ann/1.eml", 1000000000);
    assert_int_equal(postern_store_message(&w.store, w.box, text("1.eml"), 0, &content, &facts), 0);
    assert_true(facts.wire_clean);
    w.ops->content_close(&content);
    put(&w, "ann/1.eml", "a\r\n.\r\nc\r\n");
    set_time(&w, "ann/1.eml", 1000000001);
    assert_int_equal(postern_store_message(&w.store, w.box, text("1.eml"), 0, &content, &facts), 0);
    assert_false(facts.wire_clean);
    w.ops->content_close(&content);
    world_close(&w);
}

/* People edit .eml files in place: the new size is seen. */
static void test_eml_edited(void **state)
{
    struct world w;
    struct postern_snapshot *snapshot;

    (void)state;
    world_open(&w, "eml");
    put(&w, "ann/1.eml", MAIL);
    assert_int_equal(count_now(&w), 1);
    put(&w, "ann/1.eml", "longer than it was before\n");
    snapshot = snapshot_of(&w);
    assert_int_equal(snapshot->list.entries[0].size_bytes, 27);
    assert_content(&w, text("1.eml"), "longer than it was before\n");
    postern_snapshot_unref(&snapshot);
    world_close(&w);
}

/* An account that is open for long has mailboxes made and removed: nothing of them stays. */
static void test_removed_mailboxes_leave_nothing(void **state)
{
    struct world w;
    struct postern_account *account = NULL;
    struct postern_status status;
    size_t kept = 0;

    (void)state;
    world_open(&w, "maildir");
    assert_int_equal(w.ops->account_open(&w.store, text("ann"), 0, &account), 0);
    for (unsigned i = 0; i < 200; i++) {
        assert_int_equal(w.ops->create(account, text("passing"), (enum postern_special_use)0), 0);
        assert_int_equal(w.ops->status(account, text("passing"), 0, &status), 0);
        assert_int_equal(w.ops->remove(account, text("passing")), 0);
    }
    for (const struct kept *one = account->kept; one; one = one->next)
        kept++;
    assert_in_range(kept, 1, 16);
    w.ops->account_close(&account);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_maildir_names),
        cmocka_unit_test(test_maildir_renames),
        {"eml changes", test_changes_behind_the_back, NULL, NULL, (void *)"eml"},
        {"maildir changes", test_changes_behind_the_back, NULL, NULL, (void *)"maildir"},
        {"eml links", test_no_links_no_fifos, NULL, NULL, (void *)"eml"},
        {"maildir links", test_no_links_no_fifos, NULL, NULL, (void *)"maildir"},
        cmocka_unit_test(test_looked),
        cmocka_unit_test(test_no_linked_folder),
        cmocka_unit_test(test_names_are_escaped),
        {"eml longest uid", test_longest_uid, NULL, NULL, (void *)"eml"},
        {"maildir longest uid", test_longest_uid, NULL, NULL, (void *)"maildir"},
        cmocka_unit_test(test_removed_mailboxes_leave_nothing),
        cmocka_unit_test(test_maildir_lying_width),
        cmocka_unit_test(test_eml_edited),
        cmocka_unit_test(test_eml_edited_to_a_dot),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
