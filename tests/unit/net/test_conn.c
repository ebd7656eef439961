/* SPDX-License-Identifier: MIT */
/* test_conn - real sockets into real loops: a session that greets, echoes lines and knows some
 * words, plain and TLS, moved between loops, limited, drained, and cut off. Waits have an end, none
 * is measured. */
#include "cmocka_all.h"

#include "base/buffer.h"
#include "base/span.h"
#include "net/net.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
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

static void begin(bool tls_implicit)
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

static int end(void **state)
{
    (void)state;
    net_loops_drain(loops, POSTERN_SECOND);
    net_loops_join(&loops);
    limits = (struct net_limits){0};
    behind_proxy = false;
    return atomic_load(&sessions); /* every session was freed */
}

/* expect_event - the last event is this one, sooner or later. */
static void expect_event(const char *what)
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

static int dial(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)net_listener_port(listener))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

/* hear - exactly this comes; "" is the end of the connection. */
static void hear(int fd, const char *expected)
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

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void test_plain(void **state)
{
    int fd;

    (void)state;
    begin(false);
    fd = dial();
    hear(fd, GREETING);
    say(fd, "one\r\n");
    hear(fd, "one\r\n");
    say(fd, "bye and what follows is nobody's\r\n");
    hear(fd, "bye and what follows is nobody's\r\n");
    hear(fd, "");
    close(fd);
}

/* The last reply arrives although the client went on talking. */
static void test_reply_before_the_end(void **state)
{
    char flood[65536];

    (void)state;
    begin(false);
    memset(flood, 'x', sizeof flood);
    for (int i = 0; i < 20; i++) {
        int fd = dial();

        hear(fd, GREETING);
        say(fd, "bye\r\n");
        (void)!send(fd, flood, sizeof flood, MSG_NOSIGNAL);
        hear(fd, "bye\r\n");
        close(fd);
    }
}

static void test_half_closed_client(void **state)
{
    int fd;

    (void)state;
    begin(false);
    fd = dial();
    say(fd, "early\r\n");
    shutdown(fd, SHUT_WR);
    hear(fd, GREETING "early\r\n");
    hear(fd, "");
    close(fd);
}

static void test_moves(void **state)
{
    int fd;

    (void)state;
    begin(false);
    fd = dial();
    hear(fd, GREETING);
    for (int i = 0; i < 20; i++) {
        int before = atomic_load(&moved_to);

        say(fd, "move\r\n");
        hear(fd, "moved\r\n");
        assert_true(i == 0 || atomic_load(&moved_to) != before);
        say(fd, "x\r\n");
        hear(fd, "x\r\n");
    }
    close(fd);
}

static void test_limit_per_address(void **state)
{
    int fds[3];

    (void)state;
    limits.per_address_max = 2;
    begin(false);
    for (int i = 0; i < 2; i++) {
        fds[i] = dial();
        hear(fds[i], GREETING);
    }
    fds[2] = dial();
    hear(fds[2], "");
    expect_event("limit");
    close(fds[2]);
    say(fds[0], "bye\r\n");
    hear(fds[0], "bye\r\n");
    hear(fds[0], "");
    close(fds[0]);
    for (int i = 0; i < 2000 && net_connections(loops) > 1; i++)
        usleep(10000);
    fds[0] = dial(); /* a place is free again */
    hear(fds[0], GREETING);
    close(fds[0]);
    close(fds[1]);
}

static void test_drain(void **state)
{
    int fd;

    (void)state;
    begin(false);
    fd = dial();
    hear(fd, GREETING);
    net_loops_drain(loops, 20 * POSTERN_SECOND);
    hear(fd, "drained\r\n");
    hear(fd, "");
    close(fd);
}

/* Sessions on both loops that do not end by themselves are cut off when the grace is over. */
static void test_drain_cuts_off(void **state)
{
    int fds[8];

    (void)state;
    begin(false);
    for (int i = 0; i < 8; i++) {
        fds[i] = dial();
        hear(fds[i], GREETING);
        if (i % 2) {
            say(fds[i], "move\r\n");
            hear(fds[i], "moved\r\n");
        }
        say(fds[i], "stay\r\n");
        hear(fds[i], "stay\r\n");
    }
    net_loops_drain(loops, POSTERN_SECOND / 10);
    for (int i = 0; i < 8; i++) {
        hear(fds[i], "");
        close(fds[i]);
    }
}

/* Out of descriptors: who comes is turned away, the loops go on, and once some are free all is as
 * before. */
static void test_no_descriptors(void **state)
{
    struct rlimit usual, tight;
    int fd, more, held[256], n = 0;

    (void)state;
    begin(false);
    fd = dial();
    hear(fd, GREETING);
    getrlimit(RLIMIT_NOFILE, &usual);
    tight = usual;
    tight.rlim_cur = 200;
    setrlimit(RLIMIT_NOFILE, &tight);
    while (n < 255 && (held[n] = dup(0)) >= 0)
        n++;
    close(held[--n]); /* one for our own socket, none for the server's */
    more = dial();
    hear(more, "");
    say(fd, "still here\r\n");
    hear(fd, "still here\r\n");
    while (n > 0)
        close(held[--n]);
    setrlimit(RLIMIT_NOFILE, &usual);
    close(more);
    more = dial();
    hear(more, GREETING);
    close(more);
    close(fd);
}

/* ---- TLS ------------------------------------------------------------------------------------- */

