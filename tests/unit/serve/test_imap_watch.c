/* SPDX-License-Identifier: MIT */
/* test_imap_watch - how a session's bell, its watch and its work on another thread go together. The
 * test is the daemon: it hears the bell, and keeps the work until it runs it. */
#include "cmocka_all.h"

#include "imap_host.h"

static struct errand {
    void (*work)(void *arg);
    void (*done)(void *arg);
    void *arg;
} kept;

static int keep(void *conn, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
    (void)conn;
    kept = (struct errand){work, done, arg};
    return 0;
}

/* struct world - a server, and one who is logged in. */
struct world {
    struct host host;
    struct host_session s;
};

static bool has_lost, store_waits;
static unsigned looked_with; /* flags of the last refresh that was done */
static int (*refresh)(struct postern_mailbox *mailbox, unsigned flags,
                      struct postern_status *status_r);

static int look(struct postern_mailbox *mailbox, unsigned flags, struct postern_status *status_r)
{
    if (store_waits && flags & POSTERN_STORE_NO_WAIT)
        return POSTERN_E_AGAIN;
    looked_with = flags;
    return refresh(mailbox, flags, status_r);
}

static bool lost(const struct postern_watch *watch)
{
    (void)watch;
    return has_lost;
}

static int world_begin(void **state)
{
    static struct postern_store_ops ops;
    struct world *world = calloc(1, sizeof *world);

    host_open(&world->host);
    ops = *world->host.store.ops;
    ops.watch_has_lost = lost;
    refresh = ops.refresh;
    ops.refresh = look;
    world->host.store.ops = &ops;
    has_lost = store_waits = false;
    host_connect(&world->host, &world->s, true);
    host_say(&world->s, SPAN("a login ann secret\r\n"), SIZE_MAX);
    assert_non_null(strstr(world->s.said, "a OK"));
    world->s.said_n = 0;
    *state = world;
    return 0;
}

static int world_end(void **state)
{
    struct world *world = *state;

    host_hang_up(&world->s);
    host_close(&world->host);
    free(world);
    return 0;
}

/* deliver - a message for ann, by nobody's session. */
static void deliver(struct world *world)
{
    struct postern_store *store = &world->host.store;
    struct postern_mailbox *inbox = NULL;

    assert_int_equal(postern_store_inbox(store, SPAN("ann"), 0, &inbox), 0);
    assert_int_equal(postern_store_deliver(store, inbox, SPAN("Subject: x\r\n\r\nx\r\n"), NULL), 0);
    store->ops->close(&inbox);
}

#define NOTIFY "n notify set (personal (MessageNew MessageExpunge))\r\n"

static void test_idle_hears(void **state)
{
    struct world *world = *state;

    host_say(&world->s, SPAN("b select inbox\r\nc idle\r\n"), SIZE_MAX);
    assert_non_null(strstr(world->s.said, "+ "));
    assert_false(world->s.rang);
    deliver(world);
    assert_true(world->s.rang);
    host_news(&world->s, SIZE_MAX);
    assert_non_null(strstr(world->s.said, "* 1 EXISTS"));
    host_say(&world->s, SPAN("done\r\n"), SIZE_MAX);
    deliver(world);
    assert_false(world->s.rang);
}

static void test_notify_hears(void **state)
{
    struct world *world = *state;

    host_say(&world->s, SPAN(NOTIFY), SIZE_MAX);
    assert_non_null(strstr(world->s.said, "n OK"));
    deliver(world);
    host_news(&world->s, SIZE_MAX);
    assert_non_null(strstr(world->s.said, "* STATUS \"INBOX\" (MESSAGES 1"));
    host_say(&world->s, SPAN("o notify none\r\n"), SIZE_MAX);
    deliver(world);
    assert_false(world->s.rang);
}

