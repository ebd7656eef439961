/* SPDX-License-Identifier: MIT */
/* test_suite - the contract of store.h, the same tests over each of the stores. */
#include "suite.h"

#define MAIL "Subject: x\r\n\r\n.dot\r\nend\r\n"

/* R29 X5: a delivered message keeps its unique-id until it is deleted, and then is not found. */
static void test_life(void **state)
{
    struct world w;
    char first[POSTERN_UID_MAX + 1], second[POSTERN_UID_MAX + 1];
    struct postern_content *content = NULL;
    struct postern_facts facts;
    struct postern_span gone;

    world_open(&w, *state);
    assert_int_equal(w.ops->lock(w.box), 0);
    deliver(&w, MAIL, first);
    deliver(&w, MAIL, second);
    assert_string_not_equal(first, second);
    assert_content(&w, text(first), MAIL);
    gone = text(first);
    assert_int_equal(postern_store_expunge(&w.store, w.box, &gone, 1), 0);
    assert_int_equal(postern_store_expunge(&w.store, w.box, &gone, 1),
                     0); /* one that is gone already counts as deleted */
    assert_int_equal(postern_store_message(&w.store, w.box, gone, 0, &content, &facts),
                     POSTERN_E_NOT_FOUND);
    assert_null(content);
    assert_content(&w, text(second), MAIL);
    assert_int_equal(count_now(&w), 1);
    deliver(&w, MAIL, first);
    assert_false(is(gone, second));
    world_close(&w);
}

static void test_no_mailbox(void **state)
{
    struct world w;
    struct postern_mailbox *none = NULL;

    world_open(&w, *state);
    assert_int_equal(postern_store_inbox(&w.store, text("none"), 0, &none), POSTERN_E_NOT_FOUND);
    assert_null(none);
    w.ops->close(&none);
    world_close(&w);
}

/* Names that would lead out of the store, or are no names, have no mailbox, and none is made. */
static void test_hostile_users(void **state)
{
    static const struct postern_span users[] = {
        {"", 0},        {".", 1},    {"..", 2},   {"../ann", 6}, {"a/b", 3},         {"/etc", 4},
        {".hidden", 7}, {"a\0b", 3}, {"a\nb", 3}, {"ann/", 4},   {"ann/../ann", 10}, {"\x7f", 1}};
    char tall[300];
    struct world w;

    world_open(&w, *state);
    for (size_t i = 0; i < sizeof users / sizeof *users; i++) {
        struct postern_mailbox *box = NULL;

        assert_int_equal(postern_store_inbox(&w.store, users[i], POSTERN_STORE_CREATE, &box),
                         POSTERN_E_NOT_FOUND);
        assert_null(box);
    }
    memset(tall, 'a', sizeof tall);
    assert_true(postern_store_inbox(&w.store, (struct postern_span){tall, sizeof tall},
                                    POSTERN_STORE_CREATE, &w.box) < 0);
    world_close(&w);
}

/* Two handles of one process exclude each other; closing unlocks. */
static void test_lock(void **state)
{
    struct world w;
    struct postern_mailbox *two = NULL;

    world_open(&w, *state);
    assert_int_equal(postern_store_inbox(&w.store, text("ann"), 0, &two), 0);
    assert_int_equal(w.ops->lock(w.box), 0);
    assert_int_equal(w.ops->lock(w.box), 0); /* it is ours already */
    assert_int_equal(w.ops->lock(two), POSTERN_E_IN_USE);
    w.ops->unlock(w.box);
    assert_int_equal(w.ops->lock(two), 0);
    assert_int_equal(w.ops->lock(w.box), POSTERN_E_IN_USE);
    w.ops->close(&two);
    assert_int_equal(w.ops->lock(w.box), 0);
    world_close(&w);
}

