/* SPDX-License-Identifier: MIT */
/* session - the glue between a connection (net) and a protocol's session (serve).
 *
 * Owns the handle that both know. The handle is counted, since work on a worker thread may outlive
 * the connection; all counting happens on the connection's loop, and a session with work out does
 * not move. Trap: conn is NULL once the connection is gone; only a job that comes home late sees
 * that. */
#include "daemon/server.h"

#include "base/memory.h"
#include "base/span.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>

struct session {
    atomic_uint refs; /* a job's report may let go on the loop that the connection has just left */
    struct server *server;
    struct net_conn *conn;
    const struct serve_protocol *protocol;
    void *self;
    struct net_watch *watch;
    struct net_peer peer;
    char id[20], tls[96];
    postern_time later_at; /* POSTERN_NEVER: nothing is held back */
    void (*later)(void *arg);
    void *later_arg;
    void (*moved)(void *arg);
    void *moved_arg;
    void (*ready)(void *arg); /* of watch */
    void *ready_arg;
};

static void session_unref(struct session *session)
{
    if (atomic_fetch_sub(&session->refs, 1) == 1)
        memory_free(NULL, session);
}

/* ---- what serve asks of us ------------------------------------------------------------------- */

struct errand {
    struct session *session;
    void (*work)(void *arg);
    void (*done)(void *arg);
    void *arg;
};

static void errand_work(void *arg)
{
    struct errand *errand = arg;

    errand->work(errand->arg);
}

static void errand_done(void *arg)
{
    struct errand *errand = arg;
    struct session *session = errand->session;

    errand->done(errand->arg);
    memory_free(NULL, errand);
    if (session->conn)
        net_conn_kick(session->conn);
    session_unref(session);
}

static int run_on(struct net_pool *pool, struct session *session, void (*work)(void *arg),
                  void (*done)(void *arg), void *arg)
{
    struct errand *errand = memory_new(NULL, sizeof *errand);
    int r;

    if (!errand)
        return POSTERN_E_NOMEM;
    *errand = (struct errand){session, work, done, arg};
    atomic_fetch_add(&session->refs, 1);
    r = net_pool_submit(pool, net_conn_loop(session->conn), errand_work, errand_done, errand);
    if (r < 0) {
        atomic_fetch_sub(&session->refs, 1);
        memory_free(NULL, errand);
    }
    return r;
}

static int work_run(void *conn, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
    struct session *session = conn;

    return run_on(session->server->pool, session, work, done, arg);
}

static int work_run_long(void *conn, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
    struct session *session = conn;

    return run_on(session->server->pool_long, session, work, done, arg);
}

/* Held by the session's own deadline, so nothing is left behind when the connection goes. */
static int work_later(void *conn, postern_time wait, void (*done)(void *arg), void *arg)
{
    struct session *session = conn;

    session->later_at = net_loop_now(net_conn_loop(session->conn)) + wait;
    session->later = done;
    session->later_arg = arg;
    return 0;
}

static void conn_moved(void *self)
{
    struct session *session = self;

    session->moved(session->moved_arg);
}

static int work_own(void *conn, struct postern_span user, void (*done)(void *arg), void *arg)
{
    struct session *session = conn;
    struct net_loop *here = net_conn_loop(session->conn);
    unsigned index = users_owner(session->server->users, user, net_loop_index(here));
    struct net_loop *owner = net_loops_at(session->server->loops, index);

    if (owner == here) {
        done(arg);
        return 0;
    }
    session->moved = done;
    session->moved_arg = arg;
    return net_conn_move(session->conn, owner, conn_moved);
}

static void watch_ready(void *arg)
{
    struct session *session = arg;

    session->ready(session->ready_arg);
    net_conn_kick(session->conn);
}

static int work_watch(void *conn, int fd, void (*ready)(void *arg), void *arg)
{
    struct session *session = conn;

    session->ready = ready;
    session->ready_arg = arg;
    return net_watch_new(&session->watch, net_conn_loop(session->conn), fd, watch_ready, session);
}

static void work_unwatch(void *conn)
{
    net_watch_free(&((struct session *)conn)->watch);
}

static const char *work_tls(void *conn)
{
    return ((struct session *)conn)->tls;
}

#define PAIRS_MAX 24

static enum log_level level_of(const char *event)
{
    if (strcmp(event, "error") == 0)
        return LOG_LEVEL_ERROR;
    return strcmp(event, "login-failed") == 0 ? LOG_LEVEL_WARN : LOG_LEVEL_INFO;
}

static void work_log(void *conn, const char *event, const char *const *pairs)
{
    struct session *session = conn;
    const char *all[PAIRS_MAX + 7] = {"session", session->id, "peer", session->peer.text};
    size_t n = 4;

    for (size_t i = 0; pairs[i] && i < PAIRS_MAX; i += 2) {
        all[n++] = pairs[i];
        all[n++] = pairs[i + 1];
    }
    if (strcmp(event, "login") == 0 || strcmp(event, "closed") == 0) { /* R96 */
        all[n++] = "tls";
        all[n++] = session->tls;
    }
    log_event(session->server->log, level_of(event), event, all);
}

void session_work(struct serve_work *work)
{
    *work = (struct serve_work){.run = work_run,
                                .run_long = work_run_long,
                                .later = work_later,
                                .own = work_own,
                                .watch = work_watch,
                                .unwatch = work_unwatch,
                                .tls = work_tls,
                                .log = work_log};
}

int session_user_in(void *server, struct postern_span user)
{
    return users_in(((struct server *)server)->users, user, server_now());
}

