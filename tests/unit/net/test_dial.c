/* SPDX-License-Identifier: MIT */
/* A server that is slow, however it is: nobody is held longer than the limit of a step. */
#include "cmocka_all.h"

#include "base/span.h"
#include "net/dial.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static int listener = -1;
static char port[8], path[] = "/tmp/postern-dial-XXXXXX";
static pthread_t server;

static void *trickle(void *arg)
{
    int fd = accept(listener, NULL, NULL);

    (void)arg;
    for (unsigned i = 0; i < 400; i++) {
        if (send(fd, "2", 1, MSG_NOSIGNAL) != 1)
            break;
        usleep(50000);
    }
    close(fd);
    return NULL;
}

static void *answer(void *arg)
{
    int fd = accept(listener, NULL, NULL);
    char bytes[100];
    ssize_t n = recv(fd, bytes, sizeof bytes, 0);

    (void)arg;
    if (n > 0)
        (void)!send(fd, bytes, (size_t)n, MSG_NOSIGNAL);
    close(fd);
    return NULL;
}

static void *silence(void *arg)
{
    int fd = accept(listener, NULL, NULL);
    char bytes[100];

    (void)arg;
    while (recv(fd, bytes, sizeof bytes, 0) > 0)
        continue;
    close(fd);
    return NULL;
}

static void serve(void *(*run)(void *arg), bool unix_socket)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    socklen_t n = sizeof in;

    memcpy(un.sun_path, path, sizeof path);
    listener = socket(unix_socket ? AF_UNIX : AF_INET, SOCK_STREAM, 0);
    assert_true(listener >= 0);
    unlink(path);
    assert_int_equal(unix_socket ? bind(listener, (struct sockaddr *)&un, sizeof un)
                                 : bind(listener, (struct sockaddr *)&in, sizeof in),
                     0);
    assert_int_equal(listen(listener, 5), 0);
    if (!unix_socket) {
        assert_int_equal(getsockname(listener, (struct sockaddr *)&in, &n), 0);
        snprintf(port, sizeof port, "%u", ntohs(in.sin_port));
    }
    assert_int_equal(pthread_create(&server, NULL, run, NULL), 0);
}

static int end(void **state)
{
    (void)state;
    pthread_join(server, NULL);
    close(listener);
    unlink(path);
    return 0;
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void held(struct dial_options options, void *(*run)(void *arg), bool tls)
{
    struct dial *dial = NULL;
    double began;
    char bytes[10];
    int r = 1;

    serve(run, false);
    options.port = port;
    began = seconds();
    assert_int_equal(dial_open(&dial, &options), 0);
    if (tls) {
        assert_int_equal(dial_tls(dial), POSTERN_E_AGAIN);
    } else {
        while (r > 0)
            r = dial_read(dial, bytes, sizeof bytes);
        assert_int_equal(r, POSTERN_E_AGAIN);
    }
    assert_true(seconds() - began > 0.9 && seconds() - began < 10);
    dial_close(&dial);
}

static const struct dial_options options = {.host = "127.0.0.1", .wait_s = 1};

static void test_dial_that_trickles(void **state)
{
    (void)state;
    held(options, trickle, false);
}

static void test_dial_that_says_nothing(void **state)
{
    (void)state;
    held(options, silence, false);
}

static void test_dial_without_a_handshake(void **state)
{
    (void)state;
    held(options, silence, true);
}

static void converse(struct dial_options where)
{
    struct dial *dial = NULL;
    char bytes[10];

    assert_int_equal(dial_open(&dial, &where), 0);
    assert_int_equal(dial_write(dial, SPAN("hallo")), 0);
    assert_int_equal(dial_read(dial, bytes, sizeof bytes), 5);
    assert_memory_equal(bytes, "hallo", 5);
    assert_int_equal(dial_read(dial, bytes, sizeof bytes), 0);
    dial_close(&dial);
}

static void test_dial_over_both(void **state)
{
    serve(answer, false);
    converse((struct dial_options){.host = "127.0.0.1", .port = port, .wait_s = 5});
    end(state);
    serve(answer, true);
    converse((struct dial_options){.host = path, .wait_s = 5});
}

static void test_dial_nobody(void **state)
{
    struct dial_options nobody = {.host = "/nonexistent/socket", .wait_s = 1};
    struct dial *dial = NULL;

    (void)state;
    assert_int_equal(dial_open(&dial, &nobody), POSTERN_E_NOT_FOUND);
    assert_null(dial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_dial_that_trickles, end),
        cmocka_unit_test_teardown(test_dial_that_says_nothing, end),
        cmocka_unit_test_teardown(test_dial_without_a_handshake, end),
        cmocka_unit_test_teardown(test_dial_over_both, end),
        cmocka_unit_test(test_dial_nobody),
    };

    close(mkstemp(path));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
