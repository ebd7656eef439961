/* SPDX-License-Identifier: MIT */
/* session - the glue between a connection (net) and a protocol's session (serve): what the one asks
 * of the other. Owns the handle; see session_work.c for who counts it. */
#include "daemon/session.h"

#include "base/memory.h"
#include "base/span.h"
#include "serve/clock.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

int session_user_in(void *server, struct postern_span user)
{
    return users_in(((struct server *)server)->users, user, clock_now());
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

bool session_is_crowded(void *server)
{
    const struct server *s = server;
    unsigned most = s->limits.connections_max;

    return most && net_connections(s->loops) > most - most / 4;
}

void session_struck(void *server, void *conn)
{
    struct session *session = conn;

    if (bans_strike(((struct server *)server)->bans, &session->peer.address.any, clock_now()))
        log_note(session->server->log, LOG_LEVEL_WARN, "banned", "session", session->id, "peer",
                 session->peer.text);
}

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
                                   plaintext_allowed(server->config, &session->peer), clock_now());
}

int session_accept(void *ctx, struct net_conn *conn, const struct net_peer *peer,
                   const struct postern_tls_facts *tls, struct net_session *session_r)
{
    const struct service *service = ctx;
    struct server *server = service->server;
    struct session *session;
    int r;

    if (bans_has(server->bans, &peer->address.any, clock_now()))
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
