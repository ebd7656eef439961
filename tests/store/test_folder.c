/* SPDX-License-Identifier: MIT */
/* test_folder - maildir and eml over files that others make, rename, remove and spoil. */
#include "suite.h"

#define MAIL "Subject: x\r\n\r\nbody\r\n"

/* put - a file below the store's folder; folders on the way must be there. */
static void put(const struct world *w, const char *name, const char *content)
{
    char path[512];
    FILE *out;

    snprintf(path, sizeof path, "%s/%s", w->dir, name);
    out = fopen(path, "w");
    assert_non_null(out);
    assert_true(fputs(content, out) >= 0);
    fclose(out);
}

static void move(const struct world *w, const char *from, const char *to)
{
    char old[512], new[512];

    snprintf(old, sizeof old, "%s/%s", w->dir, from);
    snprintf(new, sizeof new, "%s/%s", w->dir, to);
    assert_int_equal(rename(old, new), 0);
}

static void drop(const struct world *w, const char *name)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%s", w->dir, name);
    assert_int_equal(remove(path), 0);
}

static bool exists(const struct world *w, const char *name)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%s", w->dir, name);
    return access(path, F_OK) == 0;
}

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
    assert_int_equal(w.ops->expunge(w.box, &uid, 1), 0);
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
    assert_int_equal(w.ops->message(w.box, text("1.a.eml"), 0, &content, &facts),
                     POSTERN_E_NOT_FOUND);
    assert_content(&w, text("2.b.eml"), MAIL);
    assert_content(&w, text("3.c.eml"), MAIL);
    drop(&w, maildir ? "ann/cur/2.b.eml" : "ann/2.b.eml");
    snprintf(path, sizeof path, "%s/%s", w.dir, maildir ? "ann/cur/2.b.eml" : "ann/2.b.eml");
    assert_int_equal(mkdir(path, 0700), 0); /* a folder where a file was */
    assert_int_equal(w.ops->message(w.box, text("2.b.eml"), 0, &content, &facts),
                     POSTERN_E_NOT_FOUND);
    assert_null(content);
    assert_int_equal(count_now(&w), 1);
    postern_snapshot_unref(&snapshot);
    world_close(&w);
}

