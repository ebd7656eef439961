/* SPDX-License-Identifier: MIT */
/* test_mailboxes - the calls about mailboxes, over the stores that have more than an INBOX: what
 * each refuses, and what it leaves. */
#include "suite.h"

#define MAIL "Subject: x\r\n\r\nbody\r\n"

/* struct home - an account, and what list() last showed of it, a line each. */
struct home {
    struct world w;
    struct postern_account *account;
    char shown[4000];
};

static void home_open(struct home *home, const char *kind)
{
    *home = (struct home){0};
    world_open(&home->w, kind);
    assert_int_equal(home->w.ops->account_open(&home->w.store, text("ann"), 0, &home->account), 0);
}

static void home_close(struct home *home)
{
    home->w.ops->account_close(&home->account);
    world_close(&home->w);
}

static int show(void *ctx, const struct postern_status *status)
{
    struct home *home = ctx;
    size_t n = strlen(home->shown);

    snprintf(home->shown + n, sizeof home->shown - n, "%.*s%s%s%s special %d\n",
             (int)status->name.n, status->name.p, status->exists ? "" : " (none)",
             status->has_children ? " +" : "", status->subscribed ? " subscribed" : "",
             status->special);
    return 0;
}

static const char *list(struct home *home)
{
    home->shown[0] = '\0';
    assert_int_equal(home->w.ops->list(home->account, show, home), 0);
    return home->shown;
}

static int create(struct home *home, const char *name)
{
    return home->w.ops->create(home->account, text(name), POSTERN_SPECIAL_NONE);
}

static struct postern_mailbox *open_box(struct home *home, const char *name)
{
    struct postern_mailbox *box = NULL;

    assert_int_equal(home->w.ops->open(home->account, text(name), 0, &box), 0);
    return box;
}

static struct postern_status status_of(struct home *home, const char *name)
{
    struct postern_status status;

    assert_int_equal(home->w.ops->status(home->account, text(name), 0, &status), 0);
    return status;
}

static void test_create(void **state)
{
    static const char *const bad[] = {"", "/", "a//b", "/a", "a/", "a\x01", "\xff", "INBOX"};
    struct home home;

    home_open(&home, *state);
    assert_int_equal(create(&home, "a/b/c"), 0);
    assert_string_equal(list(&home), "INBOX special 0\na + special 0\na/b + special 0\na/b/c "
                                     "special 0\n");
    assert_int_equal(create(&home, "a/b"), POSTERN_E_EXISTS);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_true(create(&home, bad[i]) < 0);
    assert_int_equal(create(&home, "iNbOx"), POSTERN_E_EXISTS);
    assert_int_equal(home.w.ops->create(home.account, text("Bin"), POSTERN_SPECIAL_TRASH), 0);
    assert_int_equal(status_of(&home, "Bin").special, POSTERN_SPECIAL_TRASH);
    home_close(&home);
}

static void test_remove(void **state)
{
    struct postern_mailbox *box;
    struct postern_status status;
    uint32_t before, uid;
    struct home home;

    home_open(&home, *state);
    assert_int_equal(create(&home, "a/b"), 0);
    before = status_of(&home, "a").uid_validity;
    box = open_box(&home, "a");
    assert_int_equal(postern_store_deliver(&home.w.store, box, text(MAIL), &uid), 0);
    assert_int_equal(home.w.ops->remove(home.account, text("a")), 0);
    assert_int_equal(home.w.ops->refresh(box, 0, &status), POSTERN_E_NOT_FOUND);
    home.w.ops->close(&box);
    assert_int_equal(home.w.ops->status(home.account, text("a"), 0, &status), POSTERN_E_NOT_FOUND);
    assert_int_equal(home.w.ops->status(home.account, text("a/b"), 0, &status), 0);
    assert_int_equal(home.w.ops->remove(home.account, text("none")), POSTERN_E_NOT_FOUND);
    assert_int_equal(home.w.ops->remove(home.account, text("INBOX")), POSTERN_E_DENIED);
    assert_int_equal(create(&home, "a"), 0); /* another mailbox of that name */
    assert_true(status_of(&home, "a").uid_validity > before);
    assert_int_equal(status_of(&home, "a").messages, 0);
    home_close(&home);
}

