/* SPDX-License-Identifier: MIT */
/* postern/smtp.h - receiving mail without I/O: SMTP, submission and LMTP (RFC 5321, 6409, 2033 and
 * extensions).
 *
 * Read engine.h first: how a host turns the crank. At most one question is open. It asks
 *
 *   CONNECT                 may this peer in?                      answer
 *   HELO                    it calls itself `name`                 answer
 *   TLS                     the handshake is over                  answer
 *   AUTHENTICATE, AUTH_LOOKUP   as in POP3                         answer_authenticate, answer_keys
 *   LOGIN                   `name` is who it is: count it in       answer
 *   XCLIENT                 a trusted peer speaks for `client`     answer
 *   MAIL                    a message from `path`                  answer
 *   RCPT                    for `path`                             answer
 *   VERIFY                  is there such an address? (options.verify)  answer
 *   BEGIN                   its octets will follow: open a place for them       answer
 *   WRITE                   octets of it                           answer
 *   HEADERS                 what was written until now are all its headers      answer
 *   COMMIT                  it is whole: keep it, or forget it     answer, answer_each
 *
 * and tells (id 0, no answer)
 *
 *   RESET                   what began with MAIL is not to be: nothing of it is kept
 *
 * A reply of 2xx to an answer goes on, any other refuses and is sent to the peer; 421 ends the
 * session after it. NULL goes on with the engine's own words. postern_smtp_answer_default() is the
 * safe word: CONNECT, HELO, TLS, MAIL and HEADERS go on, all others are refused: no message is
 * taken for anybody whom the application did not approve.
 *
 * The octets of WRITE: the Received line if options.received, then what came, unstuffed, with CRLF
 * line ends, without NUL (both as the options say), without Return-Path lines of others, and of
 * Authentication-Results those that claim to be from options.hostname (RFC 8601 5). */
#ifndef POSTERN_SMTP_H
#define POSTERN_SMTP_H

#include <postern/engine.h>
#include <postern/sasl.h>

