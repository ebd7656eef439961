/* SPDX-License-Identifier: MIT */
/* postern/provider.h - POP3 and IMAP from a struct of functions, for people who like callbacks.
 *
 *     struct postern_provider mine = {.struct_bytes = sizeof mine, .ctx = &my_program,
 *                                     .authenticate = check, .messages = show, .fetch = open};
 *     postern_service_new(&service, &mine, NULL);
 *     postern_serve_imap_fd(service, connected_socket);  one connection on this thread, to its end
 *     postern_serve_fd(service, another_socket);         the same mail over POP3
 *
 * There are two ways to show messages, and a program may have both: `list` and `retrieve` are
 * POP3's words, `messages` and `fetch` are IMAP's. With the latter alone POP3 shows INBOX.
 *
 * A program with a loop of its own makes a visit per connection, turns the crank that engine.h
 * describes on postern_visit_engine() or postern_visit_imap(), and calls postern_visit_pump() where
 * next() and the answers would stand.
 *
 * Results. A callback returns what it decided: POSTERN_YES, another enum postern_verdict, or an
 * enum postern_err (<0), which refuses with the verdict that postern_verdict_of() gives. Or it
 * returns POSTERN_LATER and keeps its token: then what it was lent stays lent, it may fill in its
 * out-parameters, and ends with postern_answer(token, result), from any thread. Each token is
 * answered once.
 *
 * Threads: a service is shared by any number of threads; a visit belongs to one at a time, on which
 * its callbacks run. Ownership words: see base.h. */
#ifndef POSTERN_PROVIDER_H
#define POSTERN_PROVIDER_H

#include <postern/imap.h>
#include <postern/pop3.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sockaddr;
struct postern_service; /* a provider made ready: checked, with its table of bans */
struct postern_visit;   /* one connection */

#define POSTERN_LATER (-1000) /* a callback's result: postern_answer() will bring it */

/* struct postern_token - a question to the application. By value: keep it as long as needed. */
struct postern_token {
    struct postern_visit *visit; /* not to be used after disconnected() */
    uint64_t id;
};

/* struct postern_login - credentials. Spans lent until the answer; secret is wiped then. */
struct postern_login {
    const char *method;            /* "PASS", "APOP" or the SASL mechanism's name */
    unsigned mechanism;            /* enum postern_sasl_mechanism; 0 for PASS and APOP */
    struct postern_span user;      /* who proves an identity */
    struct postern_span authorize; /* the user to act as; absent = same */
    struct postern_span secret;    /* password or token; absent for EXTERNAL, SCRAM, APOP */
    bool tls;                      /* sent under TLS */
};

/* struct postern_listing - a mailbox while the application lists it. Filled in with the defaults
 * that stand behind each field. */
struct postern_listing {
    void *builder;     /* the library's */
    bool read_only;    /* DELE is refused with [READ-ONLY]; whether delete_set is NULL */
    int expire_days;   /* real value for this user; -1 as in the options */
    int login_delay_s; /* real value for this user; -1 as in the options */
    uint32_t last;     /* highest number accessed, for LAST; 0 */
};

/* struct postern_body - the content of a message, one of bytes, fd, read (none: it cannot be read).
 * Line ends may be LF or CRLF; the engine sends CRLF, stuffs dots, adds a missing last line end. */
struct postern_body {
    uint64_t size_bytes;       /* octets of the content; POSTERN_SIZE_UNKNOWN when not known */
    struct postern_span bytes; /* the whole content, lent until done() */
    int fd;                    /* else a file, taken: closed with the body; -1 none */
    uint64_t fd_offset;        /* where the content begins in it */
    /* read - else: at most n octets from offset on into out, how many (0 at the end), <0 an error,
     * or POSTERN_LATER: fill out, then postern_answer(token, count). */
    int (*read)(void *handle, struct postern_token token, uint64_t offset, char *out, size_t n);
    /* done - the body is no longer used; not called while a read is open, unless the connection
     * ended. May be NULL. */
    void (*done)(void *handle);
    void *handle;
    bool wire_clean; /* CRLF everywhere incl. at the end, and no line begins with a dot: copied as
                        is */
};

