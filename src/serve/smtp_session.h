/* SPDX-License-Identifier: MIT */
/* smtp_session - what the files of the SMTP joint share: the session, and where a message goes.
 *
 * As in IMAP, a question is worked on at once where that needs no waiting, else on a worker, and
 * while a worker has it the session is only marked to be freed. A message is kept in memory until
 * it is too large for that; then it is written to all who get it as it comes. */
#ifndef SERVE_SMTP_SESSION_H
#define SERVE_SMTP_SESSION_H

#include "base/buffer.h"
#include "serve/filter.h"
#include "serve/login.h"
#include "serve/relay.h"

#define SMTP_SPOOL_BYTES 65536

struct serve_smtp;

/* struct smtp_work - how a kind of question is answered. */
struct smtp_work {
    int (*work)(struct serve_smtp *s, unsigned wait_flag); /* as struct imap_work's */
    void (*finish)(struct serve_smtp *s, int err);
    bool tries_now;
    bool waits_long; /* for another server */
};

/* struct smtp_target - a mailbox that gets the message, once, for whomever it was named. */
struct smtp_target {
    char user[256], detail[256], address[256]; /* address: as the recipient was first named */
    struct postern_account *account;
    struct postern_mailbox *mailbox;
    struct postern_delivery *delivery;
    uint32_t uid; /* what it was committed as; 0: it was not */
    bool dropped; /* a filter took out all who are it */
    int err;      /* why it does not get it */
};

/* struct smtp_recipient - an accepted RCPT: its targets are those of these numbers. */
struct smtp_recipient {
    size_t first, count; /* in s->links */
    bool deleted;        /* by a filter */
};

struct serve_smtp {
    const struct serve_site *site;
    void *conn;
    enum postern_smtp_role role;
    struct postern_smtp *engine;
    struct postern_smtp_question question; /* the open one */
    struct login login;
    const struct smtp_work *working; /* on a worker; NULL: not */
    int err;                         /* of that work */
    bool dead;                       /* to be freed when it comes home */
    char name[24];                   /* of the session, in ids */
    /* the transaction */
    postern_time began; /* MAIL was said */
    struct buffer sender;
    struct smtp_target **targets; /* each its own memory: there may be many, and large ones */
    size_t target_count;
    struct buffer links, recipients; /* of size_t, of struct smtp_recipient */
    struct buffer addresses;         /* their texts, a line each, for a filter */
    size_t answered;                 /* that many of them came by RCPT; 0: all */
    struct buffer others;            /* those of them that a sendmail gets */
    struct spool whole;              /* the message, where a filter or a sendmail is to see it */
    char peer_name[256];             /* of the client, for them; "": it has none */
    bool peer_named;                 /* it was looked for */
    bool has_client;                 /* a proxy named it */
    void *talks[FILTERS_MAX];        /* with the filters, as long as the session */
    struct filter_verdict verdict;   /* of all of them; without edits */
    struct address_targets found;    /* of the RCPT at hand */
    struct buffer spool;             /* the message, as long as it is small */
    uint64_t octets;
    unsigned char digest[POSTERN_HASH_BYTES_MAX]; /* of what came */
    bool has_digest;
    char saved[64];      /* what is said of a message that was taken */
    uint64_t size_bytes; /* as announced */
    bool is_8bit, utf8;
    struct relay *relay; /* to another server; NULL: none */
    bool relays;         /* which was told of the sender */
    unsigned elsewhere;  /* recipients there */
    bool over_quota;     /* of a mailbox: the disk is not full */
    bool streams;        /* it is written to the targets as it comes */
};

const struct postern_store_ops *smtp_ops(const struct serve_smtp *s);
/* smtp_go - the open question: done now, or by a worker. */
void smtp_go(struct serve_smtp *s, const struct smtp_work *work);
/* smtp_say - answers the open question. */
void smtp_say(struct serve_smtp *s, unsigned code, const char *enhanced, const char *text);
void smtp_yes(struct serve_smtp *s);
/* smtp_log_end - what became of the message. */
void smtp_log_end(struct serve_smtp *s, int err);

