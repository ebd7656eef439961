/* SPDX-License-Identifier: MIT */
/* test_sharing - several sessions and threads on one store, and no damage; over each of the stores.
 */
#include "suite.h"

#define MAIL "Subject: x\n\n.dot\nend\n"

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

#define OVER(kind) ONE(kind, test_threads), ONE(kind, test_threads_delete)

int main(void)
{
    const struct CMUnitTest tests[] = {OVER("memory"), OVER("eml"), OVER("maildir")};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
