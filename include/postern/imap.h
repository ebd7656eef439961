/* SPDX-License-Identifier: MIT */
/* postern/imap.h - an IMAP server session without I/O (RFC 3501, 9051 and extensions).
 *
 * Read engine.h first: how a host turns the crank. The engine owns sequence numbers; the
 * application speaks UIDs, flags and mod-sequences (message.h). At most one question is open. It
 * asks
 *
 *   CONNECT                 may this peer in?                      answer
 *   AUTHENTICATE, AUTH_LOOKUP   as in POP3                         answer_authenticate, answer_keys
 *   LOGIN                   open the account of `name`             answer
 *   LIST                    all mailboxes, with counts or not      answer_list
 *   STATUS                  one of them                            answer_status
 *   CREATE REMOVE RENAME SUBSCRIBE                                 answer
 *   SELECT                  open `name`, and what is in it         answer_mailbox
 *   LOOK                    what is in `name`, not to select it     answer_mailbox
 *   NEWS                    what changed in it since `since`       answer_mailbox
 *   MESSAGES                the messages of a range of UIDs        answer_messages
 *   STRUCTURE               the parsed form of one (mime.h), or of several
 *                                                          answer_structure, answer_structures
 *   CONTENT, READ           open one, and read of it               answer_content, answer_read
 *   STORE                   change flags                           answer_uids: those not changed
 *   COPY                    copy or move to `name`                 answer_uids: the new ones
 *   EXPUNGE                 delete these                           answer
 *   APPEND, WRITE           begin a message for `name`; octets     answer
 *   QUOTA                   what the account has and may have      answer_quota
 *   SET_QUOTA               give it these limits, if the user may  answer_quota
 *   METADATA, SET_METADATA  annotations of `name`; empty: the account's
 *                                                                  answer_metadata, answer
 *   FIND                    which messages may have a text in them  answer_found
 *   VANISHED                what was expunged above `since`         answer_found
 *   COMMIT                  make all that were begun last          answer_uids: the new ones
 *   RIGHTS                  what the user may do with `name`       answer_rights
 *   ACL, SET_ACL            who may do what with it; change that   answer_acl, answer
 *
 * The last two lines only where options.acl is set; then each command is checked against the
 * rights that RFC 4314 4 asks for before its question comes, and a mailbox without `l` is refused
 * as one that is not there.
 *
 * MESSAGES, STRUCTURE, CONTENT and FIND with a `name` are about that mailbox, else about the
 * selected one; APPEND and COMMIT with `uids` replace that message of the selected mailbox. It
 * tells (id 0, no answer)
 *
 *   CONTENT_DONE            the open message may be closed
 *   ABORT                   what was begun by APPEND is not to be
 *   WATCH, UNWATCH          call postern_imap_news() when the mailbox may have changed
 *   WATCH_ALL               call it when anything that LIST tells may have changed, in the selected
 *                           mailbox or elsewhere; of these three the last one told counts, and
 *                           UNSELECT ends WATCH
 *   UNSELECT                the mailbox may be closed
 *   LOGOUT                  the account may be closed; another login may follow (UNAUTHENTICATE)
 *
 * Any question may be answered with postern_imap_answer_default(): the safe refusal. What is open
 * when the session ends is the host's to close. */
#ifndef POSTERN_IMAP_H
#define POSTERN_IMAP_H

#include <postern/engine.h>
#include <postern/message.h>
#include <postern/mime.h>
#include <postern/sasl.h>

