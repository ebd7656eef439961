/* SPDX-License-Identifier: MIT */
/* serve - the joint: turns the questions of a protocol engine into store and account calls.
 * No sockets; work that blocks goes out through `struct serve_work`, which the daemon fills in. */
#ifndef SERVE_SERVE_H
#define SERVE_SERVE_H

#include "accounts/accounts.h"
#include "accounts/recipients.h"
#include <postern/imap.h>
#include <postern/pop3.h>
#include <postern/smtp.h>
#include <postern/store.h>
#include <pthread.h>

/* struct serve_work - how a session gets things done outside itself. conn is the daemon's handle.
 */
struct serve_work {
    /* run - work(arg) on a worker thread, later done(arg) on the session's loop, then kick.
     * POSTERN_E_AGAIN: full. done comes also when the session was freed meanwhile. */
    int (*run)(void *conn, void (*work)(void *arg), void (*done)(void *arg), void *arg);
    /* run_long - as run, for work that waits for other servers; NULL: run. */
    int (*run_long)(void *conn, void (*work)(void *arg), void (*done)(void *arg), void *arg);
    /* later - done(arg) on the session's loop after `wait`, then kick. Forgotten when the session
     * is freed first; one at a time. */
    int (*later)(void *conn, postern_time wait, void (*done)(void *arg), void *arg);
    /* own - move the session to the loop that owns the user, then done(arg) there, then kick; may
     * call done at once. Forgotten when the session is freed first. */
    int (*own)(void *conn, struct postern_span user, void (*done)(void *arg), void *arg);
    /* hang - a bell for the store: after it rang heard(arg) on the session's loop, then kick; until
     * take_down(). It may ring until the session is freed, and as long as work for it is out. One
     * at a time. */
    struct postern_bell (*hang)(void *conn, void (*heard)(void *arg), void *arg);
    void (*take_down)(void *conn);
    /* tls - "TLSv1.3 TLS_AES_256_GCM_SHA384"; "": none. On any thread. NULL: nobody knows. */
    const char *(*tls)(void *conn);
    /* log - one event: name and key=value pairs up to NULL; user bytes are escaped by the log. */
    void (*log)(void *conn, const char *event, const char *const *pairs);
};

struct space;
struct serve_relay;
struct serve_filters;

struct serve_special {
    struct postern_span name;
    enum postern_special_use use;
};

/* struct serve_site - what all sessions share; lent until the last session is freed. */
struct serve_site {
    struct postern_store *store;
    struct accounts *accounts;
    struct delays *delays;        /* NULL: none */
    pthread_mutex_t *delays_lock; /* held around each use of delays; NULL: one thread only */
    const struct postern_pop3_options *pop3;
    const struct postern_imap_options *imap;
    const struct postern_smtp_options *smtp; /* role and TLS apart: those of each protocol */
    struct recipients *recipients;           /* who gets mail; NULL: nobody */
    const struct serve_work *work;
    struct postern_span public_account; /* whose mailboxes are behind imap->shared */
    bool read_only;
    bool create_mailboxes;               /* open() with POSTERN_STORE_CREATE */
    bool detail_create;                  /* the mailbox that "ann+lists" names is made */
    const struct serve_filters *filters; /* see each message before it is taken; NULL: nobody */
    const struct serve_relay *relay;     /* takes users' mail for others; NULL: nobody */
    const struct serve_filter *sendmail; /* so does this, once a message is whole */
    const char *spool_folder; /* for messages that they see and are too large for memory */
    const char *deliver_into; /* all mail goes into this mailbox if it is there; NULL: INBOX */
    const char *original_to;  /* of all mail, for X-Original-To; NULL: not written */
    bool set_quota;           /* users may change their own limits */
    struct space *space;      /* of the disk, asked before a message comes; NULL: not asked */
    bool smtp_login;          /* AUTH not only where users send: postern dev */
    bool text_index;          /* searches ask the accounts' indexes of texts */
    bool deduplicate;         /* what an MTA sends again is recognised */
    bool any_sender;          /* users may send in any name */
    const struct serve_special *special; /* made for an account that has only INBOX */
    size_t special_count;
    postern_time login_delay; /* to announce (R46); user_in enforces it. 0: none */
    /* user_in / user_out - count the logged-in sessions of a user; user_in POSTERN_E_AGAIN: logged
     * in again too soon, any other <0: too many. May be NULL. */
    int (*user_in)(void *ctx, struct postern_span user);
    void (*user_out)(void *ctx, struct postern_span user);
    /* trusts - is the peer one whose XCLIENT counts? May be NULL. */
    bool (*trusts)(void *ctx, void *conn);
    /* is_crowded - are there nearly as many connections as there may be? May be NULL. */
    bool (*is_crowded)(void *ctx);
    /* struck - the session ended with failed logins (for bans). May be NULL. */
    void (*struck)(void *ctx, void *conn);
    void *ctx;
};

/* struct serve_protocol - a protocol's sessions: the engine with its mailbox and open messages, as
 * a connection drives them (net_session_ops are the same functions). */
struct serve_protocol {
    const char *name, *name_tls, *alpn; /* "pop3", "pop3s", "pop3" */
    const char *refusal;                /* for who is one too many */
    /* make - peer: address text for log lines and delays; copied. session_r: given. */
    int (*make)(void **session_r, const struct serve_site *site, void *conn,
                struct postern_span peer, const struct postern_tls_facts *tls,
                bool plaintext_allowed, postern_time now);
    int (*feed)(void *session, struct postern_span in, postern_time now);
    void (*eof)(void *session);
    void (*pump)(void *session, postern_time now); /* ask and answer until nothing is left now */
    size_t (*output)(void *session, struct postern_piece *pieces_r, size_t max);
    /* file_of - descriptor and offset behind a file-range piece, or -1. */
    int (*file_of)(void *session, uint64_t content, uint64_t offset, uint64_t *file_offset_r);
    void (*sent)(void *session, uint64_t n, postern_time now);
    unsigned (*wants)(const void *session);
    postern_time (*deadline)(const void *session);
    void (*tick)(void *session, postern_time now);
    int (*tls_up)(void *session, const struct postern_tls_facts *facts);
    void (*shutdown)(void *session);
    void (*free)(void *session); /* legal at any time; work under way finishes into nothing */
};
extern const struct serve_protocol serve_pop3, serve_imap, serve_smtp, serve_submission, serve_lmtp;

#endif
