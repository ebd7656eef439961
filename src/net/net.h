/* SPDX-License-Identifier: MIT */
/* net - event loops, connections, TLS, timers and a pool for blocking work. Knows no mail.
 *
 * One thread runs one loop; all that happens to a connection happens on its loop's thread. A
 * connection drives a `struct net_session` (an engine behind a table of functions): it feeds it,
 * pumps its questions, writes its output with one writev (or sendfile for file ranges), does TLS
 * when it wants it, keeps its deadline, closes it. Listeners make sessions through a callback. */
#ifndef NET_NET_H
#define NET_NET_H

#include <postern/engine.h>
#include <netinet/in.h>
#include <sys/socket.h>

struct net_loop;
struct net_conn;
struct net_listener;
struct net_pool;
struct net_tls; /* a TLS configuration: certificates by name, reloadable */

/* ---- sessions: what a connection drives. All functions are called on the connection's loop. ----
 */
struct net_session_ops {
    int (*feed)(void *session, struct postern_span in, postern_time now); /* taken, 0 busy, <0
                                                                           * over */
    void (*eof)(void *session);
    void (*pump)(void *session, postern_time now); /* ask and answer questions as far as possible
                                                    * now */
    size_t (*output)(void *session, struct postern_piece *pieces_r, size_t max);
    /* file_of - the descriptor and the offset in it behind a file-range piece; -1 when it is
     * gone. */
    int (*file_of)(void *session, uint64_t content, uint64_t offset, uint64_t *file_offset_r);
    void (*sent)(void *session, uint64_t n, postern_time now);
    unsigned (*wants)(const void *session);
    postern_time (*deadline)(const void *session);
    void (*tick)(void *session, postern_time now);
    int (*tls_up)(void *session, const struct postern_tls_facts *facts);
    void (*shutdown)(void *session);
    void (*free)(void *session); /* the connection is gone */
};
struct net_session {
    const struct net_session_ops *ops;
    void *self;
};

/* ---- loops ---------------------------------------------------------------------------------- */
/* net_loops_new - count loops (0: one per core), each with its thread, not yet running. given. */
struct net_loops;
int net_loops_new(struct net_loops **loops_r, unsigned count);
unsigned net_loops_count(const struct net_loops *loops);
struct net_loop *net_loops_at(struct net_loops *loops, unsigned index);
/* net_loops_start - run them; net_loops_drain - stop accepting, shut sessions down, any thread;
 * net_loops_join - wait until all are done (grace expired: cut off), then free. */
int net_loops_start(struct net_loops *loops);
void net_loops_drain(struct net_loops *loops, postern_time grace);
void net_loops_join(struct net_loops **loops);
/* net_loop_post - run fn(arg) on the loop's thread, soon. Any thread. POSTERN_E_NOMEM. */
int net_loop_post(struct net_loop *loop, void (*fn)(void *arg), void *arg);
postern_time net_loop_now(const struct net_loop *loop);
unsigned net_loop_index(const struct net_loop *loop);

/* ---- listeners and connections --------------------------------------------------------------- */
/* union net_address - IPv4 or IPv6, with its port; of another kind (a unix socket, nothing known)
 * only the family. */
union net_address {
    sa_family_t family;
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
};
struct net_peer {
    union net_address address; /* of the client, also behind a PROXY header */
    char text[64];             /* "192.0.2.1:4711" or "[2001:db8::1]:4711" */
};
struct net_limits {
    unsigned connections_max;       /* in all; 0 none */
    unsigned per_address_max;       /* per IPv4 address or IPv6 /64; 0 none */
    postern_time handshake_timeout; /* 10 s, of TLS */
    postern_time proxy_timeout;     /* 5 s, for a PROXY header: a proxy sends it at once */
    size_t socket_buffer_bytes;     /* 0: the system's */
};
struct net_listener_options {
    const char *address; /* "127.0.0.1", "::", or a unix socket's path beginning with '/' */
    unsigned port;       /* 0: any; see net_listener_port */
    bool tls_implicit;   /* TLS first, then the session */
    struct net_tls *tls; /* NULL: none */
    const char *alpn;    /* "pop3"; NULL none */
    const char *refusal; /* said to who is one too many, unless TLS comes first; NULL: nothing */
    bool proxy;          /* PROXY v1/v2 header required from the trusted peers */
    const char *const *proxy_trusted; /* NULL-terminated list of addresses or CIDR nets */
    const struct net_limits *limits;  /* shared over listeners; lent until the loops are joined */
    /* accept - make the session of a new connection, or return <0 to drop it. tls NULL when plain.
     * Called on the connection's loop. */
    int (*accept)(void *ctx, struct net_conn *conn, const struct net_peer *peer,
                  const struct postern_tls_facts *tls, struct net_session *session_r);
    /* event - something worth a log line ("tls-failed", "limit", "proxy-bad", ...); may be NULL.
     * Any loop. */
    void (*event)(void *ctx, const struct net_peer *peer, const char *what, const char *detail);
    void *ctx;
};
/* net_listen - bind now (so that errors show and privileges can be dropped), accept on every loop
 * once they run (SO_REUSEPORT). Lives as long as loops. listener_r: lent until join. */
