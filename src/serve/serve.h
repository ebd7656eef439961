/* SPDX-License-Identifier: MIT */
/* serve - the joint: turns the questions of a protocol engine into store and account calls.
 * No sockets; work that blocks goes out through `struct serve_work`, which the daemon fills in. */
#ifndef SERVE_SERVE_H
#define SERVE_SERVE_H

#include "accounts/accounts.h"
#include <postern/pop3.h>
#include <postern/store.h>
#include <pthread.h>

/* struct serve_work - how a session gets things done outside itself. conn is the daemon's handle.
 */
struct serve_work {
    /* run - work(arg) on a worker thread, later done(arg) on the session's loop, then kick.
     * POSTERN_E_AGAIN: full. done comes also when the session was freed meanwhile. */
    int (*run)(void *conn, void (*work)(void *arg), void (*done)(void *arg), void *arg);
    /* later - done(arg) on the session's loop after `wait`, then kick. Forgotten when the session
     * is freed first; one at a time. */
    int (*later)(void *conn, postern_time wait, void (*done)(void *arg), void *arg);
    /* own - move the session to the loop that owns the user, then done(arg) there, then kick; may
     * call done at once. Forgotten when the session is freed first. */
    int (*own)(void *conn, struct postern_span user, void (*done)(void *arg), void *arg);
    /* log - one event: name and key=value pairs up to NULL; user bytes are escaped by the log. */
    void (*log)(void *conn, const char *event, const char *const *pairs);
};

/* struct serve_site - what all sessions share; lent until the last session is freed. */
struct serve_site {
    struct postern_store *store;
    struct accounts *accounts;
    struct delays *delays;        /* NULL: none */
    pthread_mutex_t *delays_lock; /* held around each use of delays; NULL: one thread only */
    const struct postern_pop3_options *pop3;
    const struct serve_work *work;
    bool read_only;
    bool create_mailboxes;    /* open() with POSTERN_STORE_CREATE */
    postern_time login_delay; /* to announce (R46); user_in enforces it. 0: none */
    /* user_in / user_out - count the logged-in sessions of a user; user_in POSTERN_E_AGAIN: logged
     * in again too soon, any other <0: too many. May be NULL. */
    int (*user_in)(void *ctx, struct postern_span user);
    void (*user_out)(void *ctx, struct postern_span user);
    /* struck - the session ended with failed logins (for bans). May be NULL. */
    void (*struck)(void *ctx, void *conn);
    void *ctx;
};

/* serve_pop3 - one POP3 session with its engine, mailbox and open message. */
struct serve_pop3;
/* peer: address text for log lines and delays; copied. session_r: given. */
int serve_pop3_new(struct serve_pop3 **session_r, const struct serve_site *site, void *conn,
                   struct postern_span peer, const struct postern_tls_facts *tls,
                   bool plaintext_allowed, postern_time now);
void serve_pop3_free(
    struct serve_pop3 **session); /* legal at any time; work under way finishes into nothing */
struct postern_pop3 *serve_pop3_engine(struct serve_pop3 *session);
/* serve_pop3_pump - ask and answer until nothing is left to do now. */
void serve_pop3_pump(struct serve_pop3 *session, postern_time now);
/* serve_pop3_file - descriptor and offset behind a file-range piece, or -1. */
int serve_pop3_file(struct serve_pop3 *session, uint64_t content, uint64_t offset,
                    uint64_t *file_offset_r);

#endif