static void test_rename(void **state)
{
    struct postern_mailbox *box;
    struct postern_status before, after;
    struct home home;

    home_open(&home, *state);
    assert_int_equal(create(&home, "a/b"), 0);
    assert_int_equal(create(&home, "taken"), 0);
    box = open_box(&home, "a/b");
    assert_int_equal(postern_store_deliver(&home.w.store, box, text(MAIL), NULL), 0);
    before = status_of(&home, "a/b");
    assert_int_equal(home.w.ops->rename(home.account, text("a"), text("x/y")), 0);
    after = status_of(&home, "x/y/b");
    assert_int_equal(after.messages, 1);
    assert_int_equal(after.id, before.id); /* RFC 8474: it stays the same mailbox */
    assert_int_equal(after.uid_next, before.uid_next);
    home.w.ops->close(&box);
    assert_int_equal(home.w.ops->rename(home.account, text("none"), text("z")),
                     POSTERN_E_NOT_FOUND);
    assert_int_equal(home.w.ops->rename(home.account, text("x"), text("taken")), POSTERN_E_EXISTS);
    assert_int_equal(home.w.ops->rename(home.account, text("x"), text("x/y/z")), POSTERN_E_SYNTAX);
    assert_int_equal(home.w.ops->rename(home.account, text("x"), text("INBOX")), POSTERN_E_EXISTS);
    home_close(&home);
}

/* INBOX: its messages move, and it stays (RFC 9051 6.3.6). */
static void test_rename_inbox(void **state)
{
    struct home home;

    home_open(&home, *state);
    deliver(&home.w, MAIL, NULL);
    deliver(&home.w, MAIL, NULL);
    assert_int_equal(home.w.ops->rename(home.account, text("INBOX"), text("old")), 0);
    assert_int_equal(status_of(&home, "old").messages, 2);
    assert_int_equal(status_of(&home, "INBOX").messages, 0);
    assert_int_equal(status_of(&home, "INBOX").uid_next, 3);
    deliver(&home.w, MAIL, NULL);
    assert_int_equal(home.w.ops->rename(home.account, text("INBOX"), text("INBOX/old")), 0);
    assert_int_equal(status_of(&home, "INBOX/old").messages, 1);
    assert_int_equal(status_of(&home, "INBOX").messages, 0);
    home_close(&home);
}

static void test_subscribe(void **state)
{
    struct home home;

    home_open(&home, *state);
    assert_int_equal(home.w.ops->subscribe(home.account, text("later"), true), 0);
    assert_string_equal(list(&home), "INBOX special 0\nlater (none) subscribed special 0\n");
    assert_int_equal(create(&home, "later"), 0);
    assert_string_equal(list(&home), "INBOX special 0\nlater subscribed special 0\n");
    assert_int_equal(home.w.ops->remove(home.account, text("later")), 0);
    assert_string_equal(list(&home), "INBOX special 0\nlater (none) subscribed special 0\n");
    assert_int_equal(home.w.ops->subscribe(home.account, text("later"), false), 0);
    assert_int_equal(home.w.ops->subscribe(home.account, text("later"), false), 0);
    assert_string_equal(list(&home), "INBOX special 0\n");
    home_close(&home);
}

/* A level above a name that is only subscribed is told, and hides none above one that is there. */
static void test_levels_of_subscriptions(void **state)
{
    struct home home;

    home_open(&home, *state);
    assert_int_equal(home.w.ops->subscribe(home.account, text("deep/er/a"), true), 0);
    assert_string_equal(list(&home),
                        "INBOX special 0\ndeep (none) special 0\ndeep/er (none) special 0\n"
                        "deep/er/a (none) subscribed special 0\n");
    assert_int_equal(create(&home, "deep/er/b"), 0);
    assert_int_equal(home.w.ops->remove(home.account, text("deep")), 0);
    assert_string_equal(list(&home),
                        "INBOX special 0\ndeep (none) + special 0\ndeep/er + special 0\n"
                        "deep/er/a (none) subscribed special 0\ndeep/er/b special 0\n");
    home_close(&home);
}