/* struct postern_letter - a message in a mailbox of IMAP. */
struct postern_letter {
    uint32_t uid;                 /* 1 and above; its own for ever, later ones are higher */
    uint32_t flags;               /* POSTERN_FLAG_* */
    struct postern_span keywords; /* words apart by spaces: "$Forwarded urgent" */
    int64_t date_s;               /* when it came, seconds since 1970; append: 0: now */
    uint64_t size_bytes;          /* octets in wire form: postern_wire_size() counts them; never
                                     POSTERN_SIZE_UNKNOWN */
};

/* struct postern_letters - a mailbox while the application shows it. Filled in with the defaults
 * that stand behind each field. */
struct postern_letters {
    void *builder;         /* the library's */
    uint32_t uid_validity; /* another number once UIDs were used anew; 1 */
    uint32_t uid_next;     /* above all UIDs there ever were; one above the last that is shown */
    bool read_only;        /* whether store is NULL */
};

/* struct postern_provider - the application. NULL means "not offered", and its capability
 * disappears with it. Required: list and retrieve, or messages and fetch, or all four; and
 * authenticate or keys. */
struct postern_provider {
    uint32_t struct_bytes; /* sizeof (struct postern_provider) */
    void *ctx;             /* passed to every callback */
    /* connected - may this peer in? peer: address as text, "" when there is none. stamp_r: the APOP
     * timestamp of this connection, when options.stamp is POSTERN_POP3_STAMP_ASK. NULL: everybody
     * who is not banned. */
    int (*connected)(void *ctx, struct postern_token token, const char *peer,
                     struct postern_span *stamp_r);
    /* authenticate - are these credentials good? user_r: the mailbox's name if it is not the name
     * as sent; lent until the next callback of the visit, so not of the callback's stack. NULL: no
     * USER, PASS, PLAIN, LOGIN, EXTERNAL, OAUTHBEARER, XOAUTH2. */
    int (*authenticate)(void *ctx, struct postern_token token, const struct postern_login *login,
                        struct postern_span *user_r);
    /* keys - what is stored of this user, for SCRAM and APOP; an unknown user is
     * POSTERN_NO_CREDENTIALS (and cannot be told from a known one by the peer). NULL: no SCRAM, no
     * APOP. */
    int (*keys)(void *ctx, struct postern_token token, const struct postern_login *login,
                struct postern_pop3_keys *keys_r);
    /* list - lock the user's mailbox and list it, oldest message first, with postern_listing_add().
     */
    int (*list)(void *ctx, struct postern_token token, struct postern_span user,
                struct postern_listing *listing);
    /* size - octets in wire form (CRLF) of one message, for those listed with POSTERN_SIZE_UNKNOWN
     * and, with UID-PARAM, those not listed. NULL: every listed size is known; what is not listed
     * is not there. */
    int (*size)(void *ctx, struct postern_token token, struct postern_span uid, uint64_t *size_r);
    /* retrieve - open a message: fill in body_r (set to: nothing, fd -1, size unknown). */
    int (*retrieve)(void *ctx, struct postern_token token, struct postern_span uid,
                    struct postern_body *body_r);
    /* delete_set - delete all of these for good, or none and say why (R25). NULL: mailboxes are
     * read-only, and DELI is not offered. */
    int (*delete_set)(void *ctx, struct postern_token token, const struct postern_span *uids,
                      size_t count);
    /* refresh - the user wakes (WAKE, X11..X14): check that the account is still good, then as
     * list. The library finds out by itself whether something new is there. NULL: no SLEE-WAKE. */
    int (*refresh)(void *ctx, struct postern_token token, struct postern_span user,
                   struct postern_listing *listing);
    /* mailboxes - all mailboxes of the user, in any order, with postern_mailboxes_add(); INBOX
     * need not be among them. NULL: INBOX alone. */
    int (*mailboxes)(void *ctx, struct postern_token token, struct postern_span user,
                     void *builder);
    /* messages - all messages of a mailbox, UIDs rising, with postern_letters_add(). Asked when the
     * mailbox is selected, and each time the client may be told what is new in it: the library
     * finds out. POSTERN_E_NOT_FOUND: there is no such mailbox. */
    int (*messages)(void *ctx, struct postern_token token, struct postern_span user,
                    struct postern_span mailbox, struct postern_letters *letters);
    /* fetch - open a message, as retrieve. POSTERN_E_NOT_FOUND: it is gone. */
    int (*fetch)(void *ctx, struct postern_token token, struct postern_span user,
                 struct postern_span mailbox, uint32_t uid, struct postern_body *body_r);
    /* store - these messages now have these flags and keywords, and no others; uid, flags and
     * keywords count. All or none; one that is gone is passed over. NULL: mailboxes can only be
     * read. */
    int (*store)(void *ctx, struct postern_token token, struct postern_span user,
                 struct postern_span mailbox, const struct postern_letter *letters, size_t count);
    /* expunge - delete all of these for good, or none. NULL: nothing can be deleted. */
    int (*expunge)(void *ctx, struct postern_token token, struct postern_span user,
                   struct postern_span mailbox, const uint32_t *uids, size_t count);
    /* copy - copies of all of these in the mailbox `to`, or of none; move: and they are deleted
     * here. uids_r: the new UIDs, in order. POSTERN_E_NOT_FOUND: there is no such mailbox, and the
     * client may make it; POSTERN_E_STALE: one of the messages is gone. NULL: no COPY, no MOVE. */
    int (*copy)(void *ctx, struct postern_token token, struct postern_span user,
                struct postern_span mailbox, const uint32_t *uids, size_t count,
                struct postern_span to, bool move, uint32_t *uids_r);
    /* append - a new message, whole (options.append_max bounds it); uid_r: its UID. letter: its
     * flags, keywords, date and size. POSTERN_E_NOT_FOUND: there is no such mailbox, and the client
     * may make it. NULL: no APPEND. */
    int (*append)(void *ctx, struct postern_token token, struct postern_span user,
                  struct postern_span mailbox, const struct postern_letter *letter,
                  struct postern_span content, uint32_t *uid_r);
    /* change - POSTERN_IMAP_CREATE, _REMOVE, _RENAME (`to` is the new name) or _SUBSCRIBE (on: or
     * not) of a mailbox. POSTERN_E_EXISTS, POSTERN_E_NOT_FOUND: so it is refused. Levels above a
     * new mailbox need not be made, and those below one that is removed stay; INBOX is never
     * removed. With a mailbox goes what is below it to the new name; of INBOX only its messages go
     * there, and it stays, empty (RFC 9051 6.3.6). NULL: refused. */
    int (*change)(void *ctx, struct postern_token token, struct postern_span user,
                  enum postern_imap_question_kind what, struct postern_span mailbox,
                  struct postern_span to, bool on);
    /* rights - what the user may do with a mailbox (POSTERN_RIGHT_*), asked before each command;
     * POSTERN_E_NOT_FOUND: it is not there, or not for him. "": who may make mailboxes that nothing
     * is above of. NULL: everything is permitted, and nothing is asked. */
    int (*rights)(void *ctx, struct postern_token token, struct postern_span user,
                  struct postern_span mailbox, uint32_t *rights_r);
    /* acl - who may do what with a mailbox, with postern_acl_add(). set_acl - change that, durably.
     * One of them NULL, or rights: ACL is not offered. */
    int (*acl)(void *ctx, struct postern_token token, struct postern_span user,
               struct postern_span mailbox, void *builder);
    int (*set_acl)(void *ctx, struct postern_token token, struct postern_span user,
                   struct postern_span mailbox, const struct postern_acl *change,
                   enum postern_flags_how how);
    /* watch - on: a client wants to hear of all mailboxes without asking (NOTIFY, RFC 5465): call
     * postern_visit_changed() from now on whenever messages(), mailboxes() or rights() would show
     * something else. Each time the library has all of them shown, and tells what is different; a
     * mailbox that is renamed is told as one that is gone and one that is new. Until it is off
     * again, or disconnected(). NULL: no NOTIFY. */
    void (*watch)(void *ctx, struct postern_visit *visit, struct postern_span user, bool on);
    /* command - one of options.commands, or a built-in that it replaces. POSTERN_YES: reply_r is
     * the answer (spans lent until the next callback of this visit); anything else: the built-in of
     * that name answers, or it is unknown. */
    int (*command)(void *ctx, struct postern_token token,
                   const struct postern_pop3_question *question,
                   struct postern_pop3_reply *reply_r);
    /* seen - a command was answered (question->command, ->ok). NULL: not told. */
    void (*seen)(void *ctx, struct postern_visit *visit,
                 const struct postern_pop3_question *question);
    /* released - the mailbox's lock may be given back: QUIT, SLEE, QAUT or the end. May be NULL. */
    void (*released)(void *ctx, struct postern_visit *visit);
    /* disconnected - the visit ends; no token of it may be used any more. May be NULL. */
    void (*disconnected)(void *ctx, struct postern_visit *visit);
    /* banned, strike - who is not let in, and whose session ended without anything but failed
     * logins. Any thread; they must answer at once. Both NULL: the built-in table. */
    bool (*banned)(void *ctx, const struct sockaddr *peer);
    void (*strike)(void *ctx, const struct sockaddr *peer);
    int ban_strikes; /* built-in table: strikes of an IPv4 address or IPv6 /64 that ban it; 0: 3;
                      * -1: no bans. Loopback and local peers are exempt. */
    postern_time ban_time; /* built-in table: how long; 0: 10 minutes */
};

