/* SPDX-License-Identifier: MIT */
/* loop - what the files of this folder share: a loop's insides, and a connection's. */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include "net/net.h"
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

#define SCRATCH_BYTES 65536

struct post {
    struct post *next;
    void (*fn)(void *arg);
    void *arg;
};

struct acceptor; /* a listener's socket on one loop */

struct net_loop {
    struct net_loops *loops;
    unsigned index;
    pthread_t thread;
    uv_loop_t uv;
    uv_async_t wake;
    uv_timer_t timer;
    postern_time timer_due; /* when the timer is set for; POSTERN_NEVER: not set */
    pthread_mutex_t mutex;  /* guards what follows, up to hearing */
    bool closed;            /* nobody is woken any more: what is posted is run at the end */
    struct post *posts, **posts_end;
    struct net_bell *rang, *hearing; /* since the loop looked; of those then, not yet heard */
    struct net_conn *conns;          /* all connections of this loop */
    struct net_conn **heap; /* by due time; a connection's entry may be too early, never too late */
    size_t heap_count, heap_size;
    struct acceptor *acceptors;
    atomic_uint jobs; /* pool jobs that will report back here */
    bool started, draining;
    postern_time cut_at; /* draining: when what is left is cut off; POSTERN_NEVER: it was */
    atomic_bool ended;
    char scratch[SCRATCH_BYTES];
};

struct net_loops {
    unsigned count;
    atomic_uint connections; /* on all loops, or on their way between two */
    atomic_bool draining;
    atomic_ullong grace_until; /* for loops to take over when they begin to drain */
    struct net_listener *listeners;
    struct net_loop *loops; /* count of them */
    struct address_counts *addresses;
    bool started;
};

struct conn_poll;

enum conn_state { CONN_PROXY = 1, CONN_HANDSHAKE, CONN_OPEN, CONN_MOVING, CONN_DEAD };

struct net_conn {
    struct net_loop *loop;
    struct net_listener *listener;
    struct net_conn *next, **link; /* in loop->conns */
    struct conn_poll *poll;
    SSL *ssl;
    struct net_session session; /* ops NULL until accepted */
    char *rest;                 /* octets read that the session (or PROXY reader) did not take
                                 * yet */
    size_t rest_bytes;
    postern_time due;         /* the entry's key in loop->heap */
    size_t heap_at;           /* 1 + place in loop->heap; 0: not there */
    postern_time phase_until; /* PROXY, handshake, last flush */
    struct net_loop *moving_to;
    void (*moved)(void *session);
    int fd;
    int peeked; /* octets of an unfinished PROXY header that wait in the socket */
    uint8_t state;
    bool in_service, again, peer_eof, tls_wants_write, counted, more_to_read;
    char tls_text[48];
    struct net_peer peer;
};

/* loop.c */
void loop_conn_add(struct net_loop *loop, struct net_conn *conn);
void loop_conn_remove(struct net_conn *conn);
/* loop_wake - with its mutex. */
void loop_wake(struct net_loop *loop);
/* loop_check_end - is it over? */
void loop_check_end(struct net_loop *loop);
/* bell.c. loop_hear - all that rang. */
void loop_hear(struct net_loop *loop);
/* deadline.c */
/* loop_conn_due - the connection wants to be looked at by `due`; loop_conn_due_never - not at all.
 */
void loop_conn_due(struct net_conn *conn, postern_time due);
void loop_conn_due_never(struct net_conn *conn);
/* loop_timer_set - for whatever is due first. */
void loop_timer_set(struct net_loop *loop, postern_time now);
/* listener.c */
void listener_start_on(struct net_listener *listener, struct net_loop *loop);
void acceptors_stop(struct net_loop *loop);
const struct net_listener_options *listener_options(const struct net_listener *listener);
void listeners_free(struct net_loops *loops);
/* conn.c */
/* conn_new - take over an accepted socket. */
void conn_new(struct net_loop *loop, struct net_listener *listener, int fd,
              const union net_address *from);
void conn_service(struct net_conn *conn, bool readable);
void conn_expired(struct net_conn *conn, postern_time now);
void conn_shutdown(struct net_conn *conn);
/* conn_service_open - pump, write and read until nothing moves; readable: look for octets. */
void conn_service_open(struct net_conn *conn, bool readable);
void conn_set_due(struct net_conn *conn);
/* conn_turn.c: conn_turn - one round: pump, write, read. >0 something moved, 0 nothing to do, <0
 * close now. */
int conn_turn(struct net_conn *conn, bool *readable, size_t *budget);
/* conn_set_mask - be told of what the session waits for. */
void conn_set_mask(struct net_conn *conn);
/* conn_begin.c: the states before CONN_OPEN. conn_enter - the first steps, on the loop. */
void conn_enter(struct net_conn *conn);
void conn_service_proxy(struct net_conn *conn);
void conn_service_handshake(struct net_conn *conn);
/* conn_start_handshake - for implicit TLS and for a session that wants it; what was kept is dropped
 * (R65). */
void conn_start_handshake(struct net_conn *conn);
void conn_close(struct net_conn *conn, const char *why);
void conn_event(const struct net_conn *conn, const char *what, const char *detail);
int conn_poll_start(struct net_conn *conn);
void conn_poll_end(struct net_conn *conn);
/* conn_poll_mask - have these uv events reported from now on. */
void conn_poll_mask(struct net_conn *conn, int events);
/* conn_io.c: each returns >0 done something, 0 would block, <0 the connection is lost */
int conn_read(struct net_conn *conn, char *out, size_t n);
int conn_write(struct net_conn *conn, postern_time now);
/* limits.c */
int addresses_new(struct address_counts **counts_r);
void addresses_free(struct address_counts **counts);
/* addresses_in - count one more; false when there are max already. */
bool addresses_in(struct address_counts *counts, const union net_address *address, unsigned max);
void addresses_out(struct address_counts *counts, const union net_address *address);
/* tls.c */
int tls_session_new(struct net_tls *tls, const char *alpn, int fd, SSL **ssl_r);
void tls_facts(SSL *ssl, char identity[256], unsigned char binding[32],
               struct postern_tls_facts *facts_r);

#endif