void session_user_out(void *server, struct postern_span user)
{
    users_out(((struct server *)server)->users, user);
}

bool session_trusts(void *server, void *conn)
{
    const struct session *session = conn;
    const char *const *nets = (const char *const *)((struct server *)server)->config->smtp_trusted;

    return nets && net_is_in(nets, &session->peer.address);
}

void session_struck(void *server, void *conn)
{
    struct session *session = conn;

    if (bans_strike(((struct server *)server)->bans, &session->peer.address.any, server_now()))
        log_note(session->server->log, LOG_LEVEL_WARN, "banned", "session", session->id, "peer",
                 session->peer.text);
}

/* ---- what the connection asks of us ---------------------------------------------------------- */

static int op_feed(void *self, struct postern_span in, postern_time now)
{
    struct session *session = self;

    return session->protocol->feed(session->self, in, now);
}

static void op_eof(void *self)
{
    struct session *session = self;

    session->protocol->eof(session->self);
}

static void op_pump(void *self, postern_time now)
{
    struct session *session = self;

    session->protocol->pump(session->self, now);
}

static size_t op_output(void *self, struct postern_piece *pieces_r, size_t max)
{
    struct session *session = self;

    return session->protocol->output(session->self, pieces_r, max);
}

static int op_file_of(void *self, uint64_t content, uint64_t offset, uint64_t *file_offset_r)
{
    struct session *session = self;

    return session->protocol->file_of(session->self, content, offset, file_offset_r);
}

static void op_sent(void *self, uint64_t n, postern_time now)
{
    struct session *session = self;

    session->protocol->sent(session->self, n, now);
}

static unsigned op_wants(const void *self)
{
    const struct session *session = self;

    return session->protocol->wants(session->self);
}

static postern_time op_deadline(const void *self)
{
    const struct session *session = self;
    postern_time engine = session->protocol->deadline(session->self);

    return engine < session->later_at ? engine : session->later_at;
}

static void op_tick(void *self, postern_time now)
{
    struct session *session = self;

    if (now >= session->later_at) {
        session->later_at = POSTERN_NEVER;
        session->later(session->later_arg);
        session->protocol->pump(session->self, now);
    }
    session->protocol->tick(session->self, now);
}

static void tls_note(struct session *session)
{
    snprintf(session->tls, sizeof session->tls, "%s", net_conn_tls_text(session->conn));
}

static int op_tls_up(void *self, const struct postern_tls_facts *facts)
{
    struct session *session = self;

    tls_note(session);
    return session->protocol->tls_up(session->self, facts);
}

static void op_shutdown(void *self)
{
    struct session *session = self;

    session->protocol->shutdown(session->self);
}

static void op_free(void *self)
{
    struct session *session = self;

    session->protocol->free(session->self);
    session->conn = NULL;
    session_unref(session);
}

static const struct net_session_ops session_ops = {
    .feed = op_feed,
    .eof = op_eof,
    .pump = op_pump,
    .output = op_output,
    .file_of = op_file_of,
    .sent = op_sent,
    .wants = op_wants,
    .deadline = op_deadline,
    .tick = op_tick,
    .tls_up = op_tls_up,
    .shutdown = op_shutdown,
    .free = op_free,
};

/* ---- new connections ------------------------------------------------------------------------- */

static bool is_loopback(const union net_address *address)
{
    const struct in6_addr *six = &address->six.sin6_addr;

    switch (address->family) {
    case AF_UNIX:
        return true;
    case AF_INET:
        return ntohl(address->four.sin_addr.s_addr) >> 24 == 127;
    case AF_INET6:
        return IN6_IS_ADDR_LOOPBACK(six) || (IN6_IS_ADDR_V4MAPPED(six) && six->s6_addr[12] == 127);
    default:
        return false;
    }
}

static bool plaintext_allowed(const struct config *config, const struct net_peer *peer) /* R64 */
{
    if (strcmp(config->plaintext, "always") == 0)
        return true;
    return strcmp(config->plaintext, "loopback") == 0 && is_loopback(&peer->address);
}

static int begin(struct session *session, const struct postern_tls_facts *tls)
{
    struct server *server = session->server;

    return session->protocol->make(&session->self, &server->site, session,
                                   postern_span_of(session->peer.text), tls,
                                   plaintext_allowed(server->config, &session->peer), server_now());
}

int session_accept(void *ctx, struct net_conn *conn, const struct net_peer *peer,
                   const struct postern_tls_facts *tls, struct net_session *session_r)
{
    const struct service *service = ctx;
    struct server *server = service->server;
    struct session *session;
    int r;

    if (bans_has(server->bans, &peer->address.any, server_now()))
        return POSTERN_E_DENIED;
    session = memory_new(NULL, sizeof *session);
    if (!session)
        return POSTERN_E_NOMEM;
    *session = (struct session){.refs = 1,
                                .server = server,
                                .protocol = service->protocol,
                                .conn = conn,
                                .peer = *peer,
                                .later_at = POSTERN_NEVER};
    snprintf(session->id, sizeof session->id, "%llu", atomic_fetch_add(&server->sessions, 1) + 1);
    if (tls)
        tls_note(session);
    r = begin(session, tls);
    if (r < 0) {
        memory_free(NULL, session);
        return r;
    }
    *session_r = (struct net_session){&session_ops, session};
    return 0;
}

void session_event(void *ctx, const struct net_peer *peer, const char *what, const char *detail)
{
    const struct service *service = ctx;

    log_note(service->server->log, LOG_LEVEL_INFO, what, "peer", peer ? peer->text : NULL, "why",
             detail);
}