/* A snapshot stays what it was; equal lists have one generation; news is told apart from losses. */
static void test_snapshots(void **state)
{
    struct world w;
    struct postern_snapshot *empty, *one, *same, *two, *less;
    char uid[POSTERN_UID_MAX + 1], more[POSTERN_UID_MAX + 1];
    struct postern_span gone;

    world_open(&w, *state);
    empty = snapshot_of(&w);
    assert_int_equal(empty->list.count, 0);
    assert_int_equal(empty->list.total_bytes, 0);
    deliver(&w, MAIL, uid);
    one = snapshot_of(&w);
    assert_int_equal(one->list.count, 1);
    assert_true(is(uid_at(one, 0), uid));
    assert_int_equal(one->list.entries[0].size_bytes, strlen(MAIL));
    assert_int_equal(one->list.total_bytes, strlen(MAIL));
    same = snapshot_of(&w);
    assert_int_equal(same->generation, one->generation);
    assert_ptr_equal(same->list.entries, one->list.entries); /* one list, however many read it */
    deliver(&w, MAIL, more);
    two = snapshot_of(&w);
    assert_int_equal(two->list.count, 2);
    assert_true(is(uid_at(two, 0), uid)); /* the oldest first */
    assert_true(two->generation != one->generation);
    assert_int_equal(one->list.count, 1);
    gone = text(uid);
    assert_int_equal(postern_store_expunge(&w.store, w.box, &gone, 1), 0);
    less = snapshot_of(&w);
    assert_true(postern_snapshot_has_new(empty, one));
    assert_true(postern_snapshot_has_new(one, two));
    assert_false(postern_snapshot_has_new(one, same));
    assert_false(postern_snapshot_has_new(two, less));
    assert_false(postern_snapshot_has_new(two, empty));
    assert_true(is(uid_at(two, 0), uid)); /* still readable, though the message is gone */
    postern_snapshot_unref(&empty);
    postern_snapshot_unref(&one);
    assert_int_equal(same->list.count, 1); /* though the other that shared it has ended */
    postern_snapshot_unref(&same);
    postern_snapshot_unref(&two);
    postern_snapshot_unref(&less);
    assert_null(less);
    postern_snapshot_unref(&less);
    world_close(&w);
}

/* X4: a message is found by unique-id also when it came after the listing. */
static void test_find(void **state)
{
    struct world w;
    struct postern_snapshot *before;
    struct postern_entry entry;
    uint32_t number;
    char uid[POSTERN_UID_MAX + 1];

    world_open(&w, *state);
    before = snapshot_of(&w);
    deliver(&w, MAIL, uid);
    assert_int_equal(w.ops->find(w.box, text(uid), &entry, &number), 0);
    assert_int_equal(entry.size_bytes, strlen(MAIL));
    assert_int_equal(entry.uid_length, strlen(uid));
    assert_int_equal(w.ops->find(w.box, text("no-such-message"), &entry, &number),
                     POSTERN_E_NOT_FOUND);
    assert_int_equal(w.ops->find(w.box, text(""), &entry, &number), POSTERN_E_NOT_FOUND);
    postern_snapshot_unref(&before);
    world_close(&w);
}

static void test_abort_leaves_nothing(void **state)
{
    struct world w;
    struct postern_delivery *delivery = NULL;

    world_open(&w, *state);
    assert_int_equal(w.ops->begin(w.box, NULL, &delivery), 0);
    assert_int_equal(w.ops->write(delivery, text("half a mess")), 0);
    assert_int_equal(count_now(&w), 0); /* nobody ever sees half of one */
    w.ops->abort(&delivery);
    assert_null(delivery);
    w.ops->abort(&delivery);
    assert_int_equal(count_now(&w), 0);
    deliver(&w, "whole\n", NULL);
    assert_int_equal(count_now(&w), 1);
    world_close(&w);
}

static int collect(void *ctx, struct postern_span user)
{
    char *names = ctx;

    strncat(names, user.p, user.n);
    strcat(names, " ");
    return is(user, "stop") ? 7 : 0;
}

