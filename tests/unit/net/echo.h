/* SPDX-License-Identifier: MIT */
/* echo - real sockets into real loops: a session that greets, echoes lines and knows some words.
 * Waits have an end, none is measured. */
#ifndef ECHO_H
#define ECHO_H

#include "cmocka_all.h"

#include "base/buffer.h"
#include "base/span.h"
#include "net/net.h"
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define GREETING "hello\r\n"

/* struct echo - what is sent comes back; "tls" begins TLS, "move" changes the loop, "bye" ends,
 * "stay" makes it deaf to a drain. */
struct echo {
    struct net_conn *conn;
    struct buffer out;
    bool closing, want_tls, stays;
};

static atomic_int sessions, moved_to;
static struct net_loops *loops;
static struct net_listener *listener;
static struct net_limits limits;
static struct net_tls *tls;
static pthread_mutex_t event_lock = PTHREAD_MUTEX_INITIALIZER;
static char event_last[64];
static bool behind_proxy;

static void moved(void *session)
{
    struct echo *echo = session;
    char text[32];

    atomic_store(&moved_to, (int)net_loop_index(net_conn_loop(echo->conn)));
    snprintf(text, sizeof text, "moved\r\n");
    buffer_append_text(&echo->out, text);
}

static int echo_feed(void *session, struct postern_span in, postern_time now)
{
    struct echo *echo = session;

    (void)now;
    if (echo->closing)
        return POSTERN_E_CLOSED;
    if (span_begins(in, SPAN("tls"))) {
        echo->want_tls = true;
        buffer_append_text(&echo->out,
                           "go\r\n"); /* what comes before it is heard belongs to nobody */
        return (int)in.n;
    }
    if (span_begins(in, SPAN("move"))) {
        unsigned to = (net_loop_index(net_conn_loop(echo->conn)) + 1) % net_loops_count(loops);

        return net_conn_move(echo->conn, net_loops_at(loops, to), moved) < 0 ? POSTERN_E_NOMEM
                                                                             : (int)in.n;
    }
    echo->closing = span_begins(in, SPAN("bye"));
    echo->stays = echo->stays || span_begins(in, SPAN("stay"));
    buffer_append(&echo->out, in);
    return (int)in.n;
}

static void echo_eof(void *session)
{
    ((struct echo *)session)->closing = true;
}

static void echo_pump(void *session, postern_time now)
{
    (void)session, (void)now;
}

static size_t echo_output(void *session, struct postern_piece *pieces_r, size_t max)
{
    struct echo *echo = session;

    if (!buffer_length(&echo->out) || !max)
        return 0;
    pieces_r[0] = (struct postern_piece){.bytes = buffer_span(&echo->out)};
    return 1;
}

static int echo_file(void *session, uint64_t content, uint64_t offset, uint64_t *file_offset_r)
{
    (void)session, (void)content, (void)offset, (void)file_offset_r;
    return -1;
}

static void echo_sent(void *session, uint64_t n, postern_time now)
{
    (void)now;
    buffer_take(&((struct echo *)session)->out, n);
}

static unsigned echo_wants(const void *session)
{
    const struct echo *echo = session;

    return (buffer_length(&echo->out) ? POSTERN_WANT_WRITE : 0u) |
           (echo->closing ? POSTERN_WANT_CLOSE : 0u) | (echo->want_tls ? POSTERN_WANT_TLS : 0u) |
           (echo->closing || echo->want_tls ? 0u : POSTERN_WANT_READ);
}

static postern_time echo_deadline(const void *session)
{
    (void)session;
    return POSTERN_NEVER;
}

static int echo_tls_up(void *session, const struct postern_tls_facts *facts)
{
    struct echo *echo = session;

    echo->want_tls = false;
    buffer_append_text(&echo->out, facts->binding_exporter.n == 32 ? "up\r\n" : "no binding\r\n");
    return 0;
}

static void echo_shutdown(void *session)
{
    struct echo *echo = session;

    if (echo->stays)
        return;
    buffer_append_text(&echo->out, "drained\r\n");
    echo->closing = true;
}

