/* SPDX-License-Identifier: MIT */
/* conn_turn - a session's turn: pumped, its output written, what the peer sent given to it. */
#include "net/loop.h"

#include "base/span.h"
#include <stdlib.h>

#define FLUSH_TIMEOUT (10 * POSTERN_SECOND) /* for a peer that does not read our last words */

/* ---- octets that the session has not taken --------------------------------------------------- */

static int keep(struct net_conn *conn, const char *bytes, size_t n)
{
    char *rest = realloc(conn->rest, conn->rest_bytes + n);

    if (!rest)
        return POSTERN_E_NOMEM;
    memcpy(rest + conn->rest_bytes, bytes, n);
    conn->rest = rest;
    conn->rest_bytes += n;
    return 0;
}

static void rest_take(struct net_conn *conn, size_t n)
{
    conn->rest_bytes -= n;
    memmove(conn->rest, conn->rest + n, conn->rest_bytes);
    if (conn->rest_bytes)
        return;
    free(conn->rest);
    conn->rest = NULL;
}

/* ---- the session's turn ---------------------------------------------------------------------- */

/* feed_some - offer the session what was kept, or what can be read. >0 it took some, 0 nothing, <0
 * lost. */
static int feed_some(struct net_conn *conn, bool *readable, postern_time now)
{
    const struct net_session_ops *ops = conn->session.ops;
    int n, took;

    if (conn->rest_bytes) {
        took = ops->feed(conn->session.self, span_make(conn->rest, conn->rest_bytes), now);
        if (took > 0)
            rest_take(conn, (size_t)took);
        return took;
    }
    if (!*readable || conn->peer_eof)
        return 0;
    n = conn_read(conn, conn->loop->scratch, SCRATCH_BYTES);
    *readable = conn->more_to_read;
    if (n == 0 && conn->peer_eof) {
        ops->eof(conn->session.self);
        return 1;
    }
    if (n <= 0)
        return n;
    took = ops->feed(conn->session.self, span_make(conn->loop->scratch, (size_t)n), now);
    if (took >= 0 && took < n && keep(conn, conn->loop->scratch + took, (size_t)(n - took)) < 0)
        return POSTERN_E_NOMEM;
    return took < 0 ? took : 1;
}

static int write_some(struct net_conn *conn, size_t *budget, postern_time now)
{
    int n = 0, written = 0;

    while (*budget && (n = conn_write(conn, now)) > 0) {
        *budget -= (size_t)n < *budget ? (size_t)n : *budget;
        written = 1;
    }
    return n < 0 ? n : written;
}

/* feed_kept - several commands in one packet are answered in one: what was kept is offered as long
 * as the session takes it, before anything is written. */
static int feed_kept(struct net_conn *conn, postern_time now)
{
    const struct net_session_ops *ops = conn->session.ops;
    int took = 1;

    while (took > 0 && conn->rest_bytes && !conn->moving_to) {
        unsigned wants = ops->wants(conn->session.self);

        if (!(wants & POSTERN_WANT_READ) || wants & (POSTERN_WANT_TLS | POSTERN_WANT_CLOSE))
            break;
        took = ops->feed(conn->session.self, span_make(conn->rest, conn->rest_bytes), now);
        if (took > 0) {
            rest_take(conn, (size_t)took);
            ops->pump(conn->session.self, now);
        }
    }
    return took == POSTERN_E_CLOSED || took == POSTERN_E_NOMEM ? 0 : took;
}

int conn_turn(struct net_conn *conn, bool *readable, size_t *budget)
{
    const struct net_session_ops *ops = conn->session.ops;
    postern_time now = net_loop_now(conn->loop);
    unsigned wants;
    int wrote, fed;

    conn->again = false;
    ops->pump(conn->session.self, now);
    fed = feed_kept(conn, now);
    if (conn->moving_to)
        return 0;
    if (fed < 0)
        return fed;
    wrote = write_some(conn, budget, now);
    if (wrote < 0)
        return wrote;
    wants = ops->wants(conn->session.self);
    if (!(wants & POSTERN_WANT_WRITE) && wants & POSTERN_WANT_CLOSE)
        return POSTERN_E_CLOSED;
    if (!(wants & POSTERN_WANT_WRITE) && wants & POSTERN_WANT_TLS) {
        conn_start_handshake(conn);
        return 0;
    }
    if (wants & POSTERN_WANT_CLOSE && conn->phase_until == POSTERN_NEVER)
        conn->phase_until = now + FLUSH_TIMEOUT;
    if (*budget == 0)
        return 0;
    fed = wants & POSTERN_WANT_READ ? feed_some(conn, readable, now) : 0;
    if (fed < 0 && fed != POSTERN_E_CLOSED && fed != POSTERN_E_NOMEM)
        return fed;
    if (fed < 0)
        return ops->wants(conn->session.self) & POSTERN_WANT_WRITE ? 0 : fed;
    return wrote || fed || conn->again;
}

void conn_set_mask(struct net_conn *conn)
{
    unsigned wants = conn->session.ops->wants(conn->session.self);
    int mask = 0;

    if (wants & POSTERN_WANT_READ && !conn->peer_eof && !conn->rest_bytes)
        mask |= UV_READABLE;
    if (wants & POSTERN_WANT_WRITE)
        mask |= UV_WRITABLE;
    /* TLS may want the other direction: a record half written must be finished first */
    if (conn->tls_wants_write)
        mask |= UV_WRITABLE;
    conn->tls_wants_write = false;
    conn_poll_mask(conn, mask);
}