/* postern_service_new - check and prepare. provider: copied. options: copied, its spans and
 * pointers lent until the service is freed; NULL: as POSTERN_POP3_OPTIONS_INIT leaves them. What
 * the provider has not is taken out of the options; the rest of them stands. service_r: given, end
 * with postern_service_free(). Returns 0, POSTERN_E_NOMEM, POSTERN_E_USAGE (a required callback is
 * missing, a struct of unknown size). */
POSTERN_API int postern_service_new(struct postern_service **service_r,
                                    const struct postern_provider *provider,
                                    const struct postern_pop3_options *options) POSTERN_MUST_USE;
/* postern_service_free - all its visits must have ended. NULL, *NULL fine. */
POSTERN_API void postern_service_free(struct postern_service **service);

/* postern_service_imap - the options of IMAP sessions; without this call they are as
 * POSTERN_IMAP_OPTIONS_INIT leaves them. Call it before the first visit. options: copied, its spans
 * and pointers lent until the service is freed. What the provider has not is taken out of them.
 * Returns 0, POSTERN_E_USAGE (a struct of unknown size, no messages(), too long a list of hidden
 * extensions). */
POSTERN_API int postern_service_imap(struct postern_service *service,
                                     const struct postern_imap_options *options) POSTERN_MUST_USE;

