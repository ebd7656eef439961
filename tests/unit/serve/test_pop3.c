/* SPDX-License-Identifier: MIT */
/* test_pop3 - a POP3 session over the memory store and the "anybody" accounts. The test is the
 * daemon: work is run at once, or kept until the test runs it, also after the session is gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/span.h"
#include "serve/serve.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEPT_MAX 8

struct errand {
    void (*work)(void *arg);
    void (*done)(void *arg);
    void *arg;
};

/* struct world - a site, and what the sessions did to it. */
struct world {
    struct postern_store store;
    struct accounts *accounts;
    struct delays *delays;
    struct postern_pop3_options pop3;
    struct serve_work work;
    struct serve_site site;
    void *session;
    postern_time now;
    bool keep; /* jobs wait for kept_run() */
    bool full; /* the pool takes no more */
    struct errand kept[KEPT_MAX];
    size_t kept_n;
    struct errand later;
    postern_time later_wait;
    char owned[64], log[4096];
    int in, out, struck, in_answer;
    char said[65536];
};

static struct world *world;

static int fake_run(void *conn, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
    struct world *w = conn;

    if (w->full)
        return POSTERN_E_AGAIN;
    if (w->keep) {
        w->kept[w->kept_n++] = (struct errand){work, done, arg};
        return 0;
    }
    work(arg);
    done(arg);
    return 0;
}

static int fake_later(void *conn, postern_time wait, void (*done)(void *arg), void *arg)
{
    struct world *w = conn;

    w->later = (struct errand){NULL, done, arg};
    w->later_wait = wait;
    return 0;
}

static int fake_own(void *conn, struct postern_span user, void (*done)(void *arg), void *arg)
{
    struct world *w = conn;

    snprintf(w->owned, sizeof w->owned, "%.*s", SPAN_ARG(user));
    done(arg);
    return 0;
}

static void fake_log(void *conn, const char *event, const char *const *pairs)
{
    struct world *w = conn;
    size_t n = strlen(w->log);

    n += (size_t)snprintf(w->log + n, sizeof w->log - n, "%s", event);
    for (; pairs[0] && n < sizeof w->log; pairs += 2)
        n += (size_t)snprintf(w->log + n, sizeof w->log - n, " %s=%s", pairs[0],
                              pairs[1] ? pairs[1] : "");
    snprintf(w->log + n, sizeof w->log - n, "\n");
}

static int fake_user_in(void *ctx, struct postern_span user)
{
    struct world *w = ctx;

    (void)user;
    if (w->in_answer < 0)
        return w->in_answer;
    w->in++;
    return 0;
}

static void fake_user_out(void *ctx, struct postern_span user)
{
    (void)user;
    ((struct world *)ctx)->out++;
}

static void fake_struck(void *ctx, void *conn)
{
    (void)conn;
    ((struct world *)ctx)->struck++;
}

static void deliver(const char *user, const char *text)
{
    const struct postern_store_ops *ops = world->store.ops;
    struct postern_mailbox *mailbox;
    struct postern_delivery *delivery;

    assert_int_equal(
        postern_store_inbox(&world->store, postern_span_of(user), POSTERN_STORE_CREATE, &mailbox),
        0);
    assert_int_equal(ops->begin(mailbox, NULL, &delivery), 0);
    assert_true(ops->write(delivery, postern_span_of(text)) >= 0);
    assert_int_equal(ops->commit(&delivery, 1, NULL), 0);
    ops->close(&mailbox);
}

static int setup(void **state)
{
    (void)state;
    world = calloc(1, sizeof *world);
    assert_int_equal(postern_store_memory_new(&world->store), 0);
    assert_int_equal(accounts_dev_new(&world->accounts, "secret"), 0);
    POSTERN_POP3_OPTIONS_INIT(&world->pop3);
    world->work = (struct serve_work){.run = fake_run, .later = fake_later, .own = fake_own, .log = fake_log};
    world->site = (struct serve_site){.store = &world->store,
                                      .accounts = world->accounts,
                                      .pop3 = &world->pop3,
                                      .work = &world->work,
                                      .create_mailboxes = true,
                                      .user_in = fake_user_in,
                                      .user_out = fake_user_out,
                                      .struck = fake_struck,
                                      .ctx = world};
    deliver("ada", "Subject: one\r\n\r\nfirst\r\n");
    deliver("ada", "Subject: two\n\n.second\n");
    return 0;
}

static void hang_up(void **session)
{
    if (*session)
        serve_pop3.free(*session);
    *session = NULL;
}

static int teardown(void **state)
{
    (void)state;
    hang_up(&world->session);
    postern_store_free(&world->store);
    accounts_free(&world->accounts);
    delays_free(&world->delays);
    free(world);
    return 0;
}

/* ---- the turn of the crank ------------------------------------------------------------------- */

static void append_file(const struct postern_piece *piece, char *out, size_t *n)
{
    (void)piece, (void)out, (void)n;
    fail_msg("the memory store has no files");
}