/* A link leads nowhere: not to a secret, not to another mailbox; a FIFO does not hold anybody up.
 */
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
    assert_int_equal(w.ops->open(&w.store, text("bob"), POSTERN_STORE_CREATE, &bob), 0);
    w.ops->close(&bob);
    put(&w, "bob/cur/1.secret", MAIL);
    put(&w, "ann/cur/1.mine", MAIL);
    assert_int_equal(count_now(&w), 1);
    drop(&w, "ann/cur/1.mine");
    drop(&w, "ann/cur");
    snprintf(path, sizeof path, "%s/ann/cur", w.dir);
    assert_int_equal(symlink("../bob/cur", path), 0);
    assert_int_equal(w.ops->message(w.box, text("1.secret"), 0, &content, &facts),
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
    assert_int_equal(w.ops->open(&w.store, text("ann"), 0, &again), 0);
    w.box = again;
    two = snapshot_of(&w);
    assert_false(postern_snapshot_has_new(one, two));
    assert_false(postern_snapshot_has_new(two, one));
    postern_snapshot_unref(&one);
    postern_snapshot_unref(&two);
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

/* per_user false: the folder is everybody's. */
static void test_eml_shared(void **state)
{
    struct world w;
    struct postern_store shared;
    struct postern_mailbox *one = NULL, *two = NULL;
    char folder[128];

    (void)state;
    world_open(&w, "eml");
    put(&w, "ann/1.eml", MAIL);
    snprintf(folder, sizeof folder, "%s/ann", w.dir);
    assert_int_equal(postern_store_eml_new(&shared, folder, false), 0);
    assert_int_equal(shared.ops->open(&shared, text("x"), 0, &one), 0);
    assert_int_equal(shared.ops->open(&shared, text("y"), 0, &two), 0);
    assert_int_equal(shared.ops->lock(one), 0);
    assert_int_equal(shared.ops->lock(two), POSTERN_E_IN_USE);
    assert_int_equal(shared.ops->list_users(&shared, NULL, NULL), POSTERN_E_UNSUPPORTED);
    shared.ops->close(&one);
    shared.ops->close(&two);
    postern_store_free(&shared);
    world_close(&w);
}

/* %u, %n, %d in the path of a maildir store. */
static void test_path_patterns(void **state)
{
    struct world w;
    struct postern_store store;
    struct postern_mailbox *box = NULL;
    char path[128];

    (void)state;
    world_open(&w, "maildir");
    snprintf(path, sizeof path, "%s/%%d/%%n/Maildir", w.dir);
    assert_int_equal(postern_store_maildir_new(&store, path), 0);
    assert_int_equal(store.ops->open(&store, text("carl@example.org"), POSTERN_STORE_CREATE, &box),
                     0);
    assert_true(exists(&w, "example.org/carl/Maildir/cur"));
    store.ops->close(&box);
    assert_true(store.ops->open(&store, text("carl@.."), POSTERN_STORE_CREATE, &box) < 0);
    assert_true(store.ops->open(&store, text("..@example.org"), POSTERN_STORE_CREATE, &box) < 0);
    assert_true(store.ops->open(&store, text("@"), POSTERN_STORE_CREATE, &box) < 0);
    postern_store_free(&store);
    snprintf(path, sizeof path, "%s/all/%%u", w.dir);
    assert_int_equal(postern_store_maildir_new(&store, path), 0);
    assert_int_equal(store.ops->open(&store, text("dora@example.org"), POSTERN_STORE_CREATE, &box),
                     0);
    assert_true(exists(&w, "all/dora@example.org/new"));
    store.ops->close(&box);
    postern_store_free(&store);
    world_close(&w);
}

/* A journal that somebody else wrote does not reach out of its mailbox; a damaged one deletes
 * nothing. */
static void test_hostile_journals(void **state)
{
    static const char *const journals[] = {
        "0../../bob/cur/1.secret", "1../victim", "9nonsense", "", "=123", "0a\n=5"};
    struct world w;
    struct postern_mailbox *bob = NULL;

    (void)state;
    world_open(&w, "maildir");
    assert_int_equal(w.ops->open(&w.store, text("bob"), POSTERN_STORE_CREATE, &bob), 0);
    w.ops->close(&bob);
    put(&w, "bob/cur/1.secret", MAIL);
    put(&w, "ann/cur/1.mine", MAIL);
    for (size_t i = 0; i < sizeof journals / sizeof *journals; i++) {
        put(&w, "ann/tmp/.postern.expunge", journals[i]);
        assert_int_equal(w.ops->lock(w.box), 0);
        w.ops->unlock(w.box);
        assert_true(exists(&w, "bob/cur/1.secret"));
        assert_true(exists(&w, "ann/cur/1.mine"));
        assert_false(exists(&w, "ann/tmp/.postern.expunge"));
    }
    world_close(&w);
}

/* A mailbox that is removed and made again while nobody has it open is not served from the cache.
 */
static void test_mailbox_replaced(void **state)
{
    struct world w;

    (void)state;
    world_open(&w, "maildir");
    put(&w, "ann/cur/1.old", MAIL);
    assert_int_equal(count_now(&w), 1);
    w.ops->close(&w.box);
    move(&w, "ann", "gone");
    drop(&w, "gone/cur/1.old");
    assert_int_equal(w.ops->open(&w.store, text("ann"), 0, &w.box), POSTERN_E_NOT_FOUND);
    assert_int_equal(w.ops->open(&w.store, text("ann"), POSTERN_STORE_CREATE, &w.box), 0);
    put(&w, "ann/cur/1.new", MAIL);
    assert_content(&w, text("1.new"), MAIL);
    world_close(&w);
}

/* 600 mailboxes opened and closed: more than are kept, none lost. */
static void test_many_mailboxes(void **state)
{
    struct world w;
    struct postern_mailbox *boxes[600] = {NULL};
    char user[16];

    (void)state;
    world_open(&w, "maildir");
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 600; i++) {
            snprintf(user, sizeof user, "u%d", i);
            assert_int_equal(w.ops->open(&w.store, text(user), POSTERN_STORE_CREATE, &boxes[i]), 0);
        }
        for (int i = 0; i < 600; i++)
            w.ops->close(&boxes[(i * 7) % 600]);
    }
    deliver(&w, MAIL, NULL);
    assert_int_equal(count_now(&w), 1);
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
        cmocka_unit_test(test_no_linked_folder),
        cmocka_unit_test(test_names_are_escaped),
        cmocka_unit_test(test_eml_edited),
        cmocka_unit_test(test_eml_shared),
        cmocka_unit_test(test_path_patterns),
        cmocka_unit_test(test_hostile_journals),
        cmocka_unit_test(test_mailbox_replaced),
        cmocka_unit_test(test_many_mailboxes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