static void echo_free(void *session)
{
    buffer_done(&((struct echo *)session)->out);
    free(session);
    atomic_fetch_sub(&sessions, 1);
}

static const struct net_session_ops echo_ops = {.feed = echo_feed,
                                                .eof = echo_eof,
                                                .pump = echo_pump,
                                                .output = echo_output,
                                                .file_of = echo_file,
                                                .sent = echo_sent,
                                                .wants = echo_wants,
                                                .deadline = echo_deadline,
                                                .tick = echo_pump,
                                                .tls_up = echo_tls_up,
                                                .shutdown = echo_shutdown,
                                                .free = echo_free};

static int accept_echo(void *ctx, struct net_conn *conn, const struct net_peer *peer,
                       const struct postern_tls_facts *facts, struct net_session *session_r)
{
    struct echo *echo = calloc(1, sizeof *echo);

    (void)ctx, (void)facts;
    if (!echo || strncmp(peer->text, "127.0.0.1:", 10) != 0) {
        free(echo);
        return POSTERN_E_NOMEM;
    }
    echo->conn = conn;
    buffer_append_text(&echo->out, GREETING);
    atomic_fetch_add(&sessions, 1);
    *session_r = (struct net_session){&echo_ops, echo};
    return 0;
}

static void on_event(void *ctx, const struct net_peer *peer, const char *what, const char *detail)
{
    (void)ctx, (void)peer, (void)detail;
    pthread_mutex_lock(&event_lock);
    snprintf(event_last, sizeof event_last, "%s", what);
    pthread_mutex_unlock(&event_lock);
}

static inline void begin(bool tls_implicit)
{
    static const char *const trusted[] = {"127.0.0.1", NULL};
    struct net_listener_options options = {.address = "127.0.0.1",
                                           .tls_implicit = tls_implicit,
                                           .tls = tls,
                                           .alpn = "pop3",
                                           .limits = &limits,
                                           .accept = accept_echo,
                                           .event = on_event};

    options.proxy = behind_proxy;
    options.proxy_trusted = trusted;
    limits.handshake_timeout =
        limits.handshake_timeout ? limits.handshake_timeout : 10 * POSTERN_SECOND;
    limits.proxy_timeout = limits.proxy_timeout ? limits.proxy_timeout : 5 * POSTERN_SECOND;
    assert_int_equal(net_loops_new(&loops, 2), 0);
    assert_int_equal(net_listen(loops, &options, &listener), 0);
    assert_int_equal(net_loops_start(loops), 0);
}

static inline int end(void **state)
{
    (void)state;
    net_loops_drain(loops, POSTERN_SECOND);
    net_loops_join(&loops);
    limits = (struct net_limits){0};
    behind_proxy = false;
    return atomic_load(&sessions); /* every session was freed */
}

/* expect_event - the last event is this one, sooner or later. */
static inline void expect_event(const char *what)
{
    bool seen = false;

    for (int i = 0; i < 2000 && !seen; i++) {
        pthread_mutex_lock(&event_lock);
        seen = strcmp(event_last, what) == 0;
        pthread_mutex_unlock(&event_lock);
        if (!seen)
            usleep(10000);
    }
    assert_true(seen);
}

static inline int dial(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)net_listener_port(listener))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

/* hear - exactly this comes; "" is the end of the connection. */
static inline void hear(int fd, const char *expected)
{
    char got[64] = "";
    size_t n = 0;

    do {
        struct pollfd polled = {.fd = fd, .events = POLLIN};
        ssize_t r;

        assert_int_equal(poll(&polled, 1, 20000), 1);
        r = recv(fd, got + n, (*expected ? strlen(expected) : sizeof got) - n, 0);
        if (r <= 0)
            break;
        n += (size_t)r;
    } while (n < strlen(expected));
    assert_int_equal(n, strlen(expected));
    assert_memory_equal(got, expected, n);
}

static inline void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

#define CASE(test) cmocka_unit_test_teardown(test, end)

#endif