static const char *crank(void)
{
    struct postern_piece pieces[4];
    size_t count, n = 0;

    for (;;) {
        uint64_t sent = 0;

        serve_pop3.pump(world->session, world->now);
        count = serve_pop3.output(world->session, pieces, 4);
        if (!count)
            break;
        for (size_t i = 0; i < count; i++) {
            if (!pieces[i].bytes.p)
                append_file(&pieces[i], world->said, &n);
            memcpy(world->said + n, pieces[i].bytes.p, pieces[i].bytes.n);
            n += pieces[i].bytes.n;
            sent += pieces[i].bytes.n;
        }
        serve_pop3.sent(world->session, sent, world->now);
    }
    world->said[n] = '\0';
    return world->said;
}

static const char *say(const char *text)
{
    struct postern_span in = postern_span_of(text);
    int n = serve_pop3.feed(world->session, in, world->now);

    assert_int_equal(n, in.n);
    return crank();
}

static void kept_run(void)
{
    struct errand errand = world->kept[0];

    assert_int_equal(world->kept_n, 1);
    world->kept_n = 0;
    errand.work(errand.arg);
    errand.done(errand.arg);
}

static void begin(void)
{
    hang_up(&world->session);
    assert_int_equal(serve_pop3.make(&world->session, &world->site, world, SPAN("192.0.2.1:4711"),
                                     NULL, true, world->now),
                     0);
    crank();
    assert_memory_equal(world->said, "+OK", 3);
}

static void login(void)
{
    begin();
    say("USER ada\r\n");
    say("PASS secret\r\n");
    assert_memory_equal(world->said, "+OK", 3);
}

#define assert_ok(answer) assert_memory_equal((answer), "+OK", 3)
#define assert_err(answer) assert_memory_equal((answer), "-ERR", 4)
#define assert_has(text, part) assert_non_null(strstr((text), (part)))