/* postern_serve_imap_fd - as postern_serve_fd, IMAP. Also POSTERN_E_USAGE without messages(). */
POSTERN_API int postern_serve_imap_fd(struct postern_service *service, int fd) POSTERN_MUST_USE;
/* postern_serve_fd - serve one POP3 connection on this thread until it is over. fd: a connected
 * stream socket, borrowed; made non-blocking meanwhile; not closed. There is no TLS here:
 * options.tls_available is an error. To end it from another thread, shutdown(fd, SHUT_RD). Returns
 * 0 when the session ended by the protocol's rules or the peer left, POSTERN_E_IO (errno),
 * POSTERN_E_NOMEM, POSTERN_E_USAGE. */
POSTERN_API int postern_serve_fd(struct postern_service *service, int fd) POSTERN_MUST_USE;

/* struct postern_visit_options - how a program's own loop hosts a visit. All zero is fine. */
struct postern_visit_options {
    const struct sockaddr *peer;         /* for bans and connected(); copied; NULL: a local peer */
    const struct postern_tls_facts *tls; /* implicit TLS is up; copied; NULL: plain */
    bool imap;                           /* an IMAP session, not POP3 */
    bool sends_files; /* POP3: output pieces may name ranges of files: see postern_visit_file() */
    /* wake - a late answer came: have postern_visit_pump() called on the visit's thread, and what
     * it leaves written. Runs on the thread that answered, and must call nothing of the library
     * itself. NULL: the program answers on the visit's thread and pumps then. */
    void (*wake)(void *arg);
    void *wake_arg;
};
/* postern_visit_new - a connection came. options: borrowed. visit_r: given. Returns 0,
 * POSTERN_E_NOMEM, POSTERN_E_USAGE. */
POSTERN_API int postern_visit_new(struct postern_visit **visit_r, struct postern_service *service,
                                  const struct postern_visit_options *options,
                                  postern_time now) POSTERN_MUST_USE;