static void test_list_users(void **state)
{
    struct world w;
    struct postern_mailbox *bob = NULL;
    char names[64] = "";

    world_open(&w, *state);
    assert_int_equal(postern_store_inbox(&w.store, text("bob"), POSTERN_STORE_CREATE, &bob), 0);
    assert_int_equal(w.ops->list_users(&w.store, collect, names), 0);
    assert_int_equal(strlen(names), 8);
    assert_non_null(strstr(names, "ann "));
    assert_non_null(strstr(names, "bob "));
    w.ops->close(&bob);
    assert_int_equal(postern_store_inbox(&w.store, text("stop"), POSTERN_STORE_CREATE, &bob), 0);
    assert_int_equal(w.ops->list_users(&w.store, collect, names), 7);
    w.ops->close(&bob);
    world_close(&w);
}

/* With NO_WAIT a call works, or says AGAIN and works without it. */
static void test_no_wait(void **state)
{
    struct world w;
    struct postern_snapshot *snapshot = NULL;
    int r;

    world_open(&w, *state);
    deliver(&w, MAIL, NULL);
    r = w.ops->snapshot(w.box, POSTERN_STORE_NO_WAIT, &snapshot);
    assert_true(r == 0 || r == POSTERN_E_AGAIN);
    if (r == 0)
        assert_int_equal(snapshot->list.count, 1);
    else
        assert_null(snapshot);
    postern_snapshot_unref(&snapshot);
    assert_int_equal(count_now(&w), 1);
    world_close(&w);
}

/* A set with names that are not there deletes the others all the same; the empty set is fine. */
static void test_expunge_sets(void **state)
{
    struct world w;
    char uids[5][POSTERN_UID_MAX + 1];
    struct postern_span set[3];

    world_open(&w, *state);
    for (size_t i = 0; i < 5; i++)
        deliver(&w, MAIL, uids[i]);
    assert_int_equal(postern_store_expunge(&w.store, w.box, set, 0), 0);
    assert_int_equal(count_now(&w), 5);
    set[0] = text(uids[1]);
    set[1] = text("never-was");
    set[2] = text(uids[3]);
    assert_int_equal(postern_store_expunge(&w.store, w.box, set, 3), 0);
    assert_int_equal(count_now(&w), 3);
    assert_content(&w, text(uids[0]), MAIL);
    assert_content(&w, text(uids[2]), MAIL);
    assert_content(&w, text(uids[4]), MAIL);
    world_close(&w);
}

/* What an account may have is counted over all its mailboxes; a move adds nothing. */
static void test_quota(void **state)
{
    struct postern_quota quota = {.messages_max = 2, .bytes_max = 3 * strlen(MAIL)};
    struct postern_account *account = NULL;
    struct postern_delivery *two[2] = {NULL};
    struct world w;

    world_open(&w, *state);
    w.ops->limit(&w.store, &quota);
    deliver(&w, MAIL, NULL);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(w.ops->begin(w.box, NULL, &two[i]), 0);
        assert_int_equal(w.ops->write(two[i], text(MAIL)), 0);
    }
    assert_int_equal(w.ops->commit(two, 2, NULL), POSTERN_E_FULL); /* all or none */
    assert_int_equal(count_now(&w), 1);
    deliver(&w, MAIL, NULL);
    assert_int_equal(postern_store_deliver(&w.store, w.box, text(MAIL), NULL), POSTERN_E_FULL);
    assert_int_equal(w.ops->account_open(&w.store, text("ann"), 0, &account), 0);
    assert_int_equal(w.ops->quota(account, &quota), 0);
    assert_int_equal(quota.messages, 2);
    assert_int_equal(quota.messages_max, 2);
    assert_int_equal(quota.bytes, 2 * strlen(MAIL));
    quota = (struct postern_quota){.bytes_max = 2 * strlen(MAIL) + 1};
    w.ops->limit(&w.store, &quota);
    assert_int_equal(postern_store_deliver(&w.store, w.box, text(MAIL), NULL), POSTERN_E_FULL);
    assert_int_equal(postern_store_deliver(&w.store, w.box, text("\n"), NULL), POSTERN_E_FULL);
    assert_int_equal(count_now(&w), 2);
    w.ops->account_close(&account);
    world_close(&w);
}

