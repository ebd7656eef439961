/* SPDX-License-Identifier: MIT */
/* test_provider - postern_serve_fd(), over real sockets. */
#include "app.h"

#include <stdio.h>
#include <sys/socket.h>

struct serving {
    struct postern_service *service;
    int fd, result;
};

static void *serve(void *arg)
{
    struct serving *serving = arg;

    serving->result = postern_serve_fd(serving->service, serving->fd);
    close(serving->fd);
    return NULL;
}

/* talk - what the service says to all of `said`, over a real socket and a thread of its own. */
static const char *talk(struct app *app, const char *said)
{
    static char heard[8192];
    struct serving serving = {.service = app->service};
    size_t n = 0;
    ssize_t got;
    int pair[2];
    pthread_t thread;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    serving.fd = pair[0];
    assert_int_equal(pthread_create(&thread, NULL, serve, &serving), 0);
    assert_int_equal(write(pair[1], said, strlen(said)), strlen(said));
    shutdown(pair[1], SHUT_WR);
    while (n < sizeof heard - 1 && (got = read(pair[1], heard + n, sizeof heard - 1 - n)) > 0)
        n += (size_t)got;
    heard[n] = '\0';
    pthread_join(thread, NULL);
    close(pair[1]);
    assert_int_equal(serving.result, 0);
    assert_int_equal(app->disconnected, 1);
    app->disconnected = 0;
    return heard;
}

#define LOGIN "USER ann\r\nPASS secret\r\n"

static void mailbox_is_read(enum manner manner)
{
    struct app app;
    const char *heard;

    app_begin(&app, manner);
    heard = talk(&app, LOGIN "STAT\r\nRETR 1\r\nRETR 2\r\nTOP 3 0\r\nECHO hello\r\nECHO "
                             "bye\r\nDELE 1\r\nDELE 3\r\nQUIT\r\n");
    assert_non_null(strstr(heard, "\r\n+OK 3 42\r\n"));
    assert_non_null(strstr(heard, "\r\nA: 1\r\n\r\nfirst\r\n.\r\n"));
    assert_non_null(strstr(heard, "\r\nA: 2\r\n\r\n..second\r\n.\r\n"));
    assert_non_null(strstr(heard, "\r\nA: 3\r\n\r\n.\r\n"));
    assert_non_null(strstr(heard, "+OK echoed\r\n-ERR"));
    assert_string_equal(app.removed, "one three ");
    assert_int_equal(app.released, 1);
    assert_int_equal(app.seen, 11);
    app_end(&app);
}

static void test_answers_now(void **state)
{
    (void)state;
    mailbox_is_read(NOW);
}

static void test_answers_from_another_thread(void **state)
{
    (void)state;
    mailbox_is_read(ANOTHER_THREAD);
}

/* The peer leaves without QUIT: what was marked stays (R26). */
static void test_marked_stays_without_quit(void **state)
{
    struct app app;

    (void)state;
    app_begin(&app, NOW);
    talk(&app, LOGIN "DELE 1\r\n");
    assert_int_equal(app.deleted, 0);
    assert_int_equal(app.released, 1);
    app_end(&app);
}

static void test_refusals_carry_their_words(void **state)
{
    struct app app;
    const char *heard;

    (void)state;
    app_begin(&app, NOW);
    heard = talk(&app, "USER ann\r\nPASS wrong\r\nUSER blocked\r\nPASS x\r\nQUIT\r\n");
    assert_non_null(strstr(heard, "-ERR [AUTH]"));
    assert_non_null(strstr(heard, "-ERR not before noon\r\n"));
    app_end(&app);
}

static void test_sizes_are_asked(void **state)
{
    for (int manner = NOW; manner <= ANOTHER_THREAD; manner += 2) {
        struct app app;
        const char *heard;

        (void)state;
        app_begin(&app, (enum manner)manner);
        app.sizes_unknown = true;
        app.contents[1] = NULL; /* gone since it was listed */
        heard = talk(&app, LOGIN "LIST\r\nRETR 2\r\nRETR UID:four\r\nQUIT\r\n");
        assert_non_null(strstr(heard, "\r\n1 15\r\n2 0\r\n3 13\r\n.\r\n-ERR"));
        app_end(&app);
    }
}

