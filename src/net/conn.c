/* SPDX-License-Identifier: MIT */
/* conn - the life of one connection with its session: service, moves, the end. What comes before is
 * in conn_begin.c, one turn in conn_turn.c. Invariants: all is done on conn->loop's thread; a
 * connection is freed only by conn_close(), and whoever calls it touches the connection no more.
 * Trap: a session may ask to be moved while it is being pumped; the move is made when the service
 * that pumps it is over, since the other loop may run at once. */
#include "net/loop.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <unistd.h>

#define TURN_BYTES (1 << 20) /* a long transfer lets others have their turn after so much */
#define LINGER_BYTES \
    (1 << 18) /* unread input dropped before close, lest a reset eats the last reply */

struct net_loop *net_conn_loop(struct net_conn *conn)
{
    return conn->loop;
}

const char *net_conn_tls_text(const struct net_conn *conn)
{
    return conn->tls_text;
}

void conn_event(const struct net_conn *conn, const char *what, const char *detail)
{
    const struct net_listener_options *options = listener_options(conn->listener);

    if (options->event)
        options->event(options->ctx, &conn->peer, what, detail);
}

/* ---- the end --------------------------------------------------------------------------------- */

static void linger(int fd, char *scratch)
{
    size_t dropped = 0;
    ssize_t n;

    while (dropped < LINGER_BYTES && (n = recv(fd, scratch, SCRATCH_BYTES, MSG_DONTWAIT)) > 0)
        dropped += (size_t)n;
    if (dropped >= LINGER_BYTES)
        shutdown(fd,
                 SHUT_WR); /* there is more: let at least the last reply leave before the reset */
}

void conn_close(struct net_conn *conn, const char *why)
{
    struct net_loop *loop = conn->loop;

    conn->state = CONN_DEAD;
    conn_poll_end(conn);
    loop_conn_remove(conn);
    if (conn->session.ops)
        conn->session.ops->free(conn->session.self);
    else if (why)
        conn_event(conn, "closed", why);
    if (conn->ssl) {
        if (SSL_is_init_finished(conn->ssl))
            SSL_shutdown(conn->ssl);
        SSL_free(conn->ssl);
        ERR_clear_error();
    }
    linger(conn->fd, loop->scratch);
    close(conn->fd);
    if (conn->counted)
        addresses_out(loop->loops->addresses, &conn->peer.address);
    free(conn->rest);
    free(conn);
    atomic_fetch_sub(&loop->loops->connections, 1);
    loop_check_end(loop);
}

/* ---- turns ----------------------------------------------------------------------------------- */

void conn_set_due(struct net_conn *conn)
{
    postern_time due = conn->phase_until;

    if (conn->state == CONN_OPEN) {
        postern_time deadline = conn->session.ops->deadline(conn->session.self);

        due = deadline < due ? deadline : due;
    }
    loop_conn_due(conn, due);
}

static void depart(struct net_conn *conn);

void conn_service_open(struct net_conn *conn, bool readable)
{
    size_t budget = TURN_BYTES;
    int moved;

    conn->in_service = true;
    readable = readable || conn->more_to_read;
    do
        moved = conn_turn(conn, &readable, &budget);
    while (moved > 0 && conn->state == CONN_OPEN);
    conn->in_service = false;
    if (moved < 0) {
        conn_close(conn, NULL);
        return;
    }
    if (conn->moving_to) {
        depart(conn);
        return;
    }
    /* the turn is over but the work is not: with nothing written yet nobody else would come back */
    if (budget == 0)
        conn->tls_wants_write = true;
    if (conn->state == CONN_OPEN)
        conn_set_mask(conn);
    conn_set_due(conn);
}

void conn_service(struct net_conn *conn, bool readable)
{
    switch (conn->state) {
    case CONN_PROXY:
        conn_service_proxy(conn);
        break;
    case CONN_HANDSHAKE:
        conn_service_handshake(conn);
        break;
    case CONN_OPEN:
        conn_service_open(conn, readable);
        break;
    default:
        break;
    }
}

void conn_new(struct net_loop *loop, struct net_listener *listener, int fd,
              const union net_address *from)
{
    struct net_conn *conn = calloc(1, sizeof *conn);

    if (!conn) {
        close(fd);
        return;
    }
    *conn = (struct net_conn){
        .loop = loop, .listener = listener, .fd = fd, .phase_until = POSTERN_NEVER};
    conn->peer.address = *from;
    atomic_fetch_add(&loop->loops->connections, 1);
    loop_conn_add(loop, conn);
    if (conn_poll_start(conn) < 0)
        conn_close(conn, "out of memory");
    else
        conn_enter(conn);
}

/* ---- from outside ---------------------------------------------------------------------------- */

void conn_expired(struct net_conn *conn, postern_time now)
{
    if (now >= conn->phase_until) {
        conn_event(conn, "timeout", conn->state == CONN_HANDSHAKE ? "TLS handshake" : "");
        conn_close(conn, NULL);
        return;
    }
    if (conn->state == CONN_OPEN) {
        /* a kick from within tick() must not serve, move or close it under our feet */
        conn->in_service = true;
        if (conn->session.ops->deadline(conn->session.self) <= now)
            conn->session.ops->tick(conn->session.self, now);
        conn_service_open(conn, false);
    } else {
        conn_set_due(conn);
    }
}

void conn_shutdown(struct net_conn *conn)
{
    if (conn->state != CONN_OPEN) {
        conn_close(conn, "shutting down");
        return;
    }
    conn->session.ops->shutdown(conn->session.self);
    conn_service_open(conn, false);
}

void net_conn_kick(struct net_conn *conn)
{
    conn->again = true;
    if (!conn->in_service && conn->state == CONN_OPEN && !conn->moving_to)
        conn_service_open(conn, false);
}

static void arrive(void *arg)
{
    struct net_conn *conn = arg;
    struct net_loop *loop = conn->moving_to;

    conn->moving_to = NULL;
    conn->state = CONN_OPEN;
    loop_conn_add(loop, conn);
    if (conn_poll_start(conn) < 0) {
        conn_close(conn, NULL);
        return;
    }
    if (loop->draining)
        conn->session.ops->shutdown(conn->session.self);
    conn->in_service = true; /* the session may kick itself while it is told */
    conn->moved(conn->session.self);
    conn->in_service = false;
    conn_service_open(conn, true);
}

static void depart(struct net_conn *conn)
{
    struct net_loop *from = conn->loop;

    conn->state = CONN_MOVING;
    conn_poll_end(conn);
    loop_conn_remove(conn);
    if (net_loop_post(conn->moving_to, arrive, conn) == 0)
        return;
    loop_conn_add(from, conn);
    conn_close(conn, NULL);
}

int net_conn_move(struct net_conn *conn, struct net_loop *to, void (*moved)(void *session))
{
    if (to == conn->loop) {
        moved(conn->session.self);
        net_conn_kick(conn);
        return 0;
    }
    conn->moving_to = to;
    conn->moved = moved;
    if (!conn->in_service)
        depart(conn);
    return 0;
}
