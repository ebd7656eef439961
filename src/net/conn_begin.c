/* SPDX-License-Identifier: MIT */
/* conn_begin - a connection before its session: limits, the PROXY header, the TLS handshake (also
 * the one that a session asks for later), the making of the session. Trap: octets of a PROXY header
 * are peeked at, since nothing behind it may be lost. */
#include "net/loop.h"

#include "base/span.h"
#include "net/proxy.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

static void peer_text(struct net_peer *peer)
{
    const union net_address *address = &peer->address;
    char host[INET6_ADDRSTRLEN];

    if (address->family == AF_INET &&
        inet_ntop(AF_INET, &address->four.sin_addr, host, sizeof host))
        snprintf(peer->text, sizeof peer->text, "%s:%u", host, ntohs(address->four.sin_port));
    else if (address->family == AF_INET6 &&
             inet_ntop(AF_INET6, &address->six.sin6_addr, host, sizeof host))
        snprintf(peer->text, sizeof peer->text, "[%s]:%u", host, ntohs(address->six.sin6_port));
    else
        snprintf(peer->text, sizeof peer->text, "local");
}

static int make_session(struct net_conn *conn, const struct postern_tls_facts *facts)
{
    const struct net_listener_options *options = listener_options(conn->listener);
    int err = options->accept(options->ctx, conn, &conn->peer, facts, &conn->session);

    if (err < 0) {
        conn->session.ops = NULL;
        return err;
    }
    conn->state = CONN_OPEN;
    conn->phase_until = POSTERN_NEVER;
    return 0;
}

static int handshake_done(struct net_conn *conn)
{
    char identity[256];
    unsigned char binding[32];
    struct postern_tls_facts facts;
    int err;

    tls_facts(conn->ssl, identity, binding, &facts);
    snprintf(conn->tls_text, sizeof conn->tls_text, "%s %s", SSL_get_version(conn->ssl),
             SSL_get_cipher_name(conn->ssl));
    if (!conn->session.ops)
        return make_session(conn, &facts);
    conn->state = CONN_OPEN;
    conn->phase_until = POSTERN_NEVER;
    err = conn->session.ops->tls_up(conn->session.self, &facts);
    secret_wipe(binding, sizeof binding);
    return err;
}

void conn_service_handshake(struct net_conn *conn)
{
    int n = SSL_do_handshake(conn->ssl), error;
    char reason[160];

    if (n == 1) {
        if (handshake_done(conn) < 0)
            conn_close(conn, "refused");
        else
            conn_service_open(conn, true);
        return;
    }
    error = SSL_get_error(conn->ssl, n);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
        conn_poll_mask(conn, error == SSL_ERROR_WANT_READ ? UV_READABLE : UV_WRITABLE);
        conn_set_due(conn);
        return;
    }
    ERR_error_string_n(ERR_peek_error(), reason, sizeof reason);
    conn_event(conn, "tls-failed", reason); /* R67 */
    conn_close(conn, NULL);
}

void conn_start_handshake(struct net_conn *conn)
{
    const struct net_listener_options *options = listener_options(conn->listener);

    free(conn->rest);
    conn->rest = NULL;
    conn->rest_bytes = 0;
    conn->more_to_read = false;
    /* K9 */
    conn->state = CONN_HANDSHAKE;
    conn->phase_until = net_loop_now(conn->loop) + options->limits->handshake_timeout;
    if (!options->tls || conn->ssl ||
        tls_session_new(options->tls, options->alpn, conn->fd, &conn->ssl) < 0)
        conn->phase_until = 0; /* cannot be: the timer closes it */
    conn_poll_mask(conn, UV_READABLE);
    loop_conn_due(conn, conn->phase_until);
}

/* refuse - (A4) one too many: told so, if it can be told at once, and closed. */
static void refuse(struct net_conn *conn)
{
    const struct net_listener_options *options = listener_options(conn->listener);

    if (options->refusal && !options->tls_implicit)
        (void)!send(conn->fd, options->refusal, strlen(options->refusal),
                    MSG_DONTWAIT | MSG_NOSIGNAL);
    conn_close(conn, NULL);
}

/* begin - the peer is known: count it, then TLS or the session. false: the connection is closed. */
static bool begin(struct net_conn *conn)
{
    const struct net_listener_options *options = listener_options(conn->listener);

    peer_text(&conn->peer);
    if (!addresses_in(conn->loop->loops->addresses, &conn->peer.address,
                      options->limits->per_address_max)) {
        conn_event(conn, "limit", "connections of this address");
        refuse(conn);
        return false;
    }
    conn->counted = true;
    if (options->tls_implicit) {
        conn_start_handshake(conn);
        return true;
    }
    if (make_session(conn, NULL) < 0) {
        conn_close(conn, "refused");
        return false;
    }
    return true;
}

/* Peeked octets keep a socket readable: wake only when there are more of them, or the end. */
static void wait_for_more(struct net_conn *conn, int peeked)
{
    int more = peeked + 1;

    setsockopt(conn->fd, SOL_SOCKET, SO_RCVLOWAT, &more, sizeof more);
    conn->peeked = peeked;
    conn_poll_mask(conn, UV_READABLE);
    loop_conn_due(conn, conn->phase_until);
}

static bool has_ended(int fd)
{
    struct pollfd polled = {.fd = fd, .events = POLLRDHUP};

    return poll(&polled, 1, 0) == 1;
}

static void wait_for_any(struct net_conn *conn)
{
    int one = 1;

    setsockopt(conn->fd, SOL_SOCKET, SO_RCVLOWAT, &one, sizeof one);
}

/* conn_service_proxy - collect the header octet-exactly: nothing behind it may be lost. */
void conn_service_proxy(struct net_conn *conn)
{
    char bytes[PROXY_HEADER_MAX];
    union net_address client;
    ssize_t n = recv(conn->fd, bytes, sizeof bytes, MSG_PEEK);
    int header;

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0 || (n <= conn->peeked && has_ended(conn->fd))) {
        conn_close(conn, "no PROXY header");
        return;
    }
    header = proxy_parse(span_make(bytes, (size_t)n), &client);
    if (header < 0 || (header == 0 && n == (ssize_t)sizeof bytes)) {
        conn_event(conn, "proxy-bad", postern_err_name(header));
        conn_close(conn, NULL);
        return;
    }
    if (header == 0) {
        wait_for_more(conn, (int)n);
        return;
    }
    if (recv(conn->fd, bytes, (size_t)header, 0) != header) {
        conn_close(conn, "no PROXY header");
        return;
    }
    wait_for_any(conn);
    if (client.family != AF_UNSPEC)
        conn->peer.address = client;
    if (begin(conn))
        conn_service(conn, true);
}

/* conn_enter - the first steps, on the loop. */
void conn_enter(struct net_conn *conn)
{
    const struct net_listener_options *options = listener_options(conn->listener);

    if (options->limits->connections_max &&
        atomic_load(&conn->loop->loops->connections) > options->limits->connections_max) {
        peer_text(&conn->peer);
        conn_event(conn, "limit", "connections in all");
        refuse(conn);
        return;
    }
    /* A2 */
    if (options->proxy && proxy_trusts(options->proxy_trusted, &conn->peer.address)) {
        conn->state = CONN_PROXY;
        conn->phase_until = net_loop_now(conn->loop) + options->limits->proxy_timeout;
        conn_poll_mask(conn, UV_READABLE);
        loop_conn_due(conn, conn->phase_until);
        return;
    }
    /* the client of an unencrypted session speaks only after the greeting */
    if (begin(conn) && conn->state == CONN_OPEN)
        conn_service_open(conn, false);
}