static void test_bodies_by_read(void **state)
{
    struct app app;
    const char *heard;

    (void)state;
    app_begin(&app, ANOTHER_THREAD);
    app.by_read = true;
    heard = talk(&app, LOGIN "RETR 2\r\nQUIT\r\n");
    assert_non_null(strstr(heard, "\r\nA: 2\r\n\r\n..second\r\n.\r\n+OK"));
    app.fail_read = true;
    heard = talk(&app, LOGIN "RETR 2\r\nQUIT\r\n");
    assert_null(strstr(heard, "A: 2"));
    app_end(&app);
}

static void test_bodies_by_descriptor(void **state)
{
    char path[] = "/tmp/postern-provider-XXXXXX";
    struct app app;
    const char *heard;
    int fd = mkstemp(path);

    (void)state;
    app_begin(&app, NOW);
    assert_int_equal(write(fd, "xxA: 1\r\n\r\nfirst\r\nand the next one", 33), 33);
    close(fd);
    app.temp_path = path;
    heard = talk(&app, LOGIN "RETR 1\r\nQUIT\r\n");
    assert_non_null(strstr(heard, "\r\nA: 1\r\n\r\nfirst\r\n.\r\n+OK"));
    unlink(path);
    app_end(&app);
}

static void test_sleep_and_wake(void **state)
{
    struct app app;

    (void)state;
    app_begin(&app, NOW);
    assert_non_null(strstr(talk(&app, LOGIN "SLEE\r\nWAKE\r\nQUIT\r\n"), "[ACTIVITY/NONE]"));
    assert_int_equal(app.released, 2);
    app_end(&app);
}

static void test_what_is_not_there_is_not_offered(void **state)
{
    struct app app;
    const char *heard;

    (void)state;
    app_begin(&app, NOW);
    heard = talk(&app, "CAPA\r\n" LOGIN "CAPA\r\nQUIT\r\n");
    assert_non_null(strstr(heard, "\r\nDELI\r\n"));
    assert_non_null(strstr(heard, "SLEE-WAKE"));
    assert_non_null(strstr(heard, "SASL PLAIN LOGIN\r\n"));
    postern_service_free(&app.service);
    app.provider.delete_set = NULL;
    app.provider.refresh = NULL;
    assert_int_equal(postern_service_new(&app.service, &app.provider, NULL), 0);
    heard = talk(&app, "CAPA\r\nQUIT\r\n");
    assert_null(strstr(heard, "\r\nDELI\r\n"));
    assert_null(strstr(heard, "SLEE-WAKE"));
    app_end(&app);
}

static void test_misuse_is_refused(void **state)
{
    struct app app;
    struct postern_pop3_options options;
    struct postern_service *service = NULL;
    int pair[2];

    (void)state;
    app_begin(&app, NOW);
    app.provider.retrieve = NULL;
    assert_int_equal(postern_service_new(&service, &app.provider, NULL), POSTERN_E_USAGE);
    app.provider.retrieve = retrieve;
    app.provider.struct_bytes = 1;
    assert_int_equal(postern_service_new(&service, &app.provider, NULL), POSTERN_E_USAGE);
    app.provider.struct_bytes = sizeof app.provider;
    app.provider.authenticate = NULL;
    assert_int_equal(postern_service_new(&service, &app.provider, NULL), POSTERN_E_USAGE);
    app.provider.authenticate = authenticate;
    POSTERN_POP3_OPTIONS_INIT(&options);
    options.tls_available = true;
    assert_int_equal(postern_service_new(&service, &app.provider, &options), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(postern_serve_fd(service, pair[0]), POSTERN_E_USAGE);
    assert_int_equal(postern_serve_fd(app.service, -1), POSTERN_E_USAGE);
    close(pair[0]);
    close(pair[1]);
    postern_service_free(&service);
    app_end(&app);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_now),
        cmocka_unit_test(test_answers_from_another_thread),
        cmocka_unit_test(test_marked_stays_without_quit),
        cmocka_unit_test(test_refusals_carry_their_words),
        cmocka_unit_test(test_sizes_are_asked),
        cmocka_unit_test(test_bodies_by_read),
        cmocka_unit_test(test_bodies_by_descriptor),
        cmocka_unit_test(test_sleep_and_wake),
        cmocka_unit_test(test_what_is_not_there_is_not_offered),
        cmocka_unit_test(test_misuse_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