static void test_status(void **state)
{
    struct postern_flags_change seen = {.how = POSTERN_FLAGS_ADD, .flags = POSTERN_FLAG_SEEN},
                                deleted = {.how = POSTERN_FLAGS_ADD, .flags = POSTERN_FLAG_DELETED};
    const uint32_t uids[] = {1, 2};
    struct postern_status status;
    struct home home;

    home_open(&home, *state);
    for (unsigned i = 0; i < 3; i++)
        deliver(&home.w, MAIL, NULL);
    assert_int_equal(home.w.ops->flags(home.w.box, uids, 2, &seen, NULL), 0);
    assert_int_equal(home.w.ops->flags(home.w.box, uids, 1, &deleted, NULL), 0);
    status = status_of(&home, "INBOX");
    assert_int_equal(status.messages, 3);
    assert_int_equal(status.unseen, 1);
    assert_int_equal(status.deleted, 1);
    assert_int_equal(status.size_bytes, 3 * strlen(MAIL));
    assert_int_equal(status.uid_next, 4);
    assert_true(status.modseq > 0 && status.uid_validity > 0 && status.id > 0);
    home_close(&home);
}

struct annotations {
    char text[400];
};

static int take_annotation(void *ctx, const struct postern_metadata *one)
{
    struct annotations *all = ctx;
    size_t n = strlen(all->text);

    snprintf(all->text + n, sizeof all->text - n, "%.*s=%.*s;", (int)one->entry.n, one->entry.p,
             (int)one->value.n, one->value.p);
    return 0;
}

static struct annotations annotations(struct home *home, const char *mailbox, int result)
{
    struct annotations all = {""};

    assert_int_equal(home->w.ops->metadata(home->account, text(mailbox), take_annotation, &all),
                     result);
    return all;
}

static int annotate(struct home *home, const char *mailbox, const char *entry, const char *value)
{
    struct postern_metadata one = {text(entry), text(value)};

    if (!value)
        one.value = (struct postern_span){NULL, 0};
    return home->w.ops->set_metadata(home->account, text(mailbox), &one, 1);
}

/* They follow a rename, go with the mailbox, and outlive the handle; too much is refused whole. */
static void test_metadata(void **state)
{
    struct postern_metadata two[2] = {{text("/private/a"), text("1")},
                                      {text("/private/big"), {NULL, 0}}};
    char *big = calloc(1, 2u << 20);
    struct home home;
    uint64_t modseq;

    home_open(&home, *state);
    assert_int_equal(home.w.ops->create(home.account, text("One/Two"), 0), 0);
    assert_int_equal(annotate(&home, "One/Two", "/private/x", "second"), 0);
    assert_int_equal(annotate(&home, "One", "/private/x", "first"), 0);
    assert_int_equal(annotate(&home, "", "/private/x", "mine"), 0);
    assert_int_equal(annotate(&home, "inbox", "/shared/y", ""), 0);
    assert_int_equal(annotate(&home, "None", "/private/x", "?"), POSTERN_E_NOT_FOUND);
    assert_int_equal(annotate(&home, "a//b", "/private/x", "?"), POSTERN_E_SYNTAX);
    assert_int_equal(home.w.ops->rename(home.account, text("One"), text("New")), 0);
    home.w.ops->account_close(&home.account);
    assert_int_equal(home.w.ops->account_open(&home.w.store, text("ann"), 0, &home.account), 0);
    assert_string_equal(annotations(&home, "New/Two", 0).text, "/private/x=second;");
    assert_string_equal(annotations(&home, "New", 0).text, "/private/x=first;");
    assert_string_equal(annotations(&home, "", 0).text, "/private/x=mine;");
    assert_string_equal(annotations(&home, "INBOX", 0).text, "/shared/y=;");
    (void)annotations(&home, "One", POSTERN_E_NOT_FOUND);
    two[1].value = (struct postern_span){big, 2u << 20};
    assert_int_equal(home.w.ops->set_metadata(home.account, text("New"), two, 2), POSTERN_E_FULL);
    assert_string_equal(annotations(&home, "New", 0).text, "/private/x=first;");
    modseq = status_of(&home, "New").modseq;
    assert_int_equal(annotate(&home, "", "/private/x", "other"), 0);
    assert_int_equal(status_of(&home, "New").modseq, modseq);
    assert_int_equal(annotate(&home, "New", "/PRIVATE/X", NULL), 0);
    assert_int_equal(status_of(&home, "New").modseq, modseq + 1);
    assert_string_equal(annotations(&home, "New", 0).text, "");
    assert_int_equal(home.w.ops->remove(home.account, text("New/Two")), 0);
    assert_int_equal(home.w.ops->create(home.account, text("New/Two"), 0), 0);
    assert_string_equal(annotations(&home, "New/Two", 0).text, "");
    home_close(&home);
    free(big);
}

