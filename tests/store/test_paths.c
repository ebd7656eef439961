/* SPDX-License-Identifier: MIT */
/* test_paths - which folder is whose mailbox, and the cache of open ones. */
#include "suite.h"

#define MAIL "Subject: x\r\n\r\nbody\r\n"

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
    assert_int_equal(postern_store_inbox(&shared, text("x"), 0, &one), 0);
    assert_int_equal(postern_store_inbox(&shared, text("y"), 0, &two), 0);
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
    assert_int_equal(
        postern_store_inbox(&store, text("carl@example.org"), POSTERN_STORE_CREATE, &box), 0);
    assert_true(exists(&w, "example.org/carl/Maildir/cur"));
    store.ops->close(&box);
    assert_true(postern_store_inbox(&store, text("carl@.."), POSTERN_STORE_CREATE, &box) < 0);
    assert_true(postern_store_inbox(&store, text("..@example.org"), POSTERN_STORE_CREATE, &box) <
                0);
    assert_true(postern_store_inbox(&store, text("@"), POSTERN_STORE_CREATE, &box) < 0);
    postern_store_free(&store);
    snprintf(path, sizeof path, "%s/all/%%u", w.dir);
    assert_int_equal(postern_store_maildir_new(&store, path), 0);
    assert_int_equal(
        postern_store_inbox(&store, text("dora@example.org"), POSTERN_STORE_CREATE, &box), 0);
    assert_true(exists(&w, "all/dora@example.org/new"));
    store.ops->close(&box);
    postern_store_free(&store);
    world_close(&w);
}

static int note(void *ctx, struct postern_span user)
{
    char *names = ctx;

    strncat(names, user.p, user.n);
    strcat(names, " ");
    return 0;
}

/* open_of - makes the user's account where the pattern has it. */
static void open_of(const struct world *w, const char *pattern, const char *user)
{
    struct postern_store store;
    struct postern_mailbox *box = NULL;
    char path[128];

    snprintf(path, sizeof path, "%s%s", w->dir, pattern);
    assert_int_equal(postern_store_maildir_new(&store, path), 0);
    assert_int_equal(postern_store_inbox(&store, text(user), POSTERN_STORE_CREATE, &box), 0);
    store.ops->close(&box);
    postern_store_free(&store);
}

/* Who has an account can be told of every path that has one %u, or none. */
static void test_users_of_patterns(void **state)
{
    static const char *const patterns[] = {"/a", "/b/%u", "/c/u-%u.d/Maildir", "/d%u", "/e%%/x"};
    struct world w;
    struct postern_store store;
    char path[128], names[64];

    (void)state;
    world_open(&w, "maildir");
    open_of(&w, "/c/u-%u.d", "eve"); /* where nothing is called Maildir */
    open_of(&w, "/c/%u", "u-.d");
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        open_of(&w, patterns[i], "dora@example.org");
        snprintf(path, sizeof path, "%s%s", w.dir, patterns[i]);
        assert_int_equal(postern_store_maildir_new(&store, path), 0);
        names[0] = '\0';
        assert_int_equal(store.ops->list_users(&store, note, names), 0);
        assert_string_equal(names, "dora@example.org ");
        postern_store_free(&store);
    }
    snprintf(path, sizeof path, "%s/%%d/%%n", w.dir);
    assert_int_equal(postern_store_maildir_new(&store, path), 0);
    assert_int_equal(store.ops->list_users(&store, note, names), POSTERN_E_UNSUPPORTED);
    postern_store_free(&store);
    world_close(&w);
}

/* A mailbox that is removed and made again while nobody has it open is not served from the
 * cache. */
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
    assert_int_equal(postern_store_inbox(&w.store, text("ann"), 0, &w.box), POSTERN_E_NOT_FOUND);
    assert_int_equal(postern_store_inbox(&w.store, text("ann"), POSTERN_STORE_CREATE, &w.box), 0);
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
            assert_int_equal(
                postern_store_inbox(&w.store, text(user), POSTERN_STORE_CREATE, &boxes[i]), 0);
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
        cmocka_unit_test(test_eml_shared),        cmocka_unit_test(test_path_patterns),
        cmocka_unit_test(test_users_of_patterns), cmocka_unit_test(test_mailbox_replaced),
        cmocka_unit_test(test_many_mailboxes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
