/* SPDX-License-Identifier: MIT */
/* postern/pop3.h - a POP3 server session without I/O (RFC 1939, 2449, 2595, 3206, 5034, 6856).
 *
 * Read engine.h first: how a host turns the crank. A session asks, in time order:
 *
 *   CONNECT       may this peer in?                        answer_connect
 *   AUTHENTICATE  are these credentials good?              answer_authenticate
 *   AUTH_LOOKUP   what is stored for this user (SCRAM, APOP)?   answer_keys
 *   OPEN          lock and list the user's mailbox         answer_open
 *   FIND          a message that is not in the list, by unique-id (UID-PARAM)   answer_find
 *   MESSAGE       open message n                           answer_message
 *   READ          bytes of the open message                answer_read
 *   EXPUNGE       delete this set, all or nothing          answer_expunge
 *   COMMAND       a command of the application's own       answer_command
 * and tells (id 0, no answer):
 *   MESSAGE_DONE  the open message may be closed
 *   MAILBOX_DONE  the mailbox lock and the list may be released
 *   COMMAND_SEEN  a command was answered (if options.watch)
 *
 * Any question at all may be answered with postern_pop3_answer_default(): the safe refusal.
 * After the session ends by itself (WANT_CLOSE) or is freed, whatever is open is the host's to
 * close. */
#ifndef POSTERN_POP3_H
#define POSTERN_POP3_H

#include <postern/engine.h>
#include <postern/message.h>
#include <postern/sasl.h>

