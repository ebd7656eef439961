/* SPDX-License-Identifier: MIT */
/* server - all that one running server is made of, built in steps and given back in one.
 *
 *   server_init      log, TLS, loops                      (may read keys: still privileged)
 *   server_listen    once per address                      (may bind low ports)
 *   server_drop      become config->user, for good
 *   server_open      store, accounts, tables, workers      (as that user)
 *   server_run       serve until a signal ends it
 *   server_done      give everything back; legal after any step, also a failed one
 *
 * The steps return a sysexits code, 0 when all is well, and have logged why not. */
#ifndef DAEMON_SERVER_H
#define DAEMON_SERVER_H

#include "provider/bans.h"
#include "daemon/config.h"
#include "daemon/log.h"
#include "daemon/users.h"
#include "net/net.h"
#include "serve/serve.h"
#include <stdatomic.h>

struct server;

/* struct service - what a listener makes of its connections. */
struct service {
    struct server *server;
    const struct serve_protocol *protocol;
};

struct server {
    const struct config *config;
    struct log *log;
    struct net_tls *tls;
    struct net_loops *loops;
    struct net_pool *pool;
    struct net_limits limits;
    struct postern_store store;
    struct accounts *accounts;
    struct users *users;
    struct delays *delays;
    pthread_mutex_t delays_lock;
    struct bans *bans;
    struct postern_pop3_options pop3;
    struct postern_imap_options imap;
    char *imap_without;
    char other_users[CONFIG_LEVEL_MAX + 2], shared[CONFIG_LEVEL_MAX + 2]; /* with "/" */
    struct serve_special *special;
    size_t special_count;
    struct postern_smtp_options smtp;
    struct recipients *recipients; /* NULL: no mail is received */
    struct filters *filters;       /* NULL: there is none */
    struct smarthost *smarthost;   /* NULL: there is none */
    struct space *space;           /* NULL: not asked */
    struct sendmail *sendmail;     /* NULL: there is none */
    struct net_pool *pool_long;    /* for what waits for it */
    struct service services[5];    /* by kind */
    struct serve_work work;
    struct serve_site site;
    char host[256];
    unsigned char decoy[32];
    unsigned ports[5][2]; /* by protocol, plain and TLS: of the last listeners */
    atomic_ullong sessions;
};

/* server_signals_block - first of all, before any thread: the signals wait for server_run(). */
void server_signals_block(void);
int server_init(struct server *server, const struct config *config);
/* server_listen - address: "127.0.0.1:110", "[::]:110", or a socket's path; tls: TLS first. */
enum service_kind { SERVICE_POP3, SERVICE_IMAP, SERVICE_SMTP, SERVICE_SUBMISSION, SERVICE_LMTP };
int server_listen(struct server *server, enum service_kind kind, const char *address, bool tls);
int server_listen_all(struct server *server);
int server_drop(struct server *server);
/* server_open - what the configuration names; a store or accounts that are there already are kept.
 */
int server_open(struct server *server);
/* server_options - the engines' options out of the configuration (within server_open). */
int server_options(struct server *server);
int server_run(struct server *server);
void server_done(struct server *server);

/* server_fail - log "error" and hand on the exit code. */
int server_fail(struct server *server, int code, const char *what, const char *why);

/* session (session.c) - fill in the work table; make the session of a new connection. */
void session_work(struct serve_work *work);
int session_accept(void *service, struct net_conn *conn, const struct net_peer *peer,
                   const struct postern_tls_facts *tls, struct net_session *session_r);
void session_event(void *service, const struct net_peer *peer, const char *what,
                   const char *detail);
int session_user_in(void *server, struct postern_span user);
void session_user_out(void *server, struct postern_span user);
void session_struck(void *server, void *conn);
bool session_trusts(void *server, void *conn);
bool session_is_crowded(void *server);

#endif
