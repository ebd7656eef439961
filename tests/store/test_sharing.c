/* SPDX-License-Identifier: MIT */
/* test_sharing - several sessions and threads on one store: news, and no damage; over each of the
 * stores. */
#include "suite.h"

#define MAIL "Subject: x\n\n.dot\nend\n"

static bool is_readable(int fd, int milliseconds)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN};

    return poll(&polled, 1, milliseconds) == 1;
}

static void test_watch(void **state)
{
    struct world w;
    int fd;

    world_open(&w, *state);
    fd = w.ops->watch_fd(w.box);
    assert_true(fd >= 0);
    assert_int_equal(w.ops->watch_fd(w.box), fd);
    assert_false(is_readable(fd, 0));
    deliver(&w, MAIL, NULL);
    assert_true(is_readable(fd, 10000));
    w.ops->watch_clear(w.box);
    assert_false(is_readable(fd, 0));
    world_close(&w);
}

/* The other session's news come to the one that waits, also a deletion. */
static void test_watch_other(void **state)
{
    struct world w;
    struct postern_mailbox *other = NULL;
    struct postern_span span;
    char uid[POSTERN_UID_MAX + 1];
    int fd;

    world_open(&w, *state);
    deliver(&w, MAIL, uid);
    span = text(uid);
    assert_int_equal(postern_store_inbox(&w.store, text("ann"), 0, &other), 0);
    fd = w.ops->watch_fd(other);
    assert_true(fd >= 0);
    assert_int_equal(postern_store_expunge(&w.store, w.box, &span, 1), 0);
    assert_true(is_readable(fd, 10000));
    w.ops->watch_clear(other);
    w.ops->watch_clear(w.box); /* which nobody watches */
    w.ops->close(&other);
    world_close(&w);
}

static int pass_over(void *ctx, const struct postern_status *status)
{
    (void)ctx, (void)status;
    return 0;
}

/* rings - once for what was done, and not again until something is done. */
static void assert_rings(struct world *w, struct postern_account *account,
                         struct postern_watch *watch, int fd)
{
    assert_true(is_readable(fd, 10000));
    for (unsigned i = 0; i < 50 && is_readable(fd, 100); i++) { /* looking settles down */
        assert_int_equal(w->ops->watch_all_clear(watch), 0);
        assert_int_equal(w->ops->list(account, pass_over, NULL), 0);
    }
    assert_false(is_readable(fd, 100));
}

/* Whoever watches all of an account hears of each mailbox, also of one that was made later. */
static void test_watch_all(void **state)
{
    static const struct postern_metadata note = {{"/private/comment", 16}, {"x", 1}};
    struct postern_account *account = NULL, *other = NULL;
    struct postern_watch *watch = NULL, *second = NULL;
    struct postern_mailbox *box = NULL;
    struct world w;
    int fd, fd2;

    world_open(&w, *state);
    assert_int_equal(w.ops->account_open(&w.store, text("ann"), 0, &account), 0);
    assert_int_equal(w.ops->watch_all(account, &watch, &fd), 0);
    assert_int_equal(w.ops->account_open(&w.store, text("ann"), 0, &other), 0);
    assert_int_equal(w.ops->watch_all(other, &second, &fd2), 0);
    assert_int_equal(w.ops->list(account, pass_over, NULL), 0);
    deliver(&w, MAIL, NULL);
    assert_rings(&w, account, watch, fd);
    assert_true(is_readable(fd2, 0));
    assert_int_equal(w.ops->subscribe(account, text("INBOX"), true), 0);
    assert_rings(&w, account, watch, fd);
    assert_int_equal(w.ops->set_metadata(account, text("INBOX"), &note, 1), 0);
    assert_rings(&w, account, watch, fd);
    if (strcmp(w.ops->name, "eml") != 0) {
        assert_int_equal(w.ops->create(account, text("a"), POSTERN_SPECIAL_NONE), 0);
        assert_rings(&w, account, watch, fd);
        assert_int_equal(w.ops->open(account, text("a"), 0, &box), 0);
        assert_int_equal(postern_store_deliver(&w.store, box, text(MAIL), NULL), 0);
        assert_rings(&w, account, watch, fd);
        assert_int_equal(w.ops->rename(account, text("a"), text("b")), 0);
        assert_rings(&w, account, watch, fd);
        assert_int_equal(postern_store_deliver(&w.store, box, text(MAIL), NULL), 0);
        assert_rings(&w, account, watch, fd);
        w.ops->close(&box);
        assert_int_equal(w.ops->remove(account, text("b")), 0);
        assert_rings(&w, account, watch, fd);
    }
    w.ops->watch_all_end(&second);
    w.ops->account_close(&other);
    deliver(&w, MAIL, NULL);
    assert_rings(&w, account, watch, fd);
    w.ops->watch_all_end(&watch);
    w.ops->account_close(&account);
    world_close(&w);
}