#ifdef __cplusplus
extern "C" {
#endif

/* States of a session (a mask, so that tables can name several). */
enum postern_pop3_state {
    POSTERN_POP3_GREETING = 1,      /* before the greeting */
    POSTERN_POP3_AUTHORIZATION = 2, /* RFC 1939 4 */
    POSTERN_POP3_TRANSACTION = 4,   /* RFC 1939 5 */
    POSTERN_POP3_ASLEEP = 8,        /* after SLEE */
    POSTERN_POP3_OVER = 16
};

/* ---- the message list ---------------------------------------------------------------------- */

/* The list of an opened mailbox is a struct postern_list (message.h); message 1 is entries[0]. It
 * may be shared by any number of sessions; lent until MAILBOX_DONE or the session's end; must not
 * change meanwhile. */

/* struct postern_pop3_ref - names a message in a question. */
struct postern_pop3_ref {
    uint32_t number; /* 1..count, or 0: it came after the listing (X4) */
    struct postern_span uid;
    uint64_t size_bytes;
};

/* ---- options ------------------------------------------------------------------------------- */

/* Commands of the application's own, or built-ins that it replaces (same name). Lent until
 * freed. */
struct postern_pop3_command {
    const char *name; /* upper case, 3..12 printable characters (R2 asks 3-4; more are
                       * tolerated) */
    unsigned states;  /* mask of postern_pop3_state */
    uint8_t arguments_min, arguments_max;
    bool takes_message; /* the first argument names a message (number or UID:); the engine
                         * resolves it */
};

enum postern_pop3_stamp {                            /* the APOP timestamp in the greeting (R33) */
                          POSTERN_POP3_STAMP_NONE,   /* no APOP */
                          POSTERN_POP3_STAMP_RANDOM, /* generated from options.random */
                          POSTERN_POP3_STAMP_FIXED,  /* options.stamp_text; brackets and @host are
                                                        added when absent */
                          POSTERN_POP3_STAMP_ASK     /* the answer to CONNECT carries it */
};

enum postern_pop3_surrogate { /* a message with UTF-8 header for a client without UTF8 (R87) */
                              POSTERN_POP3_SURROGATE_SEND,  /* RFC 6858 */
                              POSTERN_POP3_SURROGATE_REFUSE /* -ERR [UTF8] */
};

/* struct postern_pop3_options - always set up by POSTERN_POP3_OPTIONS_INIT(&o). Spans and pointers
 * are lent until the session is freed. */
struct postern_pop3_options {
    uint32_t struct_bytes; /* filled in by the macro; tells versions of this struct apart */
    const struct postern_allocator *allocator; /* NULL = malloc */
    const struct postern_random *random;       /* NULL: no RANDOM stamp, no SCRAM */
    const struct postern_crypto *crypto;       /* NULL: no APOP, no SCRAM */
    struct postern_span host;                  /* right side of the timestamp; "localhost" */
    struct postern_span greeting;              /* text of the greeting; "Postern ready" */
    struct postern_span implementation; /* IMPLEMENTATION tag; "Postern"; empty span p!=NULL,n=0
                                         * hides */
    enum postern_pop3_stamp stamp;      /* NONE */
    struct postern_span stamp_text;
    unsigned sasl_mechanisms;              /* mask;
                                            * PLAIN|LOGIN|SCRAM-SHA-256|SCRAM-SHA-256-PLUS|SCRAM-SHA-1 */
    struct postern_span decoy_key;         /* see sasl.h; absent: made from random */
    bool user_pass;                        /* offer USER and PASS; true */
    bool plaintext_without_tls;            /* allow USER/PASS, PLAIN, LOGIN and tokens in the clear;
                                            * false (R64, R78) */
    bool tls_available;                    /* offer STLS; false */
    bool uid_param, slee_wake, deli, qaut; /* the extensions; all true */
    bool utf8, lang;                       /* RFC 6856; both true */
    bool last;                             /* RFC 1460 LAST; false */
    bool top, uidl;                        /* true; false: not offered */
    enum postern_pop3_surrogate surrogate; /* SEND */
    int expire_days;                       /* EXPIRE: -1 no tag, -2 NEVER, else days; -1 (R48) */
    bool expire_per_user;
    int login_delay_s; /* LOGIN-DELAY: -1 no tag, largest value before login; -1
                        * (R46) */
    bool login_delay_per_user;
    const struct postern_pop3_command *commands; /* own and replacing commands */
    size_t command_count;
    bool watch; /* tell COMMAND_SEEN after each command; false */
    /* limits; each with its reason */
    uint32_t line_max;      /* command line with CRLF; 1024: RFC 2449 4 asks 255, UTF8 names and
                             * tokens want more */
    uint32_t sasl_line_max; /* one SASL response; 65536: room for tokens and tickets (R75) */
    uint32_t errors_max;    /* consecutive bad commands before the connection ends; 20: a lost
                             * client, or a scanner */
    uint32_t failures_max;  /* failed logins before the connection ends; 3 */
    uint32_t output_mark;   /* back-pressure above so many bytes of own output; 32768 (must be >=
                             * 4096) */
    uint32_t read_chunk;    /* most bytes asked for by one READ; 16384 */
    postern_time login_timeout;  /* from greeting to login; 60 s */
    postern_time idle_timeout;   /* 10 min: RFC 1939 3 forbids less (R11) */
    postern_time asleep_timeout; /* 30 min (X14) */
};
POSTERN_API void postern_pop3_options_init(struct postern_pop3_options *options,
                                           size_t struct_bytes);
#define POSTERN_POP3_OPTIONS_INIT(options) postern_pop3_options_init((options), sizeof *(options))

/* ---- questions ----------------------------------------------------------------------------- */

enum postern_pop3_question_kind {
    POSTERN_POP3_CONNECT = 1,
    POSTERN_POP3_AUTHENTICATE,
    POSTERN_POP3_AUTH_LOOKUP,
    POSTERN_POP3_OPEN,
    POSTERN_POP3_FIND,
    POSTERN_POP3_MESSAGE,
    POSTERN_POP3_READ,
    POSTERN_POP3_EXPUNGE,
    POSTERN_POP3_COMMAND,
    POSTERN_POP3_MESSAGE_DONE,
    POSTERN_POP3_MAILBOX_DONE,
    POSTERN_POP3_COMMAND_SEEN
};

enum postern_pop3_expunge_reason {
    POSTERN_POP3_BY_QUIT = 1,
    POSTERN_POP3_BY_SLEE,
    POSTERN_POP3_BY_QAUT,
    POSTERN_POP3_BY_DELI /* one message, at once (X20) */
};

struct postern_pop3_question {
    enum postern_pop3_question_kind kind;
    uint64_t id; /* 0: news, no answer */
    /* AUTHENTICATE, AUTH_LOOKUP */
    struct {
        const char *method;            /* "PASS", "APOP" or the SASL mechanism's name */
        unsigned mechanism;            /* enum postern_sasl_mechanism; 0 for PASS and APOP */
        struct postern_span user;      /* authentication identity */
        struct postern_span authorize; /* the user to act as; absent = same */
        struct postern_span secret;    /* password or token; wiped after the answer; absent for
                                        * EXTERNAL */
        bool tls;                      /* sent under TLS */
    } login;
    /* OPEN */
    struct postern_span user; /* whose mailbox: as answer_authenticate named it, else as sent */
    bool waking;              /* OPEN after SLEE: check also that the account is still good (X13) */
    /* FIND (uid), MESSAGE (all), COMMAND with takes_message */
    struct postern_pop3_ref message;
    bool headers_only; /* MESSAGE: for TOP: only the beginning will be read, perhaps */
    /* READ, MESSAGE_DONE */
    uint64_t content; /* as answer_message named it */
    uint64_t offset;  /* READ: from this octet of the raw content */
    size_t length;    /* READ: at most so many */
    /* EXPUNGE: the set is walked with postern_pop3_expunge_next() */
    enum postern_pop3_expunge_reason reason;
    size_t count;
    /* COMMAND, COMMAND_SEEN */
    struct postern_span command;   /* upper case */
    struct postern_span arguments; /* everything after the first space; COMMAND_SEEN: absent (may be
                                    * secret) */
    bool ok;                       /* COMMAND_SEEN: answered +OK */
};

/* ---- life ---------------------------------------------------------------------------------- */

struct postern_pop3;

/* postern_pop3_new - begin a session. tls: facts of implicit TLS, NULL when plain; copied.
 * session_r: given, free with postern_pop3_free(). Returns 0, POSTERN_E_NOMEM, POSTERN_E_USAGE
 * (options not initialised, a limit out of range). The first question is CONNECT.  R1 R95 */
POSTERN_API int postern_pop3_new(struct postern_pop3 **session_r,
                                 const struct postern_pop3_options *options,
                                 const struct postern_tls_facts *tls,
                                 postern_time now) POSTERN_MUST_USE;
/* postern_pop3_free - wipe and free; nothing that was only marked is deleted. NULL, *NULL fine.
 * R26 */
POSTERN_API void postern_pop3_free(struct postern_pop3 **session);

/* postern_pop3_feed - bytes from the peer. in: borrowed. Returns how many were taken (0 = busy: a
 * question is open or output is above its mark), or POSTERN_E_CLOSED (the session is over),
 * POSTERN_E_NOMEM (the session is over; it answers -ERR [SYS/TEMP] if it can). A refused or
 * malformed command is no error. It takes at most one command at a time while one is being
 * answered. Bytes behind STLS in the same call are swallowed, never run (R65).  RFC 1939 3 */
POSTERN_API int postern_pop3_feed(struct postern_pop3 *s, struct postern_span in,
                                  postern_time now) POSTERN_MUST_USE;
/* postern_pop3_eof - the peer will send no more; a half line is dropped, what is answered is still
 * written, then WANT_CLOSE. Nothing is deleted.  R26 */
POSTERN_API void postern_pop3_eof(struct postern_pop3 *s);
/* postern_pop3_next - the next question: 1 and *question_r, or 0 when there is none now, or <0 as
 * feed(). */
POSTERN_API int postern_pop3_next(struct postern_pop3 *s,
                                  struct postern_pop3_question *question_r) POSTERN_MUST_USE;
/* postern_pop3_output - what to write: fills up to max pieces, lent until sent(); returns how
 * many. */
POSTERN_API size_t postern_pop3_output(struct postern_pop3 *s, struct postern_piece *pieces_r,
                                       size_t max);
/* postern_pop3_sent - n bytes of the output, counted over the pieces in order, are written. */
POSTERN_API void postern_pop3_sent(struct postern_pop3 *s, uint64_t n, postern_time now);
/* postern_pop3_wants - mask of enum postern_want. */
POSTERN_API unsigned postern_pop3_wants(const struct postern_pop3 *s);
/* postern_pop3_deadline - when tick() wants to be called; POSTERN_NEVER if not. Idle time does not
 * run while an answer is awaited from the application. */
POSTERN_API postern_time postern_pop3_deadline(const struct postern_pop3 *s);
/* postern_pop3_tick - time passed; on expiry the session is over, silently, deleting nothing.
 * R11 */
POSTERN_API void postern_pop3_tick(struct postern_pop3 *s, postern_time now);
/* postern_pop3_tls_up - the handshake that WANT_TLS asked for is done; facts copied. Returns 0 or
 * POSTERN_E_USAGE, POSTERN_E_NOMEM. No greeting follows.  R62 R66 */
POSTERN_API int postern_pop3_tls_up(struct postern_pop3 *s,
                                    const struct postern_tls_facts *facts) POSTERN_MUST_USE;
/* postern_pop3_shutdown - end soon: what is being answered is finished, then "-ERR [SYS/TEMP]" and
 * WANT_CLOSE; an idle session gets it at once. Nothing is deleted. */
POSTERN_API void postern_pop3_shutdown(struct postern_pop3 *s);
/* postern_pop3_state - where the session stands. */
POSTERN_API enum postern_pop3_state postern_pop3_state(const struct postern_pop3 *s);
/* postern_pop3_user - whose mailbox it is; absent before login. Lent until the next call. */
POSTERN_API struct postern_span postern_pop3_user(const struct postern_pop3 *s);
/* postern_pop3_set_capability - edit the capability list in these states: line replaces the
 * built-in line of that first word, or is added; an absent line hides it. Both copied. Returns 0,
 * POSTERN_E_NOMEM, POSTERN_E_USAGE (not 1..510 printable characters).  R42 */
POSTERN_API int postern_pop3_set_capability(struct postern_pop3 *s, unsigned states,
                                            struct postern_span tag,
                                            struct postern_span line) POSTERN_MUST_USE;
/* postern_pop3_memory - bytes of engine memory held now. Not counted: the list and hosts' memory, a
 * SASL exchange or a surrogate while they are under way. */
POSTERN_API size_t postern_pop3_memory(const struct postern_pop3 *s);

/* ---- answers: each returns 0, POSTERN_E_STALE, POSTERN_E_USAGE (wrong kind), or POSTERN_E_NOMEM
 * (the session is over). Texts are borrowed; an absent text gives the built-in one in the session's
 * language; line ends and a leading "[" in them are defused (R45). */

/* postern_pop3_answer_default - the safe refusal: "temporarily unavailable"; CONNECT is let in with
 * the options as they stand; COMMAND runs the built-in of that name, or is unknown. */
POSTERN_API int postern_pop3_answer_default(struct postern_pop3 *s, uint64_t id);
/* postern_pop3_answer_connect - POSTERN_YES, or a refusal: "-ERR" with text and close. stamp: for
 * STAMP_ASK. */
POSTERN_API int postern_pop3_answer_connect(struct postern_pop3 *s, uint64_t id,
                                            enum postern_verdict verdict, struct postern_span text,
                                            struct postern_span stamp);
/* postern_pop3_answer_authenticate - user: the mailbox's name if it is not the name as sent;
 * copied. */
POSTERN_API int postern_pop3_answer_authenticate(struct postern_pop3 *s, uint64_t id,
                                                 enum postern_verdict verdict,
                                                 struct postern_span user,
                                                 struct postern_span text);
/* struct postern_pop3_keys - what is stored of a user. borrowed. */
struct postern_pop3_keys {
    struct postern_scram_keys scram; /* for SCRAM questions */
    struct postern_span apop_secret; /* for APOP questions */
    struct postern_span user;        /* mailbox name if it is not the name as sent; absent =
                                      * same */
};
/* postern_pop3_answer_keys - answer AUTH_LOOKUP. POSTERN_YES with keys (NULL: user unknown, or has
 * none: the exchange runs on decoys and fails with [AUTH]); any NO ends it with that verdict. */
POSTERN_API int postern_pop3_answer_keys(struct postern_pop3 *s, uint64_t id,
                                         enum postern_verdict verdict,
                                         const struct postern_pop3_keys *keys,
                                         struct postern_span text);
/* struct postern_pop3_mailbox - an opened mailbox. list.* lent until MAILBOX_DONE or the session's
 * end. */
struct postern_pop3_mailbox {
    struct postern_list list;
    bool read_only;      /* DELE and DELI answer -ERR [READ-ONLY] */
    bool knows_activity; /* WAKE may say [ACTIVITY/...] (X12) */
    bool new_since;      /* with knows_activity: a unique-id is here that was not in the previous
                          * listing */
    int expire_days;     /* real value for this user, -1 as in the options */
    int login_delay_s;   /* real value for this user, -1 as in the options */
    uint32_t last;       /* highest number accessed, for LAST; 0 */
};
/* postern_pop3_answer_open - mailbox borrowed (its list lent). Login or WAKE succeeds or fails with
 * it. The engine checks unique-ids: a list with a malformed one gives -ERR [SYS/PERM]. */
POSTERN_API int postern_pop3_answer_open(struct postern_pop3 *s, uint64_t id,
                                         enum postern_verdict verdict,
                                         const struct postern_pop3_mailbox *mailbox,
                                         struct postern_span text);
/* postern_pop3_answer_find - answer FIND: YES with size and flags (POSTERN_ENTRY_*), or a NO. */
POSTERN_API int postern_pop3_answer_find(struct postern_pop3 *s, uint64_t id,
                                         enum postern_verdict verdict, uint64_t size_bytes,
                                         unsigned flags, struct postern_span text);
/* struct postern_pop3_message - an opened message. */
struct postern_pop3_message {
    uint64_t content;  /* any number that names it to the application; comes back in READ and
                        * pieces */
    uint64_t size_raw; /* octets of the raw content; UINT64_MAX unknown */
    bool wire_clean;   /* CRLF everywhere incl. at the end, no line begins with a dot */
    bool file_range;   /* pieces may name raw ranges of it (only used when wire_clean) */
};
/* postern_pop3_answer_message - answer MESSAGE; message borrowed, NULL unless YES. */
POSTERN_API int postern_pop3_answer_message(struct postern_pop3 *s, uint64_t id,
                                            enum postern_verdict verdict,
                                            const struct postern_pop3_message *message,
                                            struct postern_span text);
/* postern_pop3_answer_read - answer READ: bytes borrowed; {any, 0} is the end of the message; err
 * <0: it cannot be read on: before the first byte -ERR, after it the session ends without the final
 * dot (so that the client knows the message is cut). Short reads are fine. Bare LF becomes CRLF,
 * dots are stuffed, a missing last line end is added. bytes.n must not exceed question.length. */
POSTERN_API int postern_pop3_answer_read(struct postern_pop3 *s, uint64_t id, int err,
                                         struct postern_span bytes);
/* postern_pop3_expunge_next - walk the set of the open EXPUNGE: *cursor starts at 0. Returns 1 and
 * *ref_r (spans lent until the answer), or 0 at the end. Messages of number 0 come last. */
POSTERN_API int postern_pop3_expunge_next(const struct postern_pop3 *s, size_t *cursor,
                                          struct postern_pop3_ref *ref_r);
/* postern_pop3_answer_expunge - YES: the whole set is durably deleted. A NO: none of it is (R25,
 * X10). */
POSTERN_API int postern_pop3_answer_expunge(struct postern_pop3 *s, uint64_t id,
                                            enum postern_verdict verdict, struct postern_span text);

/* What an application's command did besides answering. */
#define POSTERN_POP3_EFFECT_MARK 1  /* the named message is now marked, as by DELE */
#define POSTERN_POP3_EFFECT_GONE 2  /* the named message is gone for good, as by DELI */
#define POSTERN_POP3_EFFECT_CLOSE 4 /* end the connection after the answer */
/* struct postern_pop3_reply - the application's answer. borrowed. */
struct postern_pop3_reply {
    bool ok;
    struct postern_span code;  /* response code without brackets, or absent */
    struct postern_span text;  /* one line */
    bool multiline;            /* lines follow (RFC 1939 3), stuffed and ended by the engine */
    struct postern_span lines; /* LF or CRLF between lines */
    unsigned effects;          /* POSTERN_POP3_EFFECT_* */
};
/* postern_pop3_answer_command - answer COMMAND. */
POSTERN_API int postern_pop3_answer_command(struct postern_pop3 *s, uint64_t id,
                                            const struct postern_pop3_reply *reply);

/* postern_pop3_dot - the state diagram of the commands, in Graphviz's language, made from the
 * table. writes at most size bytes and a NUL to out; returns the length it needs. */
POSTERN_API size_t postern_pop3_dot(char *out, size_t size);

#ifdef __cplusplus
}
#endif
#endif