/* What is not watched any more ends NOTIFY, and the watch with it. */
static void test_lost_is_told(void **state)
{
    struct world *world = *state;

    host_say(&world->s, SPAN(NOTIFY), SIZE_MAX);
    has_lost = true;
    deliver(world);
    host_news(&world->s, SIZE_MAX);
    assert_non_null(strstr(world->s.said, "* OK [NOTIFICATIONOVERFLOW]"));
    deliver(world);
    assert_false(world->s.rang);
}

static void feed(struct world *world, struct postern_span in, int takes)
{
    assert_int_equal(serve_imap.feed(world->s.session, in, world->host.now), takes);
}

/* begin_notify - a worker has made the watch, and listed; the loop does not know yet. */
static void begin_notify(struct world *world)
{
    world->host.work.run = keep;
    kept.work = NULL;
    feed(world, SPAN(NOTIFY), sizeof NOTIFY - 1);
    serve_imap.pump(world->s.session, world->host.now);
    assert_non_null(kept.work);
    kept.work(kept.arg);
    world->host.work.run = host_run;
}

/* What came after the list, and was heard before the loop has it, is told. */
static void test_hears_while_it_is_listed(void **state)
{
    struct world *world = *state;

    begin_notify(world);
    deliver(world);
    assert_true(world->s.rang);
    world->s.rang = false;
    world->s.heard(world->s.heard_arg);
    kept.done(kept.arg);
    host_turn(&world->s, SIZE_MAX);
    assert_non_null(strstr(world->s.said, "n OK"));
    assert_non_null(strstr(world->s.said, "* STATUS \"INBOX\" (MESSAGES 1"));
}

/* A connection that ends while a worker makes the watch: it ends when the work comes home. */
static void test_ends_while_it_is_listed(void **state)
{
    struct world *world = *state;

    begin_notify(world);
    serve_imap.free(world->s.session);
    world->s.session = NULL;
    deliver(world); /* to no effect */
    world->s.rang = false;
    kept.done(kept.arg);
    deliver(world);
    assert_false(world->s.rang);
}

/* begin_look - a worker has looked at what is new; the loop does not know yet. */
static void begin_look(struct world *world)
{
    host_say(&world->s, SPAN("b select inbox\r\nc idle\r\n"), SIZE_MAX);
    deliver(world);
    store_waits = true;
    world->host.work.run = keep;
    world->s.heard(world->s.heard_arg);
    serve_imap.pump(world->s.session, world->host.now);
    kept.work(kept.arg);
}

/* go_on - with what came meanwhile, which the client may have said: it is looked at anew. */
static void go_on(struct world *world, struct postern_span in)
{
    kept.done(kept.arg);
    kept.work = NULL;
    if (in.n)
        feed(world, in, (int)in.n);
    serve_imap.pump(world->s.session, world->host.now);
    assert_non_null(kept.work);
    looked_with = POSTERN_STORE_LOOKED;
    kept.work(kept.arg);
    assert_int_equal(looked_with & POSTERN_STORE_LOOKED, 0);
    kept.done(kept.arg);
    host_turn(&world->s, SIZE_MAX);
}

static void test_hears_while_it_looks(void **state)
{
    struct world *world = *state;

    begin_look(world);
    deliver(world);
    world->s.heard(world->s.heard_arg);
    go_on(world, SPAN(""));
    assert_non_null(strstr(world->s.said, "* 2 EXISTS"));
}

static void test_is_asked_while_it_looks(void **state)
{
    struct world *world = *state;

    begin_look(world);
    feed(world, SPAN("done\r\n"), 0); /* it is busy */
    go_on(world, SPAN("done\r\n"));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, world_begin, world_end)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_idle_hears),
                                       TEST(test_notify_hears),
                                       TEST(test_lost_is_told),
                                       TEST(test_hears_while_it_is_listed),
                                       TEST(test_ends_while_it_is_listed),
                                       TEST(test_hears_while_it_looks),
                                       TEST(test_is_asked_while_it_looks)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