/* A level that is no mailbox has them while there is something below it. */
static void test_level_metadata(void **state)
{
    struct home home;

    home_open(&home, *state);
    assert_int_equal(home.w.ops->create(home.account, text("One/Two/Three"), 0), 0);
    assert_int_equal(home.w.ops->remove(home.account, text("One/Two")), 0);
    assert_int_equal(home.w.ops->remove(home.account, text("One")), 0);
    assert_int_equal(annotate(&home, "One", "/private/x", "level"), 0);
    assert_int_equal(annotate(&home, "One/Two", "/private/x", "lower"), 0);
    assert_string_equal(annotations(&home, "One", 0).text, "/private/x=level;");
    assert_int_equal(annotate(&home, "One/T", "/private/x", "?"), POSTERN_E_NOT_FOUND);
    assert_int_equal(home.w.ops->create(home.account, text("One/Else"), 0), 0);
    assert_int_equal(home.w.ops->rename(home.account, text("One/Two/Three"), text("Three")), 0);
    (void)annotations(&home, "One/Two", POSTERN_E_NOT_FOUND);
    assert_string_equal(annotations(&home, "One", 0).text, "/private/x=level;");
    assert_int_equal(home.w.ops->create(home.account, text("One/Two"), 0), 0);
    assert_string_equal(annotations(&home, "One/Two", 0).text, "");
    assert_string_equal(annotations(&home, "One", 0).text, "/private/x=level;");
    home_close(&home);
}

static int take_right(void *ctx, const struct postern_acl *one)
{
    struct annotations *all = ctx;
    size_t n = strlen(all->text);

    snprintf(all->text + n, sizeof all->text - n, "%.*s=%x;", (int)one->identifier.n,
             one->identifier.p, one->rights);
    return 0;
}

static struct annotations acl(struct home *home, const char *mailbox, int result)
{
    struct annotations all = {""};

    assert_int_equal(home->w.ops->acl(home->account, text(mailbox), take_right, &all), result);
    return all;
}

static int allow(struct home *home, const char *mailbox, const char *who, uint32_t rights,
                 enum postern_flags_how how)
{
    struct postern_acl one = {.identifier = text(who), .rights = rights};

    return home->w.ops->set_acl(home->account, text(mailbox), &one, how);
}

