/* SPDX-License-Identifier: MIT */
/* test_suite - one suite over the three stores that come with the library; each runs in its own
 * new temporary folder below /tmp, which stays behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <postern/store.h>

#define MAIL "Subject: x\n\n.dot\nend\n"

static struct postern_span text(const char *s)
{
    return (struct postern_span){s, strlen(s)};
}

static int make(const char *kind, struct postern_store *store_r, char *dir)
{
    assert_non_null(mkdtemp(dir));
    if (strcmp(kind, "memory") == 0)
        return postern_store_memory_new(store_r);
    if (strcmp(kind, "eml") == 0)
        return postern_store_eml_new(store_r, dir, true);
    return postern_store_maildir_new(store_r, dir);
}

static void deliver(struct postern_store *store, struct postern_mailbox *box, char *uid_r)
{
    struct postern_delivery *delivery = NULL;
    assert_int_equal(store->ops->begin(box, &delivery), 0);
    assert_int_equal(store->ops->write(delivery, text(MAIL)), 0);
    assert_int_equal(store->ops->commit(&delivery, uid_r), 0);
}

static void read_back(struct postern_store *store, struct postern_mailbox *box, const char *uid)
{
    struct postern_content *content = NULL;
    struct postern_facts facts;
    char bytes[128];
    assert_int_equal(store->ops->message(box, text(uid), 0, &content, &facts), 0);
    assert_int_equal(facts.size_raw, strlen(MAIL));
    assert_false(facts.wire_clean);
    assert_int_equal(store->ops->read(content, 0, bytes, sizeof bytes), strlen(MAIL));
    assert_memory_equal(bytes, MAIL, strlen(MAIL));
    store->ops->content_close(&content);
}

/* R29 X5: a delivered message keeps its unique-id until it is deleted, and then is not found. */
static void test_life(void **state)
{
    struct postern_store store = {0};
    struct postern_mailbox *box = NULL;
    struct postern_content *content = NULL;
    struct postern_facts facts;
    char dir[] = "/tmp/postern-suite-XXXXXX", first[POSTERN_UID_MAX + 1], second[POSTERN_UID_MAX + 1];
    assert_int_equal(make(*state, &store, dir), 0);
    assert_int_equal(store.ops->open(&store, text("none"), 0, &box), POSTERN_E_NOT_FOUND);
    assert_int_equal(store.ops->open(&store, text("ann"), POSTERN_STORE_CREATE, &box), 0);
    assert_int_equal(store.ops->lock(box), 0);
    deliver(&store, box, first);
    deliver(&store, box, second);
    assert_string_not_equal(first, second);
    read_back(&store, box, first);
    struct postern_span gone = text(first);
    assert_int_equal(store.ops->expunge(box, &gone, 1), 0);
    assert_int_equal(store.ops->expunge(box, &gone, 1), 0);
    assert_int_equal(store.ops->message(box, gone, 0, &content, &facts), POSTERN_E_NOT_FOUND);
    read_back(&store, box, second);
    store.ops->unlock(box);
    store.ops->close(&box);
    postern_store_free(&store);
}

/* Two mailbox objects of one process exclude each other. */
static void test_lock(void **state)
{
    struct postern_store store = {0};
    struct postern_mailbox *one = NULL, *two = NULL;
    char dir[] = "/tmp/postern-suite-XXXXXX";
    assert_int_equal(make(*state, &store, dir), 0);
    assert_int_equal(store.ops->open(&store, text("ann"), POSTERN_STORE_CREATE, &one), 0);
    assert_int_equal(store.ops->open(&store, text("ann"), 0, &two), 0);
    assert_int_equal(store.ops->lock(one), 0);
    assert_int_equal(store.ops->lock(two), POSTERN_E_IN_USE);
    store.ops->unlock(one);
    assert_int_equal(store.ops->lock(two), 0);
    store.ops->unlock(two);
    store.ops->close(&one);
    store.ops->close(&two);
    postern_store_free(&store);
}

#define OVER(kind) \
    {kind " life", test_life, NULL, NULL, (void *)kind}, \
    {kind " lock", test_lock, NULL, NULL, (void *)kind}

int main(void)
{
    const struct CMUnitTest tests[] = {OVER("memory"), OVER("eml"), OVER("maildir")};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