int net_listen(struct net_loops *loops, const struct net_listener_options *options,
               struct net_listener **listener_r);
unsigned net_listener_port(const struct net_listener *listener);

/* net_is_in - does the address lie in one of these addresses or CIDR nets (NULL-terminated)? */
bool net_is_in(const char *const *nets, const union net_address *address);

/* net_conn_kick - a session's question was answered outside pump(): go on. On the conn's loop. */
void net_conn_kick(struct net_conn *conn);
struct net_loop *net_conn_loop(struct net_conn *conn);
/* net_conn_move - go on on another loop: `moved` is called there, then pump(). While moving nothing
 * is called. If the connection dies meanwhile only session.free is called. POSTERN_E_NOMEM. */
int net_conn_move(struct net_conn *conn, struct net_loop *to, void (*moved)(void *session));
/* struct net_bell - wakes its loop, without a descriptor of its own. In memory of whoever waits;
 * zero: not hung. What it consists of is bell.c's own. */
struct net_bell {
    struct net_loop *loop;
    struct net_bell *next, **link; /* of those that rang; link NULL: it did not */
    void (*heard)(void *arg);      /* NULL: taken down */
    void *arg;
};
/* net_bell_hang - from now on heard(arg) on the loop after it rang, once for all rings until then.
 * net_bell_take_down - not any more. On the loop.
 * net_bell_ring - any thread, as long as the memory is there; also when taken down: to no effect.
 */
void net_bell_hang(struct net_bell *bell, struct net_loop *loop, void (*heard)(void *arg),
                   void *arg);
void net_bell_take_down(struct net_bell *bell);
void net_bell_ring(struct net_bell *bell);
/* net_conn_tls_text - "TLSv1.3 TLS_AES_128_GCM_SHA256" for the log, or "". lent until close. */
const char *net_conn_tls_text(const struct net_conn *conn);
unsigned net_connections(const struct net_loops *loops);

/* ---- TLS ------------------------------------------------------------------------------------- */
/* net_tls_new - from PEM files (chain and key); cert NULL: a self-signed ECDSA P-256 certificate
 * made for host. min version TLS 1.2. Why it failed: net_tls_error(). given. */
int net_tls_new(struct net_tls **tls_r, const char *cert_path, const char *key_path,
                const char *host);
/* net_tls_add - one more certificate, chosen by SNI (names read from the certificate).  R99 */
int net_tls_add(struct net_tls *tls, const char *cert_path, const char *key_path);
/* net_tls_client_ca - ask clients for certificates, verify against this file; identity = first
 * e-mail SAN or CN. */
int net_tls_client_ca(struct net_tls *tls, const char *ca_path);
/* net_tls_reload - read the files again; on failure the old ones stay. Any thread. */
int net_tls_reload(struct net_tls *tls);
/* net_tls_error - why the last call on this thread failed, for a log line; never NULL. */
const char *net_tls_error(void);
/* net_tls_cert_pem - the (first) certificate in PEM, to show or to trust; lent until reload or
 * free. */
const char *net_tls_cert_pem(const struct net_tls *tls);
void net_tls_free(struct net_tls **tls);

/* ---- blocking work --------------------------------------------------------------------------- */
/* net_pool_new - threads workers, at most queue_max jobs waiting. given. */
int net_pool_new(struct net_pool **pool_r, unsigned threads, unsigned queue_max);
/* net_pool_submit - work(arg) on a worker, then done(arg) on loop. POSTERN_E_AGAIN when the queue
 * is full. */
int net_pool_submit(struct net_pool *pool, struct net_loop *loop, void (*work)(void *arg),
                    void (*done)(void *arg), void *arg);
void net_pool_free(struct net_pool **pool); /* waits for running jobs; after net_loops_join */

/* ---- crypto for engines ---------------------------------------------------------------------- */
const struct postern_crypto *net_crypto_openssl(void);
const struct postern_random *net_random_system(void);

#endif
