/* SPDX-License-Identifier: MIT */
/* test_conn_begin - what comes before a session or changes it: TLS at once or later, a PROXY
 * header, and those who never finish either. */
#include "echo.h"

#include <openssl/ssl.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {CASE(test_tls_implicit), CASE(test_alpn),
                                       CASE(test_tls_upgrade),  CASE(test_tls_rubbish),
                                       CASE(test_proxy_header), CASE(test_tls_timeout),
                                       CASE(test_proxy_timeout)};
    int failed;

    if (net_tls_new(&tls, NULL, NULL, "localhost") < 0)
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    net_tls_free(&tls);
    return failed;
}