#ifdef __cplusplus
extern "C" {
#endif

enum postern_smtp_role {
    POSTERN_SMTP_MX = 1,     /* mail from strangers */
    POSTERN_SMTP_SUBMISSION, /* mail of users: after AUTH only; what a client left out is added */
    POSTERN_SMTP_LMTP        /* a reply for each recipient (RFC 2033) */
};

/* States of a session (a mask, so that tables can name several). */
enum postern_smtp_state {
    POSTERN_SMTP_GREETING = 1,
    POSTERN_SMTP_CONNECTED = 2, /* before EHLO, HELO, LHLO */
    POSTERN_SMTP_READY = 4,
    POSTERN_SMTP_SENDER = 8,      /* MAIL was accepted */
    POSTERN_SMTP_RECIPIENTS = 16, /* and RCPT */
    POSTERN_SMTP_CHUNKS = 32,     /* and BDAT, but not the last one */
    POSTERN_SMTP_CONTENT = 64,    /* DATA: the message comes in */
    POSTERN_SMTP_OVER = 128
};

/* enum postern_smtp_newline - what a LF without CR, or a CR without LF, is. Nothing but CRLF.CRLF
 * ends a message, whatever is chosen. */
enum postern_smtp_newline {
    POSTERN_SMTP_NORMALIZE = 0, /* in a message a line end, written as CRLF; a command may end with
                                   LF if nothing stands behind it yet */
    POSTERN_SMTP_REJECT,        /* the message is refused, and the connection ended */
    POSTERN_SMTP_LEGACY         /* as NORMALIZE, and LF ends any command */
};

enum postern_smtp_nul {
    POSTERN_SMTP_NUL_REJECT = 0,
    POSTERN_SMTP_NUL_STRIP,
    POSTERN_SMTP_NUL_KEEP
};

/* struct postern_smtp_options - always set up by POSTERN_SMTP_OPTIONS_INIT(&o). Spans and pointers
 * are lent until the session is freed. */
struct postern_smtp_options {
    uint32_t struct_bytes;                     /* filled in by the macro */
    enum postern_smtp_role role;               /* MX */
    const struct postern_allocator *allocator; /* NULL = malloc */
    const struct postern_random *random;       /* NULL: no SCRAM */
    const struct postern_crypto *crypto;       /* NULL: no SCRAM */
    struct postern_span hostname;              /* "localhost": what it says it is; never empty */
    struct postern_span greeting;              /* "Postern ready" */
    struct postern_span session_name;          /* of the ids in Received and replies; "0" */
    /* of the peer, for Received; absent: unknown. IPv6 without "IPv6:" */
    struct postern_span peer_name, peer_address;
    unsigned sasl_mechanisms;          /* mask, as POP3's; 0 on the MX and for LMTP: no AUTH */
    struct postern_span decoy_key;     /* see sasl.h; absent: made from random */
    int64_t (*seconds)(void);          /* since 1970, for Received and Date; NULL: 0 */
    enum postern_smtp_newline newline; /* NORMALIZE */
    enum postern_smtp_nul nul;         /* REJECT: IMAP cannot show it (RFC 9051 4.3) */
    bool plaintext_without_tls;        /* AUTH PLAIN and LOGIN without TLS; false */
    bool tls_available;                /* offer STARTTLS; false */
    bool tls_required;                 /* 530 to MAIL without TLS; false */
    bool trusted;          /* XCLIENT, and octets behind DATA before 354, are allowed; false */
    bool talk_early;       /* a peer may speak before the greeting; false. LMTP: always */
    bool verify;           /* VRFY asks; false: 252 */
    bool smtputf8;         /* RFC 6531; true */
    bool binarymime;       /* RFC 3030; what is stored may have any octets; false */
    bool received;         /* write a Received line; true */
    bool hide_client;      /* SUBMISSION: the client's address is not in it; false */
    bool keep_bcc;         /* SUBMISSION: Bcc is not taken out; false */
    bool domain_optional;  /* an address may be without a domain, not only postmaster's */
    bool strict_addresses; /* MAIL: refuse a..b@c and local parts above 64 octets; false */
    postern_time greeting_delay; /* how long to wait for those who speak early; 0 */
    /* limits */
    uint64_t message_max;         /* octets; 50 MiB, at least 64 KiB (RFC 5321 4.5.3.1.7) */
    uint32_t recipients_max;      /* of a message; 1000, at least 100 (RFC 5321 4.5.3.1.8) */
    uint32_t transactions_max;    /* of a session; 1000 */
    uint32_t line_max;            /* octets of a line of a message; 0: none */
    uint32_t header_max;          /* octets of the headers; 256 KiB */
    uint32_t header_lines_max;    /* 1000 */
    uint32_t received_max;        /* Received lines: a loop; 100 */
    uint32_t errors_max;          /* bad commands before the end; 20 */
    uint32_t idle_commands_max;   /* NOOP, RSET, VRFY, HELP, EHLO without a message; 100 */
    uint32_t failures_max;        /* failed logins before the end; 3 */
    uint32_t write_chunk;         /* most octets of one WRITE; 16384, at least 4096 */
    postern_time command_timeout; /* of a whole command, and between octets of a message; 300 s */
};
POSTERN_API void postern_smtp_options_init(struct postern_smtp_options *options,
                                           size_t struct_bytes);
#define POSTERN_SMTP_OPTIONS_INIT(options) postern_smtp_options_init((options), sizeof *(options))

/* ---- addresses ----------------------------------------------------------------------------- */

/* struct postern_smtp_path - an address in angle brackets, taken apart (RFC 5321 4.1.2). A source
 * route is gone. */
struct postern_smtp_path {
    struct postern_span text;   /* as it came, without brackets and route; empty: <> */
    struct postern_span local;  /* without quotes and backslashes: may have any printable, UTF-8 */
    struct postern_span domain; /* absent: none; a literal with its brackets */
    bool literal;               /* the domain is an address: [192.0.2.1] */
    bool utf8;                  /* not all is ASCII */
};
/* postern_smtp_parse_address - text without brackets: "local@domain" or "local". buffer: for
 * path_r->local, at least text.n octets; text and buffer are lent as long as path_r is used.
 * Returns 0 or POSTERN_E_SYNTAX, _TOO_LONG. */
POSTERN_API int postern_smtp_parse_address(struct postern_span text, char *buffer,
                                           struct postern_smtp_path *path_r) POSTERN_MUST_USE;

/* ---- questions ----------------------------------------------------------------------------- */

enum postern_smtp_question_kind {
    POSTERN_SMTP_CONNECT = 1,
    POSTERN_SMTP_HELO,
    POSTERN_SMTP_TLS,
    POSTERN_SMTP_AUTHENTICATE,
    POSTERN_SMTP_AUTH_LOOKUP,
    POSTERN_SMTP_LOGIN,
    POSTERN_SMTP_XCLIENT,
    POSTERN_SMTP_MAIL,
    POSTERN_SMTP_RCPT,
    POSTERN_SMTP_VERIFY,
    POSTERN_SMTP_BEGIN,
    POSTERN_SMTP_WRITE,
    POSTERN_SMTP_HEADERS,
    POSTERN_SMTP_COMMIT,
    /* news */
    POSTERN_SMTP_RESET
};

enum postern_smtp_body { POSTERN_SMTP_7BIT = 0, POSTERN_SMTP_8BITMIME, POSTERN_SMTP_BINARYMIME };

/* struct postern_smtp_client - what XCLIENT said of a client; absent: nothing, or unavailable. */
struct postern_smtp_client {
    struct postern_span name, address, port, helo, login;
    bool extended; /* it speaks ESMTP */
};

/* struct postern_smtp_question - which fields count stands behind them. Spans are lent until the
 * answer. */
struct postern_smtp_question {
    enum postern_smtp_question_kind kind;
    uint64_t id;
    /* AUTHENTICATE, AUTH_LOOKUP */
    const char *method;
    unsigned mechanism;
    struct postern_span user, authorize, secret;
    bool tls;
    struct postern_span name;          /* HELO, LOGIN, VERIFY (as it came) */
    bool extended;                     /* HELO: not HELO itself */
    struct postern_smtp_client client; /* XCLIENT */
    struct postern_smtp_path path;     /* MAIL, RCPT, VERIFY where it is one */
    /* MAIL, BEGIN */
    uint64_t size_bytes; /* as announced; 0: not */
    enum postern_smtp_body body;
    bool utf8;                       /* SMTPUTF8 */
    struct postern_span asked;       /* MAIL: AUTH=, decoded (RFC 4954 5); absent: none */
    uint32_t recipient;              /* RCPT: its number, from 0; BEGIN, COMMIT: how many */
    struct postern_span bytes;       /* WRITE */
    struct postern_span transaction; /* MAIL and what follows: names the message in Received */
};

/* struct postern_smtp_reply - what to say. What is not fit to be sent is made so: a code outside
 * 200 to 599, or of 3xx, is 451, an enhanced code of another class, or none, is x.0.0, text is told
 * as far as it is printable. */
struct postern_smtp_reply {
    unsigned code;
    const char *enhanced;     /* "5.1.1"; NULL: x.0.0 */
    struct postern_span text; /* absent: the engine's words */
};
/* postern_smtp_reply_of - what fits an error of the application's world (RFC 3463): nothing here is
 * the sender's fault, so all but NOT_FOUND and DENIED may be tried again. */
POSTERN_API struct postern_smtp_reply postern_smtp_reply_of(int err);

/* ---- the session: as the functions of the same name in pop3.h ------------------------------ */

struct postern_smtp;
POSTERN_API int postern_smtp_new(struct postern_smtp **session_r,
                                 const struct postern_smtp_options *options,
                                 const struct postern_tls_facts *tls,
                                 postern_time now) POSTERN_MUST_USE;
POSTERN_API void postern_smtp_free(struct postern_smtp **session);
POSTERN_API int postern_smtp_feed(struct postern_smtp *s, struct postern_span in,
                                  postern_time now) POSTERN_MUST_USE;
POSTERN_API void postern_smtp_eof(struct postern_smtp *s);
POSTERN_API int postern_smtp_next(struct postern_smtp *s,
                                  struct postern_smtp_question *question_r) POSTERN_MUST_USE;
POSTERN_API size_t postern_smtp_output(struct postern_smtp *s, struct postern_piece *pieces_r,
                                       size_t max);
POSTERN_API void postern_smtp_sent(struct postern_smtp *s, uint64_t n, postern_time now);
POSTERN_API unsigned postern_smtp_wants(const struct postern_smtp *s);
POSTERN_API postern_time postern_smtp_deadline(const struct postern_smtp *s);
POSTERN_API void postern_smtp_tick(struct postern_smtp *s, postern_time now);
POSTERN_API int postern_smtp_tls_up(struct postern_smtp *s,
                                    const struct postern_tls_facts *facts) POSTERN_MUST_USE;
POSTERN_API void postern_smtp_shutdown(struct postern_smtp *s);
POSTERN_API enum postern_smtp_state postern_smtp_state(const struct postern_smtp *s);
/* postern_smtp_user - who logged in; absent: nobody. Lent until the next call. */
POSTERN_API struct postern_span postern_smtp_user(const struct postern_smtp *s);
/* postern_smtp_helo - how the peer calls itself; absent: not yet. Lent until the next call. */
POSTERN_API struct postern_span postern_smtp_helo(const struct postern_smtp *s);
/* postern_smtp_protocol - as the word of Received behind "with": "ESMTPSA" (RFC 3848, 6531). */
POSTERN_API struct postern_span postern_smtp_protocol(const struct postern_smtp *s);
/* postern_smtp_memory - octets of engine memory held now. */
POSTERN_API size_t postern_smtp_memory(const struct postern_smtp *s);

/* ---- answers: each returns 0, POSTERN_E_STALE, POSTERN_E_USAGE (wrong kind), or POSTERN_E_NOMEM
 * (the session is over). All is borrowed. ---------------------------------------------------- */

POSTERN_API int postern_smtp_answer_default(struct postern_smtp *s, uint64_t id);
/* postern_smtp_answer - all but AUTHENTICATE and AUTH_LOOKUP; reply NULL: go on. */
POSTERN_API int postern_smtp_answer(struct postern_smtp *s, uint64_t id,
                                    const struct postern_smtp_reply *reply);
/* postern_smtp_answer_each - COMMIT in LMTP: a reply for each recipient, in their order; count is
 * the question's `recipient`, else POSTERN_E_USAGE. */
POSTERN_API int postern_smtp_answer_each(struct postern_smtp *s, uint64_t id,
                                         const struct postern_smtp_reply *replies, size_t count);
POSTERN_API int postern_smtp_answer_authenticate(struct postern_smtp *s, uint64_t id,
                                                 enum postern_verdict verdict,
                                                 struct postern_span user);
POSTERN_API int postern_smtp_answer_keys(struct postern_smtp *s, uint64_t id,
                                         enum postern_verdict verdict,
                                         const struct postern_scram_keys *keys,
                                         struct postern_span user);

#ifdef __cplusplus
}
#endif
#endif