#ifdef __cplusplus
extern "C" {
#endif

/* States of a session (a mask, so that tables can name several).  RFC 9051 3 */
enum postern_imap_state {
    POSTERN_IMAP_GREETING = 1,
    POSTERN_IMAP_NOT_AUTHENTICATED = 2,
    POSTERN_IMAP_AUTHENTICATED = 4,
    POSTERN_IMAP_SELECTED = 8,
    POSTERN_IMAP_OVER = 16
};

/* struct postern_imap_options - always set up by POSTERN_IMAP_OPTIONS_INIT(&o). Spans and pointers
 * are lent until the session is freed. */
struct postern_imap_options {
    uint32_t struct_bytes;                     /* filled in by the macro */
    const struct postern_allocator *allocator; /* NULL = malloc */
    const struct postern_random *random;       /* NULL: no SCRAM */
    const struct postern_crypto *crypto;       /* NULL: no SCRAM */
    struct postern_span greeting;              /* "Postern ready" */
    struct postern_span id_name, id_version;   /* told by ID; "Postern", absent: not told */
    unsigned sasl_mechanisms;                  /* mask; as POP3's */
    struct postern_span decoy_key;             /* see sasl.h; absent: made from random */
    struct postern_span hidden; /* extensions not offered: "MOVE QRESYNC", or with commas */
    int64_t (*seconds)(void);   /* since 1970, for YOUNGER and OLDER; NULL: not offered */
    /* shared mailboxes: their names begin with these, delimiter included ("Other/", then a user's
     * name; "Shared/"); absent: there are none. Told by NAMESPACE (RFC 2342) */
    struct postern_span other_users, shared;
    bool acl; /* RIGHTS, ACL and SET_ACL are answered: offer ACL (RFC 4314); false */
    bool plaintext_without_tls; /* false: LOGINDISABLED without TLS (RFC 9051 6.2.3) */
    bool tls_available;         /* offer STARTTLS; false */
    bool login_referrals;       /* say LOGIN-REFERRALS (RFC 2221); false */
    bool has_text_index;        /* searches for texts ask FIND first; false */
    bool has_field_index;       /* those for a text in Subject or From do, too; false */
    bool compress_available;    /* the host can do DEFLATE (RFC 4978): offer COMPRESS; false */
    /* limits */
    uint32_t message_limit; /* messages of one command, told as MESSAGELIMIT (RFC 9738; it wants at
                               least 1000); 0: any number */
    uint32_t save_limit;    /* of COPY and APPEND only, as SAVELIMIT; not both */
    uint32_t command_before_login_max; /* octets of a command; 40960: ID may have 30 pairs */
    uint32_t command_max;              /* once logged in; 1 MiB: sets of a mailbox full of holes */
    uint64_t append_max;               /* octets of a message; 64 MiB */
    uint32_t errors_max;               /* bad commands in a row before the end; 20 */
    uint32_t failures_max;             /* failed logins before the end; 3 */
    uint32_t notify_max;               /* mailboxes of an account that NOTIFY watches; 10,000 */
    uint32_t output_mark;              /* back-pressure above so much own output; 65536 */
    uint32_t read_chunk;               /* most octets asked for by one READ; 65536 */
    postern_time login_timeout;        /* 60 s */
    postern_time idle_timeout;         /* 30 min (RFC 9051 5.4) */
};
POSTERN_API void postern_imap_options_init(struct postern_imap_options *options,
                                           size_t struct_bytes);
#define POSTERN_IMAP_OPTIONS_INIT(options) postern_imap_options_init((options), sizeof *(options))

/* ---- questions ----------------------------------------------------------------------------- */

enum postern_imap_question_kind {
    POSTERN_IMAP_CONNECT = 1,
    POSTERN_IMAP_AUTHENTICATE,
    POSTERN_IMAP_AUTH_LOOKUP,
    POSTERN_IMAP_LOGIN,
    POSTERN_IMAP_LIST,
    POSTERN_IMAP_STATUS,
    POSTERN_IMAP_CREATE,
    POSTERN_IMAP_REMOVE,
    POSTERN_IMAP_RENAME,
    POSTERN_IMAP_SUBSCRIBE,
    POSTERN_IMAP_SELECT,
    POSTERN_IMAP_NEWS,
    POSTERN_IMAP_MESSAGES,
    POSTERN_IMAP_STRUCTURE,
    POSTERN_IMAP_CONTENT,
    POSTERN_IMAP_READ,
    POSTERN_IMAP_STORE,
    POSTERN_IMAP_COPY,
    POSTERN_IMAP_EXPUNGE,
    POSTERN_IMAP_APPEND,
    POSTERN_IMAP_WRITE,
    POSTERN_IMAP_COMMIT,
    POSTERN_IMAP_QUOTA,
    POSTERN_IMAP_LOOK,
    POSTERN_IMAP_METADATA,
    POSTERN_IMAP_SET_METADATA,
    POSTERN_IMAP_SET_QUOTA,
    POSTERN_IMAP_RIGHTS,
    POSTERN_IMAP_ACL,
    POSTERN_IMAP_SET_ACL,
    POSTERN_IMAP_FIND,
    POSTERN_IMAP_VANISHED,
    /* news */
    POSTERN_IMAP_CONTENT_DONE,
    POSTERN_IMAP_ABORT,
    POSTERN_IMAP_WATCH,
    POSTERN_IMAP_WATCH_ALL,
    POSTERN_IMAP_UNWATCH,
    POSTERN_IMAP_UNSELECT,
    POSTERN_IMAP_LOGOUT
};

/* struct postern_imap_question - which fields count stands behind them. Spans and arrays are lent
 * until the answer. */
struct postern_imap_question {
    enum postern_imap_question_kind kind;
    uint64_t id;
    /* AUTHENTICATE, AUTH_LOOKUP */
    const char *method; /* "LOGIN" or the SASL mechanism's name */
    unsigned mechanism; /* 0 for LOGIN */
    struct postern_span user, authorize, secret;
    bool tls;
    /* a mailbox's name in UTF-8; LOGIN: whose account; RENAME: from name to `to`; SET_ACL: `to` is
     * the identifier; ACL: of whom LISTRIGHTS asks */
    struct postern_span name, to;
    enum postern_special_use special; /* CREATE */
    bool on; /* SUBSCRIBE: not UNSUBSCRIBE; SELECT: only to read; COPY: move; NEWS: also if nothing
                is; LIST: the counts are needed too, not names and attributes only; RIGHTS:
                of the nearest mailbox above it, as it is to be made */
    uint64_t since;                 /* NEWS, VANISHED: mod-sequence; SELECT: that a client knows it
                                       by, UINT64_MAX: none does */
    struct postern_uid_range range; /* MESSAGES */
    uint32_t count;                 /* MESSAGES: at most so many, the first ones */
    uint32_t uid;                   /* STRUCTURE, CONTENT */
    uint32_t uid_validity;          /* STRUCTURE, CONTENT with a name: what it must be; 0: any */
    uint64_t content, offset;       /* READ, CONTENT_DONE */
    uint32_t length;                /* READ */
    const uint32_t *uids;           /* STORE, COPY, EXPUNGE: rising. APPEND, COMMIT: of the selected
                                       mailbox the one that is replaced, or none. STRUCTURE: `uid`
                                       and those that will be asked for next, rising; or none */
    size_t uid_count;
    uint32_t rights; /* SET_ACL: they are set, added or removed */
    /* STORE: these stay as they are; COPY: these are not copied: the user's rights are not for them
     */
    uint32_t kept_flags;
    bool kept_keywords;
    bool shared; /* LIST: mailboxes of others are asked for as well */
    /* STORE, APPEND, SET_ACL */
    enum postern_flags_how how;
    uint32_t flags;
    const struct postern_span *keywords; /* names */
    size_t keyword_count;
    bool conditional;    /* only those whose mod-sequence is at most `since` */
    int64_t date_s;      /* APPEND; 0: now */
    uint64_t size_bytes; /* APPEND: announced */
    /* WRITE; FIND: a text, folded by i;unicode-casemap (RFC 5051) */
    struct postern_span bytes;
    enum postern_mime_field field; /* FIND: of the header; POSTERN_MIME_OTHER: text anywhere */
    const struct postern_metadata *metadata; /* SET_METADATA: absent values are removed */
    size_t metadata_count;
    struct postern_quota limits; /* SET_QUOTA: bytes_max, messages_max, mailboxes_max; 0: none */
};

/* ---- the session: as the functions of the same name in pop3.h ------------------------------ */

struct postern_imap;
POSTERN_API int postern_imap_new(struct postern_imap **session_r,
                                 const struct postern_imap_options *options,
                                 const struct postern_tls_facts *tls,
                                 postern_time now) POSTERN_MUST_USE;
POSTERN_API void postern_imap_free(struct postern_imap **session);
POSTERN_API int postern_imap_feed(struct postern_imap *s, struct postern_span in,
                                  postern_time now) POSTERN_MUST_USE;
POSTERN_API void postern_imap_eof(struct postern_imap *s);
POSTERN_API int postern_imap_next(struct postern_imap *s,
                                  struct postern_imap_question *question_r) POSTERN_MUST_USE;
POSTERN_API size_t postern_imap_output(struct postern_imap *s, struct postern_piece *pieces_r,
                                       size_t max);
POSTERN_API void postern_imap_sent(struct postern_imap *s, uint64_t n, postern_time now);
POSTERN_API unsigned postern_imap_wants(const struct postern_imap *s);
POSTERN_API postern_time postern_imap_deadline(const struct postern_imap *s);
POSTERN_API void postern_imap_tick(struct postern_imap *s, postern_time now);
POSTERN_API int postern_imap_tls_up(struct postern_imap *s,
                                    const struct postern_tls_facts *facts) POSTERN_MUST_USE;
/* postern_imap_compress_up - after WANT_COMPRESS: from here on the host inflates what it feeds and
 * deflates what it sends (RFC 1951, no header), flushing whenever output() gives no more. What
 * stood behind COMPRESS in the input was not taken: it is compressed. Returns 0, POSTERN_E_USAGE.
 */
POSTERN_API int postern_imap_compress_up(struct postern_imap *s) POSTERN_MUST_USE;
POSTERN_API void postern_imap_shutdown(struct postern_imap *s);
POSTERN_API enum postern_imap_state postern_imap_state(const struct postern_imap *s);
/* postern_imap_user - whose account it is; absent before login. Lent until the next call. */
POSTERN_API struct postern_span postern_imap_user(const struct postern_imap *s);
/* postern_imap_news - between WATCH or WATCH_ALL and UNWATCH: a mailbox may have changed. It will
 * ask NEWS, and after WATCH_ALL LIST. */
POSTERN_API void postern_imap_news(struct postern_imap *s);
/* postern_imap_overflow - after WATCH_ALL: not all can be watched (any more). The client is told,
 * and nothing is told it from then on (RFC 5465 5.8). While LIST is asked for the first time answer
 * that with POSTERN_E_FULL instead, which refuses NOTIFY. Returns 0, POSTERN_E_USAGE (nobody wants
 * to know), POSTERN_E_NOMEM. */
POSTERN_API int postern_imap_overflow(struct postern_imap *s);
/* postern_imap_keywords - the mailbox has these keywords now, by number; call it before an answer
 * that shows a new one. Borrowed. */
POSTERN_API void postern_imap_keywords(struct postern_imap *s, const struct postern_span *names,
                                       size_t count);
/* postern_imap_hide - besides options.hidden, these extensions are not offered to this user;
 * copied. Call it before answering LOGIN. Returns 0, POSTERN_E_NOMEM. */
POSTERN_API int postern_imap_hide(struct postern_imap *s,
                                  struct postern_span names) POSTERN_MUST_USE;
/* postern_imap_is_extension - is it one that can be hidden, by its capability's name? */
POSTERN_API bool postern_imap_is_extension(struct postern_span name);
/* postern_imap_memory - octets of engine memory held now. */
POSTERN_API size_t postern_imap_memory(const struct postern_imap *s);

/* ---- answers: each returns 0, POSTERN_E_STALE, POSTERN_E_USAGE (wrong kind), or POSTERN_E_NOMEM
 * (the session is over). err: 0 or a POSTERN_E_*, which refuses the command with the response code
 * that fits (RFC 9051 7.1). All is borrowed. ------------------------------------------------- */

POSTERN_API int postern_imap_answer_default(struct postern_imap *s, uint64_t id);
/* postern_imap_answer - CONNECT, LOGIN, CREATE, REMOVE, RENAME, SUBSCRIBE, EXPUNGE, APPEND, WRITE,
 * SET_METADATA, SET_ACL. */
POSTERN_API int postern_imap_answer(struct postern_imap *s, uint64_t id, int err);
/* postern_imap_answer_referral - LOGIN: the account is on another server, url (RFC 2221, 5092;
 * graphic ASCII without "]", else POSTERN_E_SYNTAX and the question stays open). The session is
 * logged out. */
POSTERN_API int postern_imap_answer_referral(struct postern_imap *s, uint64_t id,
                                             struct postern_span url);
/* postern_imap_answer_authenticate - user: the account's name if it is not the name as sent. */
POSTERN_API int postern_imap_answer_authenticate(struct postern_imap *s, uint64_t id,
                                                 enum postern_verdict verdict,
                                                 struct postern_span user);
/* postern_imap_answer_keys - keys NULL: user unknown, or has none. */
POSTERN_API int postern_imap_answer_keys(struct postern_imap *s, uint64_t id,
                                         enum postern_verdict verdict,
                                         const struct postern_scram_keys *keys,
                                         struct postern_span user);
/* postern_imap_answer_list - in the order of their names. */
POSTERN_API int postern_imap_answer_list(struct postern_imap *s, uint64_t id, int err,
                                         const struct postern_status *all, size_t count);
POSTERN_API int postern_imap_answer_status(struct postern_imap *s, uint64_t id, int err,
                                           const struct postern_status *status);
/* struct postern_imap_mailbox - a mailbox as it is now. */
struct postern_imap_mailbox {
    struct postern_status status;
    const struct postern_uid_range *ranges; /* all UIDs there are: rising, apart */
    size_t range_count;
    const struct postern_message_info
        *changed; /* SELECT, NEWS: with a mod-sequence above `since`; rising */
    size_t changed_count;
    /* SELECT: the UIDs that were expunged above `since`, perhaps more of those that are gone:
     * rising, apart. Not known: what is not there counts as expunged since. */
    const struct postern_uid_range *vanished;
    size_t vanished_count;
    bool vanished_known;
    const struct postern_span *keywords; /* all, by number */
    size_t keyword_count;
    uint32_t first_unseen; /* SELECT: the first UID without \Seen, for IMAP4rev1; 0: none */
    uint32_t
        recent_from; /* SELECT: this UID and above were in no session before (\Recent); 0: none */
    bool unchanged;  /* NEWS: nothing since; what stands above does not count */
    bool read_only;  /* SELECT: it can only be read */
};
POSTERN_API int postern_imap_answer_mailbox(struct postern_imap *s, uint64_t id, int err,
                                            const struct postern_imap_mailbox *mailbox);
/* postern_imap_answer_quota - QUOTA, SET_QUOTA: as it is now. SET_QUOTA by a user who may not:
 * POSTERN_E_DENIED. */
POSTERN_API int postern_imap_answer_quota(struct postern_imap *s, uint64_t id, int err,
                                          const struct postern_quota *quota);
/* postern_imap_answer_metadata - all of that mailbox, in any order. */
POSTERN_API int postern_imap_answer_metadata(struct postern_imap *s, uint64_t id, int err,
                                             const struct postern_metadata *all, size_t count);
/* postern_imap_answer_rights - POSTERN_RIGHT_*. One who has none gets the same as one who asks for
 * what is not there: 0, or POSTERN_E_NOT_FOUND. */
POSTERN_API int postern_imap_answer_rights(struct postern_imap *s, uint64_t id, int err,
                                           uint32_t rights);
/* postern_imap_answer_acl - of all identifiers, the owner's too (fixed). */
POSTERN_API int postern_imap_answer_acl(struct postern_imap *s, uint64_t id, int err,
                                        const struct postern_acl *all, size_t count);
/* postern_imap_answer_messages - rising; fewer than question.count: there are no more. */
POSTERN_API int postern_imap_answer_messages(struct postern_imap *s, uint64_t id, int err,
                                             const struct postern_message_info *all, size_t count);
/* postern_imap_answer_structure - block: as mime.h made it of the message. */
POSTERN_API int postern_imap_answer_structure(struct postern_imap *s, uint64_t id, int err,
                                              struct postern_span block);
/* postern_imap_answer_structures - of the first so many of question.uids, at least one, each with
 * its UID. Unlike all other answers it is lent: until a question is shown that is none of MESSAGES,
 * CONTENT, READ and STORE, or the session is freed. */
POSTERN_API int postern_imap_answer_structures(struct postern_imap *s, uint64_t id,
                                               const struct postern_structure *all, size_t count);
/* postern_imap_answer_content - content: any number that names it to the application. size_raw: its
 * octets as READ gives them, or POSTERN_SIZE_UNKNOWN; where they are as many as on the wire, lines
 * are not looked for. */
POSTERN_API int postern_imap_answer_content(struct postern_imap *s, uint64_t id, int err,
                                            uint64_t content, uint64_t size_raw);
/* postern_imap_answer_read - empty: the end. */
POSTERN_API int postern_imap_answer_read(struct postern_imap *s, uint64_t id, int err,
                                         struct postern_span bytes);
/* postern_imap_answer_found - ranges of UIDs, rising, apart. VANISHED: what was expunged from the
 * selected mailbox above `since`, perhaps more; err: it is not known. FIND: a message that is in
 * none of them, now or when it comes, has the text neither in its header nor in a text part; those
 * that are in them will be read. err: nothing is known, all are read. */
POSTERN_API int postern_imap_answer_found(struct postern_imap *s, uint64_t id, int err,
                                          const struct postern_uid_range *ranges, size_t count);
/* postern_imap_answer_uids - COPY, COMMIT: the new UIDs, in order, and the UID validity of where
 * they are; STORE: those that were skipped, as changed meanwhile; not those that are gone. err of
 * COPY: POSTERN_E_NOT_FOUND, there is no such mailbox, and the client may make it; POSTERN_E_STALE,
 * one of the messages is gone, and none was copied. */
POSTERN_API int postern_imap_answer_uids(struct postern_imap *s, uint64_t id, int err,
                                         uint32_t uid_validity, const uint32_t *uids, size_t count);

#ifdef __cplusplus
}
#endif
#endif