/* whether another session could take the mailbox now */
static bool is_free(const char *user)
{
    const struct postern_store_ops *ops = world->store.ops;
    struct postern_mailbox *mailbox;
    int r;

    assert_int_equal(postern_store_inbox(&world->store, postern_span_of(user), 0, &mailbox), 0);
    r = ops->lock(mailbox);
    if (r >= 0)
        ops->unlock(mailbox);
    ops->close(&mailbox);
    return r >= 0;
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void test_session_from_login_to_quit(void **state)
{
    (void)state;
    login();
    assert_string_equal(world->owned, "ada");
    assert_has(say("STAT\r\n"), "+OK 2 ");
    assert_has(say("RETR 1\r\n"), "\r\nSubject: one\r\n\r\nfirst\r\n.\r\n");
    assert_has(say("RETR 2\r\n"), "Subject: two\r\n\r\n..second\r\n.\r\n");
    assert_has(say("TOP 2 0\r\n"), "Subject: two\r\n\r\n.\r\n");
    assert_ok(say("DELE 1\r\n"));
    assert_false(is_free("ada"));
    assert_ok(say("QUIT\r\n"));
    assert_true(is_free("ada"));
    login();
    assert_has(say("STAT\r\n"), "+OK 1 ");
    hang_up(&world->session);
    assert_int_equal(world->in, 2);
    assert_int_equal(world->out, 2);
    assert_int_equal(world->struck, 0);
}

static void test_wrong_password_is_logged_and_struck(void **state) /* without the password */
{
    (void)state;
    begin();
    say("USER ada\r\n");
    assert_has(say("PASS wrongword\r\n"), "-ERR [AUTH]");
    hang_up(&world->session);
    assert_int_equal(world->struck, 1);
    assert_int_equal(world->in, 0);
    assert_has(world->log, "login-failed user=ada method=PASS");
    assert_null(strstr(world->log, "wrongword"));
}

static void test_failures_are_held_back(void **state)
{
    (void)state;
    assert_int_equal(delays_new(&world->delays, 16), 0);
    world->site.delays = world->delays;
    delays_failed(world->delays, SPAN("192.0.2.1"), 0);
    delays_failed(world->delays, SPAN("192.0.2.1"), 0);
    begin();
    say("USER ada\r\n");
    assert_string_equal(say("PASS wrong\r\n"), "");
    assert_true(world->later_wait > 0);
    world->later.done(world->later.arg);
    assert_has(crank(), "-ERR [AUTH]");
}

static void test_freed_while_an_answer_is_held(void **state)
{
    test_failures_are_held_back(state);
    say("USER ada\r\n");
    assert_string_equal(say("PASS wrong\r\n"), "");
    hang_up(&world->session);
}

static void test_second_session_finds_it_in_use(void **state)
{
    void *first;

    (void)state;
    login();
    first = world->session;
    world->session = NULL;
    begin();
    say("USER ada\r\n");
    assert_has(say("PASS secret\r\n"), "-ERR [IN-USE]");
    assert_int_equal(world->out, 1);
    hang_up(&first);
    say("USER ada\r\n");
    assert_ok(say("PASS secret\r\n"));
}

static void test_limits_per_user(void **state)
{
    (void)state;
    world->in_answer = POSTERN_E_AGAIN;
    begin();
    say("USER ada\r\n");
    assert_has(say("PASS secret\r\n"), "-ERR [LOGIN-DELAY]"); /* R46 */
    world->in_answer = POSTERN_E_FULL;
    say("USER ada\r\n");
    assert_has(say("PASS secret\r\n"), "-ERR [SYS/TEMP]");
    assert_true(is_free("ada"));
    assert_int_equal(world->out, 0);
}

static void test_full_pool_refuses_for_now(void **state)
{
    (void)state;
    login();
    say("DELE 1\r\n");
    world->full = true;
    assert_err(say("SLEE\r\n"));
    world->full = false;
    assert_ok(say("SLEE\r\n"));
}

static void test_sleep_and_wake(void **state) /* X10 X12 */
{
    (void)state;
    login();
    say("DELE 1\r\n");
    assert_ok(say("SLEE\r\n"));
    assert_true(is_free("ada"));
    assert_has(say("WAKE\r\n"), "+OK [ACTIVITY/NONE]");
    assert_has(say("STAT\r\n"), "+OK 1 ");
    assert_ok(say("SLEE\r\n"));
    deliver("ada", "Subject: three\r\n\r\n");
    assert_has(say("WAKE\r\n"), "+OK [ACTIVITY/NEW]");
    assert_has(say("STAT\r\n"), "+OK 2 ");
    assert_int_equal(world->in, 1);
}

static void test_qaut_logs_out(void **state) /* X30 */
{
    (void)state;
    login();
    assert_ok(say("QAUT\r\n"));
    assert_int_equal(world->out, 1);
    assert_true(is_free("ada"));
    say("USER bob\r\n");
    assert_ok(say("PASS secret\r\n"));
    assert_string_equal(world->owned, "bob");
}

static void test_read_only(void **state)
{
    (void)state;
    world->site.read_only = true;
    login();
    assert_has(say("DELE 1\r\n"), "-ERR [READ-ONLY]");
    assert_ok(say("QUIT\r\n"));
}

static void test_new_mail_by_unique_id(void **state) /* X4 */
{
    char uid[POSTERN_UID_MAX + 1] = "", command[128];
    struct postern_snapshot *snapshot;
    struct postern_mailbox *mailbox;
    const struct postern_store_ops *ops = world->store.ops;

    (void)state;
    login();
    deliver("ada", "Subject: new\r\n\r\n");
    assert_int_equal(postern_store_inbox(&world->store, SPAN("ada"), 0, &mailbox), 0);
    assert_int_equal(ops->snapshot(mailbox, 0, &snapshot), 0);
    assert_int_equal(snapshot->list.count, 3);
    memcpy(uid, snapshot->list.uids + snapshot->list.entries[2].uid_offset,
           snapshot->list.entries[2].uid_length);
    postern_snapshot_unref(&snapshot);
    ops->close(&mailbox);
    snprintf(command, sizeof command, "LIST UID:%s\r\n", uid);
    assert_has(say(command), "+OK 0 16");
    assert_has(say("LIST UID:never-was\r\n"), "-ERR [UID/NOT-FOUND]");
}

static void test_freed_while_a_deletion_is_under_way(void **state)
{
    (void)state;
    login();
    say("DELE 1\r\n");
    world->keep = true;
    assert_string_equal(say("QUIT\r\n"), "");
    hang_up(&world->session);
    assert_false(is_free("ada")); /* the job is at work in it */
    kept_run();
    assert_true(is_free("ada"));
}

static void test_freed_while_a_password_is_checked(void **state)
{
    (void)state;
    begin();
    world->keep = true;
    say("USER ada\r\n");
    say("PASS nobody-used-this-before\r\n");
    hang_up(&world->session);
    kept_run();
    assert_true(is_free("ada"));
    assert_int_equal(world->in, 0);
}

static void test_dropped_session_deletes_nothing(void **state) /* R26 */
{
    (void)state;
    login();
    say("DELE 1\r\n");
    hang_up(&world->session);
    assert_true(is_free("ada"));
    login();
    assert_has(say("STAT\r\n"), "+OK 2 ");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_session_from_login_to_quit),
        T(test_wrong_password_is_logged_and_struck),
        T(test_failures_are_held_back),
        T(test_freed_while_an_answer_is_held),
        T(test_second_session_finds_it_in_use),
        T(test_limits_per_user),
        T(test_full_pool_refuses_for_now),
        T(test_sleep_and_wake),
        T(test_qaut_logs_out),
        T(test_read_only),
        T(test_new_mail_by_unique_id),
        T(test_freed_while_a_deletion_is_under_way),
        T(test_freed_while_a_password_is_checked),
        T(test_dropped_session_deletes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