/* smtp_login.c */
void smtp_login_init(struct serve_smtp *s, struct postern_span peer, postern_time now);
void smtp_login_ask(struct serve_smtp *s);
void smtp_login_accept(struct serve_smtp *s);

/* smtp_envelope.c: MAIL, RCPT, VERIFY */
extern const struct smtp_work smtp_mail, smtp_rcpt, smtp_verify;
/* smtp_note_recipient - the one at hand, with what was found for it; smtp_accept_recipient - it is
 * noted and answered, here or by the other server. */
int smtp_note_recipient(struct serve_smtp *s, const struct postern_smtp_path *path);
void smtp_accept_recipient(struct serve_smtp *s);
/* smtp_drop - the transaction, and what was begun of the message. */
void smtp_drop(struct serve_smtp *s);

/* smtp_deliver.c: WRITE, COMMIT */
void smtp_write(struct serve_smtp *s);
extern const struct smtp_work smtp_commit, smtp_commit_filtered;
/* smtp_keep - octets at hand, for the mailboxes; smtp_stage - all of it is theirs, but not
 * committed; smtp_commit_all - it is. Each waits for the disk. */
int smtp_keep(struct serve_smtp *s, unsigned wait_flag);
int smtp_stage(struct serve_smtp *s);
int smtp_commit_all(struct serve_smtp *s);
/* smtp_answer_with - the reply that fits an error of ours; 0: go on. */
void smtp_answer_with(struct serve_smtp *s, int err);

/* smtp_again.c: smtp_note_digest - of a message that is whole, before filters see it;
 * smtp_delivery_id - by which it is recognised if the peer sends it again, written to
 * out; absent: it is not to be. */
#define SMTP_ID_BYTES 48
void smtp_note_digest(struct serve_smtp *s);
struct postern_span smtp_delivery_id(struct serve_smtp *s, const struct smtp_target *target,
                                     char out[SMTP_ID_BYTES]);
/* smtp_write_all - octets for all mailboxes. */
int smtp_write_all(struct serve_smtp *s, struct postern_span bytes);

/* smtp_filter.c: on a worker. smtp_filter - 0, or POSTERN_E_DENIED: s->verdict says why;
 * smtp_sendmail - likewise, of those elsewhere; smtp_pour - the message that the filters leave. */
int smtp_filter(struct serve_smtp *s);
int smtp_sendmail(struct serve_smtp *s);
int smtp_pour(struct serve_smtp *s, int (*write)(struct serve_smtp *s, struct postern_span bytes));
/* smtp_filters_envelope - is one of them to be asked at MAIL and RCPT, by these two? */
bool smtp_filters_envelope(const struct serve_smtp *s);
extern const struct smtp_work smtp_filter_mail, smtp_filter_rcpt;
void smtp_say_verdict(struct serve_smtp *s);
/* smtp_filters_end - they are told that the transaction is over; smtp_filters_close - the session.
 */
void smtp_filters_end(struct serve_smtp *s);
void smtp_filters_close(struct serve_smtp *s);
/* smtp_peer_address - "192.0.2.1" of "192.0.2.1:4711", "[::ffff:192.0.2.1]:4711"; absent: none. */
struct postern_span smtp_peer_address(const struct serve_smtp *s);

/* smtp_change.c: smtp_change_envelope - lines of enum filter_change and an address. 0, or <0: some
 * of it cannot be done, and nothing is. */
int smtp_change_envelope(struct serve_smtp *s, struct postern_span wishes);

/* smtp_is_whole - the message is kept until it is whole. */
bool smtp_is_whole(const struct serve_smtp *s);

/* smtp_relay.c */
bool smtp_may_relay(const struct serve_smtp *s);
extern const struct smtp_work smtp_relay_rcpt, smtp_relay_begin, smtp_relay_write,
    smtp_relay_commit;
/* smtp_target_close - what it has open; a delivery is aborted. */
void smtp_target_close(struct serve_smtp *s, struct smtp_target *target);

#endif