/* Who may do what: follows a rename, goes with the mailbox, is inherited, is no annotation. */
static void test_acl(void **state)
{
    struct home home;

    home_open(&home, *state);
    assert_int_equal(home.w.ops->create(home.account, text("One"), 0), 0);
    assert_int_equal(allow(&home, "One", "bob", 3, POSTERN_FLAGS_SET), 0);
    assert_int_equal(allow(&home, "One", "Bob", 1, POSTERN_FLAGS_SET), 0);
    assert_int_equal(allow(&home, "One", "bob", 16, POSTERN_FLAGS_ADD), 0);
    assert_int_equal(allow(&home, "One", "bob", 2, POSTERN_FLAGS_REMOVE), 0);
    assert_int_equal(allow(&home, "inbox", "-anyone", POSTERN_RIGHTS_ALL, POSTERN_FLAGS_SET), 0);
    assert_int_equal(allow(&home, "None", "bob", 1, POSTERN_FLAGS_SET), POSTERN_E_NOT_FOUND);
    assert_int_equal(allow(&home, "One", "", 1, POSTERN_FLAGS_SET), POSTERN_E_SYNTAX);
    assert_int_equal(annotate(&home, "One", "/acl/eve", "lr"), POSTERN_E_SYNTAX);
    assert_int_equal(annotate(&home, "One", "/private/x", "1"), 0);
    assert_string_equal(annotations(&home, "One", 0).text, "/private/x=1;");
    assert_string_equal(acl(&home, "One", 0).text, "Bob=1;bob=11;");
    assert_string_equal(acl(&home, "INBOX", 0).text, "-anyone=7ff;");
    (void)acl(&home, "None", POSTERN_E_NOT_FOUND);
    assert_int_equal(home.w.ops->create(home.account, text("One/a/b"), 0), 0);
    assert_string_equal(acl(&home, "One/a", 0).text, "Bob=1;bob=11;");
    assert_string_equal(acl(&home, "One/a/b", 0).text, "Bob=1;bob=11;");
    assert_int_equal(allow(&home, "One/a", "bob", 0, POSTERN_FLAGS_SET), 0);
    assert_int_equal(home.w.ops->rename(home.account, text("One"), text("New")), 0);
    home.w.ops->account_close(&home.account);
    assert_int_equal(home.w.ops->account_open(&home.w.store, text("ann"), 0, &home.account), 0);
    assert_string_equal(acl(&home, "New/a", 0).text, "Bob=1;");
    assert_int_equal(home.w.ops->remove(home.account, text("New/a/b")), 0);
    assert_int_equal(home.w.ops->remove(home.account, text("New/a")), 0);
    assert_int_equal(home.w.ops->create(home.account, text("New/a"), 0), 0);
    assert_string_equal(acl(&home, "New/a", 0).text, "Bob=1;bob=11;");
    assert_int_equal(home.w.ops->create(home.account, text("One"), 0), 0);
    assert_string_equal(acl(&home, "One", 0).text, "");
    home_close(&home);
}

static int take_owner(void *ctx, struct postern_span owner)
{
    struct annotations *all = ctx;
    size_t n = strlen(all->text);

    snprintf(all->text + n, sizeof all->text - n, "%.*s;", (int)owner.n, owner.p);
    return 0;
}

static void test_sharers(void **state)
{
    struct annotations all = {""};
    struct home home;

    home_open(&home, *state);
    assert_int_equal(home.w.ops->sharers(&home.w.store, text("bob"), take_owner, &all), 0);
    assert_string_equal(all.text, "");
    assert_int_equal(allow(&home, "INBOX", "bob", 1, POSTERN_FLAGS_SET), 0);
    assert_int_equal(home.w.ops->sharers(&home.w.store, text("eve"), take_owner, &all), 0);
    assert_string_equal(all.text, "");
    assert_int_equal(home.w.ops->sharers(&home.w.store, text("bob"), take_owner, &all), 0);
    assert_string_equal(all.text, "ann;");
    assert_int_equal(allow(&home, "INBOX", "anyone", 1, POSTERN_FLAGS_SET), 0);
    assert_int_equal(home.w.ops->sharers(&home.w.store, text("eve"), take_owner, &all), 0);
    assert_string_equal(all.text, "ann;ann;");
    home_close(&home);
}

#define OVER(kind)                                                                       \
    ONE(kind, test_create), ONE(kind, test_remove), ONE(kind, test_rename),              \
        ONE(kind, test_rename_inbox), ONE(kind, test_subscribe), ONE(kind, test_status), \
        ONE(kind, test_metadata), ONE(kind, test_level_metadata), ONE(kind, test_acl),   \
        ONE(kind, test_sharers), ONE(kind, test_levels_of_subscriptions)

int main(void)
{
    const struct CMUnitTest tests[] = {OVER("memory"), OVER("maildir")};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