/* postern_visit_free - the connection is gone: releases, disconnects, wipes. Nothing that was only
 * marked is deleted (R26). Legal with questions open. NULL, *NULL fine. */
POSTERN_API void postern_visit_free(struct postern_visit **visit);
/* postern_visit_engine, postern_visit_imap - to feed, write and tick; lent until the visit is
 * freed. next() and answers are postern_visit_pump()'s alone. NULL: the visit is of the other
 * protocol. */
POSTERN_API struct postern_pop3 *postern_visit_engine(struct postern_visit *visit);
POSTERN_API struct postern_imap *postern_visit_imap(struct postern_visit *visit);
/* postern_visit_changed - the selected mailbox may have changed, or, while that is wanted (watch),
 * any mailbox: a client that waits (IDLE, NOTIFY) is told. Any thread, and any time before
 * disconnected(); with options.wake, else on the visit's thread and followed by a pump. */
POSTERN_API void postern_visit_changed(struct postern_visit *visit);
/* postern_visit_pump - ask the application what is to be asked and take in the answers that are
 * there. Call after feed(), sent(), tls_up(), shutdown(), and after wake(). */
POSTERN_API void postern_visit_pump(struct postern_visit *visit, postern_time now);
/* postern_visit_file - the descriptor behind a piece without bytes, and where in it piece.offset
 * lies; -1: gone. */
POSTERN_API int postern_visit_file(const struct postern_visit *visit, uint64_t content,
                                   uint64_t offset, uint64_t *fd_offset_r);
/* postern_visit_set_data, postern_visit_data - a pointer of the application's own, kept with the
 * visit; NULL at first. */
POSTERN_API void postern_visit_set_data(struct postern_visit *visit, void *data);
POSTERN_API void *postern_visit_data(const struct postern_visit *visit);

/* postern_listing_add - the next message. uid: copied, 1..POSTERN_UID_MAX characters 0x21..0x7E,
 * unique in the mailbox for ever. size_bytes: octets in wire form, or POSTERN_SIZE_UNKNOWN if there
 * is a size(). flags: POSTERN_ENTRY_*. Returns 0, POSTERN_E_NOMEM, POSTERN_E_TOO_LONG,
 * POSTERN_E_USAGE (size unknown without a size()). */
POSTERN_API int postern_listing_add(struct postern_listing *listing, struct postern_span uid,
                                    uint64_t size_bytes, unsigned flags);
/* postern_letters_add - the next message; letter: copied. Returns 0, POSTERN_E_NOMEM,
 * POSTERN_E_USAGE (its UID is not above the one before, its size is not known), POSTERN_E_TOO_LONG
 * (a keyword), POSTERN_E_FULL (more than POSTERN_KEYWORDS_MAX different keywords). */
POSTERN_API int postern_letters_add(struct postern_letters *letters,
                                    const struct postern_letter *letter);
/* postern_mailboxes_add - one mailbox. name: UTF-8, levels apart by '/', "INBOX" is always there;
 * copied. builder: as mailboxes() got it. Returns 0, POSTERN_E_NOMEM, POSTERN_E_TOO_LONG,
 * POSTERN_E_USAGE (empty). */
POSTERN_API int postern_mailboxes_add(void *builder, struct postern_span name,
                                      enum postern_special_use special, bool subscribed);
/* postern_acl_add - the rights of one identifier; copied. builder: as acl() got it. Returns 0,
 * POSTERN_E_NOMEM, POSTERN_E_USAGE (no identifier). */
POSTERN_API int postern_acl_add(void *builder, const struct postern_acl *one);
/* postern_wire_size - of a message with LF or CRLF line ends, the octets that go over the wire. */
POSTERN_API uint64_t postern_wire_size(struct postern_span content);
/* postern_say - the text that goes with the refusal about to be returned; copied, one line; cut
 * after 200 octets. */
POSTERN_API void postern_say(struct postern_token token, struct postern_span text);
/* postern_answer - the result that POSTERN_LATER announced. Any thread. Returns 0, or
 * POSTERN_E_STALE: the question is no longer open, nothing changed. */
POSTERN_API int postern_answer(struct postern_token token, int result);

#ifdef __cplusplus
}
#endif
#endif