/* An account's own limits count instead of the store's, and last. */
static void test_own_quota(void **state)
{
    struct postern_quota store = {.messages_max = 1}, own = {.messages_max = 2, .bytes_max = 5000};
    struct postern_account *account = NULL;
    struct postern_quota found;
    struct world w;

    world_open(&w, *state);
    w.ops->limit(&w.store, &store);
    deliver(&w, MAIL, NULL);
    assert_int_equal(w.ops->account_open(&w.store, text("ann"), 0, &account), 0);
    assert_int_equal(postern_store_set_quota(&w.store, account, &own), 0);
    deliver(&w, MAIL, NULL);
    assert_int_equal(postern_store_deliver(&w.store, w.box, text(MAIL), NULL), POSTERN_E_FULL);
    assert_int_equal(w.ops->quota(account, &found), 0);
    assert_int_equal(found.messages_max, 2);
    assert_int_equal(found.bytes_max, 5 * 1024);
    own = (struct postern_quota){0};
    assert_int_equal(postern_store_set_quota(&w.store, account, &own), 0);
    deliver(&w, MAIL, NULL); /* no limit at all */
    assert_int_equal(postern_store_set_quota(&w.store, account, NULL), 0);
    assert_int_equal(postern_store_deliver(&w.store, w.box, text(MAIL), NULL), POSTERN_E_FULL);
    w.ops->account_close(&account);
    world_close(&w);
}

/* Mailboxes that are made count, and the levels above them; what is there already stays. */
static void test_mailbox_quota(void **state)
{
    struct postern_quota limits = {.mailboxes_max = 3}, found;
    struct postern_account *account = NULL;
    struct postern_mailbox *box = NULL;
    struct world w;

    world_open(&w, *state);
    w.ops->limit(&w.store, &limits);
    assert_int_equal(w.ops->account_open(&w.store, text("ann"), 0, &account), 0);
    if (w.ops->create(account, text("a/b/c"), 0) == POSTERN_E_FULL) { /* else it has INBOX alone */
        assert_int_equal(w.ops->create(account, text("a/b"), 0), 0);
        assert_int_equal(w.ops->open(account, text("c"), POSTERN_STORE_CREATE, &box),
                         POSTERN_E_FULL);
        assert_int_equal(w.ops->create(account, text("a"), 0), POSTERN_E_EXISTS);
        assert_int_equal(w.ops->rename(account, text("a/b"), text("c/b")), POSTERN_E_FULL);
        assert_int_equal(w.ops->rename(account, text("a/b"), text("c")), 0);
        assert_int_equal(w.ops->quota(account, &found), 0);
        assert_int_equal(found.mailboxes, 3);
        assert_int_equal(found.mailboxes_max, 3);
        limits.mailboxes_max = 1;
        w.ops->limit(&w.store, &limits);
        assert_int_equal(w.ops->rename(account, text("c"), text("d")), 0);
    }
    w.ops->account_close(&account);
    world_close(&w);
}

#define OVER(kind)                                                                                 \
    ONE(kind, test_life), ONE(kind, test_no_mailbox), ONE(kind, test_hostile_users),               \
        ONE(kind, test_lock), ONE(kind, test_snapshots), ONE(kind, test_find),                     \
        ONE(kind, test_abort_leaves_nothing), ONE(kind, test_list_users), ONE(kind, test_no_wait), \
        ONE(kind, test_expunge_sets), ONE(kind, test_quota), ONE(kind, test_own_quota),            \
        ONE(kind, test_mailbox_quota)

int main(void)
{
    const struct CMUnitTest tests[] = {OVER("memory"), OVER("eml"), OVER("maildir")};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
