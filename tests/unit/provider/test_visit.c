/* SPDX-License-Identifier: MIT */
/* test_visit - visits in a host of its own: answers on the same thread, and who is banned. */
#include "app.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static void count_wake(void *arg)
{
    ((struct app *)arg)->wakes++;
}

static const char *written(struct app *app)
{
    static char text[4096];
    struct postern_pop3 *engine = postern_visit_engine(app->visit);
    struct postern_piece pieces[8];
    size_t count, n = 0;

    while ((count = postern_pop3_output(engine, pieces, 8)) > 0) {
        uint64_t sent = 0;

        for (size_t i = 0; i < count; i++) {
            uint64_t at = 0;

            if (pieces[i].bytes.p)
                memcpy(text + n, pieces[i].bytes.p, pieces[i].bytes.n);
            else
                assert_int_equal(
                    pread(postern_visit_file(app->visit, pieces[i].content, pieces[i].offset, &at),
                          text + n, pieces[i].bytes.n, (off_t)at),
                    -1);
            n += pieces[i].bytes.n;
            sent += pieces[i].bytes.n;
        }
        postern_pop3_sent(engine, sent, 0);
        postern_visit_pump(app->visit, 0);
    }
    text[n] = '\0';
    return text;
}

static void say(struct app *app, const char *line)
{
    struct postern_pop3 *engine = postern_visit_engine(app->visit);

    assert_int_equal(postern_pop3_feed(engine, S(line), 0), strlen(line));
    postern_visit_pump(app->visit, 0);
}

static void answer_kept(struct app *app)
{
    assert_true(app->kept);
    app->kept = false;
    assert_int_equal(postern_answer(app->token, app->result), 0);
    assert_int_equal(postern_answer(app->token, app->result), POSTERN_E_STALE);
    postern_visit_pump(app->visit, 0);
}

static void visit_begin(struct app *app, const char *peer)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct postern_visit_options options = {.wake = count_wake, .wake_arg = app};

    inet_pton(AF_INET, peer, &address.sin_addr);
    options.peer = (struct sockaddr *)&address;
    assert_int_equal(postern_visit_new(&app->visit, app->service, &options, 0), 0);
    postern_visit_pump(app->visit, 0);
}

static void test_later_on_the_same_thread(void **state)
{
    struct app app;

    (void)state;
    app_begin(&app, LATER);
    visit_begin(&app, "192.0.2.1");
    say(&app, "USER ann\r\n");
    say(&app, "PASS secret\r\n");
    written(&app);
    assert_string_equal(written(&app), "");
    answer_kept(&app); /* authenticate */
    assert_string_equal(written(&app), "");
    answer_kept(&app); /* list */
    assert_int_equal(app.wakes, 2);
    assert_non_null(strstr(written(&app), "+OK"));
    say(&app, "RETR 1\r\n");
    assert_true(app.kept);
    app.kept = false;
    app.opened = 0; /* the body was never taken over: done() is not called for it */
    postern_visit_free(&app.visit);
    assert_null(app.visit);
    assert_int_equal(app.released, 1);
    assert_int_equal(app.disconnected, 1);
    app_end(&app);
}

static void fail_to_log_in(struct app *app, const char *peer)
{
    visit_begin(app, peer);
    say(app, "USER ann\r\n");
    say(app, "PASS wrong\r\n");
    postern_visit_free(&app->visit);
}

/* default three strikes, per address, loopback exempt */
static void test_bans(void **state)
{
    struct app app;

    (void)state;
    app_begin(&app, NOW);
    for (int i = 0; i < 3; i++) {
        visit_begin(&app, "192.0.2.1");
        assert_memory_equal(written(&app), "+OK", 3);
        postern_visit_free(&app.visit);
        fail_to_log_in(&app, "192.0.2.1");
        fail_to_log_in(&app, "127.0.0.1");
    }
    visit_begin(&app, "192.0.2.1");
    assert_memory_equal(written(&app), "-ERR", 4);
    assert_true(postern_pop3_wants(postern_visit_engine(app.visit)) & POSTERN_WANT_CLOSE);
    postern_visit_free(&app.visit);
    visit_begin(&app, "192.0.2.2");
    assert_memory_equal(written(&app), "+OK", 3);
    postern_visit_free(&app.visit);
    visit_begin(&app, "127.0.0.1");
    assert_memory_equal(written(&app), "+OK", 3);
    postern_visit_free(&app.visit);
    app_end(&app);
}

static bool banned(void *ctx, const struct sockaddr *peer)
{
    assert_int_equal(peer->sa_family, AF_INET);
    return ((struct app *)ctx)->strikes >= 1;
}

static void strike(void *ctx, const struct sockaddr *peer)
{
    (void)peer;
    ((struct app *)ctx)->strikes++;
}

static void test_bans_of_the_application(void **state)
{
    struct app app;

    (void)state;
    app_begin(&app, NOW);
    postern_service_free(&app.service);
    app.provider.banned = banned;
    app.provider.strike = strike;
    assert_int_equal(postern_service_new(&app.service, &app.provider, NULL), 0);
    visit_begin(&app, "192.0.2.1");
    assert_memory_equal(written(&app), "+OK", 3);
    postern_visit_free(&app.visit);
    assert_int_equal(app.strikes, 0);
    app.strikes = 1;
    visit_begin(&app, "192.0.2.1");
    assert_memory_equal(written(&app), "-ERR", 4);
    postern_visit_free(&app.visit);
    app_end(&app);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_later_on_the_same_thread),
        cmocka_unit_test(test_bans),
        cmocka_unit_test(test_bans_of_the_application),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