static SSL *handshake(int fd, const char *alpn)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(context);
    unsigned char wire[16] = {(unsigned char)strlen(alpn)};

    SSL_CTX_free(context);
    memcpy(wire + 1, alpn, strlen(alpn));
    if (*alpn)
        SSL_set_alpn_protos(ssl, wire, 1 + (unsigned)strlen(alpn));
    SSL_set_fd(ssl, fd);
    if (SSL_connect(ssl) == 1)
        return ssl;
    SSL_free(ssl);
    return NULL;
}

static void hear_tls(SSL *ssl, const char *expected)
{
    char got[64];
    size_t n = 0;
    int r;

    while (n < strlen(expected) && (r = SSL_read(ssl, got + n, (int)(strlen(expected) - n))) > 0)
        n += (size_t)r;
    assert_int_equal(n, strlen(expected));
    assert_memory_equal(got, expected, n);
}

static void test_tls_implicit(void **state)
{
    int fd;
    SSL *ssl;

    (void)state;
    begin(true);
    fd = dial();
    ssl = handshake(fd, "pop3");
    assert_non_null(ssl);
    assert_true(SSL_version(ssl) >= TLS1_2_VERSION);
    hear_tls(ssl, GREETING);
    assert_int_equal(SSL_write(ssl, "x\r\n", 3), 3);
    hear_tls(ssl, "x\r\n");
    assert_int_equal(SSL_write(ssl, "move\r\n", 6), 6);
    hear_tls(ssl, "moved\r\n");
    SSL_free(ssl);
    close(fd);
}

/* R68: a client that names another protocol is refused; one that names none is served. */
static void test_alpn(void **state)
{
    int fd;
    SSL *ssl;

    (void)state;
    begin(true);
    fd = dial();
    assert_null(handshake(fd, "imap"));
    close(fd);
    fd = dial();
    ssl = handshake(fd, "");
    assert_non_null(ssl);
    hear_tls(ssl, GREETING);
    SSL_free(ssl);
    close(fd);
}

static void test_tls_upgrade(void **state)
{
    int fd;
    SSL *ssl;

    (void)state;
    begin(false);
    fd = dial();
    hear(fd, GREETING);
    say(fd, "tls\r\n");
    hear(fd, "go\r\n");
    ssl = handshake(fd, "pop3");
    assert_non_null(ssl);
    hear_tls(ssl, "up\r\n");
    assert_int_equal(SSL_write(ssl, "bye\r\n", 5), 5);
    hear_tls(ssl, "bye\r\n");
    SSL_free(ssl);
    close(fd);
}

/* A header that dribbles in is waited for, octet by octet; what follows at once is the session's.
 */
static void test_proxy_header(void **state)
{
    static const char header[] = "PROXY TCP4 127.0.0.1 127.0.0.1 4711 110\r\nearly\r\n";
    int fd;

    (void)state;
    behind_proxy = true;
    begin(false);
    fd = dial();
    for (const char *at = header; *at; at++) {
        assert_int_equal(send(fd, at, 1, MSG_NOSIGNAL), 1);
        usleep(500);
    }
    hear(fd, GREETING "early\r\n");
    close(fd);
    fd = dial();
    say(fd, header);
    hear(fd, GREETING "early\r\n");
    close(fd);
    fd = dial();
    say(fd, "PROXY TCP4 127.0.");
    usleep(20000);
    shutdown(fd, SHUT_WR); /* it will never be whole */
    hear(fd, "");
    close(fd);
    fd = dial();
    say(fd, "USER ann\r\n");
    hear(fd, "");
    expect_event("proxy-bad");
    close(fd);
}

/* R67: rubbish instead of a handshake ends the connection, and is told. */
static void test_tls_rubbish(void **state)
{
    int fd;

    (void)state;
    begin(true);
    fd = dial();
    say(fd, "USER ann\r\nPASS secret\r\n");
    shutdown(fd, SHUT_WR);
    expect_event("tls-failed");
    close(fd);
}

/* A client that never finishes its handshake is cut off. */
static void test_tls_timeout(void **state)
{
    int fd;

    (void)state;
    limits.handshake_timeout = POSTERN_SECOND / 5;
    begin(true);
    fd = dial();
    say(fd, "\x16\x03\x01");
    hear(fd, "");
    expect_event("timeout");
    close(fd);
}

/* A2: half a PROXY header is not waited for either, however slowly it goes on. */
static void test_proxy_timeout(void **state)
{
    int fd;

    (void)state;
    limits.proxy_timeout = POSTERN_SECOND / 5;
    behind_proxy = true;
    begin(false);
    fd = dial();
    say(fd, "PROXY TCP4 ");
    hear(fd, "");
    expect_event("timeout");
    close(fd);
}

#define CASE(test) cmocka_unit_test_teardown(test, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_plain),          CASE(test_reply_before_the_end), CASE(test_half_closed_client),
        CASE(test_moves),          CASE(test_limit_per_address),    CASE(test_drain),
        CASE(test_drain_cuts_off), CASE(test_no_descriptors),       CASE(test_tls_implicit),
        CASE(test_alpn),           CASE(test_tls_upgrade),          CASE(test_tls_rubbish),
        CASE(test_proxy_header),   CASE(test_tls_timeout),
        CASE(test_proxy_timeout)};
    int failed;

    if (net_tls_new(&tls, NULL, NULL, "localhost") < 0)
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    net_tls_free(&tls);
    return failed;
}