struct deliverer {
    struct world *w;
    char user[8];
};

static void *deliver_many(void *arg)
{
    struct deliverer *d = arg;
    struct postern_mailbox *box = NULL;
    const struct postern_store_ops *ops = d->w->ops;

    for (int i = 0; i < 20; i++) {
        struct postern_delivery *delivery = NULL;
        struct postern_snapshot *snapshot = NULL;

        if (postern_store_inbox(&d->w->store, text(d->user), POSTERN_STORE_CREATE, &box) < 0 ||
            ops->begin(box, NULL, &delivery) < 0 || ops->write(delivery, text(MAIL)) < 0 ||
            ops->commit(&delivery, 1, NULL) < 0 || ops->snapshot(box, 0, &snapshot) < 0)
            return d; /* anything but NULL */
        postern_snapshot_unref(&snapshot);
        ops->close(&box);
    }
    return NULL;
}

/* Different mailboxes, and different handles of one, may be used by different threads. */
static void test_threads(void **state)
{
    struct world w;
    struct deliverer deliverers[4];
    pthread_t threads[4];

    world_open(&w, *state);
    for (size_t i = 0; i < 4; i++) {
        deliverers[i] = (struct deliverer){.w = &w};
        snprintf(deliverers[i].user, sizeof deliverers[i].user, i < 2 ? "ann" : "u%zu", i);
        assert_int_equal(pthread_create(&threads[i], NULL, deliver_many, &deliverers[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        void *result = NULL;

        pthread_join(threads[i], &result);
        assert_null(result);
    }
    assert_int_equal(count_now(&w), 40);
    world_close(&w);
}

static void *delete_all(void *arg)
{
    struct deliverer *d = arg;
    const struct postern_store_ops *ops = d->w->ops;
    struct postern_mailbox *box = NULL;
    int deleted = 0;

    if (postern_store_inbox(&d->w->store, text(d->user), POSTERN_STORE_CREATE, &box) < 0 ||
        ops->lock(box) < 0)
        return d;
    while (deleted < 40) { /* as many as the two others deliver */
        struct postern_snapshot *snapshot = NULL;

        if (ops->snapshot(box, 0, &snapshot) < 0)
            return d;
        for (size_t i = 0; i < snapshot->list.count; i++) {
            struct postern_span uid = uid_at(snapshot, i);

            if (postern_store_expunge(&d->w->store, box, &uid, 1) < 0)
                return d;
            deleted++;
        }
        postern_snapshot_unref(&snapshot);
    }
    ops->close(&box);
    return NULL;
}

/* Two deliver while one lists and deletes: every message is listed once, and none is left. */
static void test_threads_delete(void **state)
{
    struct world w;
    struct deliverer deliverers[3];
    pthread_t threads[3];

    world_open(&w, *state);
    for (size_t i = 0; i < 3; i++) {
        deliverers[i] = (struct deliverer){.w = &w, .user = "ann"};
        assert_int_equal(
            pthread_create(&threads[i], NULL, i < 2 ? deliver_many : delete_all, &deliverers[i]),
            0);
    }
    for (size_t i = 0; i < 3; i++) {
        void *result = NULL;

        pthread_join(threads[i], &result);
        assert_null(result);
    }
    assert_int_equal(count_now(&w), 0);
    world_close(&w);
}

#define OVER(kind)                                                                 \
    ONE(kind, test_watch), ONE(kind, test_watch_other), ONE(kind, test_watch_all), \
        ONE(kind, test_threads), ONE(kind, test_threads_delete)

int main(void)
{
    const struct CMUnitTest tests[] = {OVER("memory"), OVER("eml"), OVER("maildir")};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
