/* SPDX-License-Identifier: MIT */
/* postern/smtp_client.h - handing a message on by SMTP or LMTP, without I/O: the client's side of
 * one connection, one command after the other (RFC 5321, 2033, 3207, 4954).
 *
 * The host writes what output() lends, feeds what the server says, and asks next() what came of it.
 * It begins by itself with EHLO, STARTTLS and AUTH as the options say; after READY the host says
 * mail(), rcpt(), data(), write()..., finish(), each once the reply to the one before is there. */
#ifndef POSTERN_SMTP_CLIENT_H
#define POSTERN_SMTP_CLIENT_H

#include <postern/base.h>

#ifdef __cplusplus
extern "C" {
#endif

enum postern_smtp_client_tls {
    POSTERN_SMTP_CLIENT_TLS_REQUIRED =
        0, /* STARTTLS, or nothing is sent; also when TLS came first */
    POSTERN_SMTP_CLIENT_TLS_IF_OFFERED,
    POSTERN_SMTP_CLIENT_TLS_NEVER
};

/* struct postern_smtp_client_options - set up by POSTERN_SMTP_CLIENT_OPTIONS_INIT(&o). Lent until
 * the client is freed. */
struct postern_smtp_client_options {
    uint32_t struct_bytes;
    const struct postern_allocator *allocator; /* NULL = malloc */
    struct postern_span hostname;              /* of EHLO; "localhost" */
    struct postern_span user, secret; /* AUTH PLAIN, or LOGIN; absent: none. Never without TLS, but
                                         where that is NEVER */
    enum postern_smtp_client_tls tls;
    bool tls_first; /* TLS is up already */
    bool lmtp;      /* LHLO, and a reply for each recipient */
};
POSTERN_API void postern_smtp_client_options_init(struct postern_smtp_client_options *options,
                                                  size_t struct_bytes);
#define POSTERN_SMTP_CLIENT_OPTIONS_INIT(options) \
    postern_smtp_client_options_init((options), sizeof *(options))

enum postern_smtp_client_event_kind {
    POSTERN_SMTP_CLIENT_READY = 1, /* logged in: a message may be sent */
    POSTERN_SMTP_CLIENT_TLS,       /* do the handshake, then tls_up() */
    POSTERN_SMTP_CLIENT_REPLY,     /* to the command; in LMTP finish() has one for each recipient */
    POSTERN_SMTP_CLIENT_FAILED     /* the session came to nothing: reply says why; it is over */
};

/* struct postern_smtp_client_event - spans lent until the next call. */
struct postern_smtp_client_event {
    enum postern_smtp_client_event_kind kind;
    unsigned code; /* 0: the server said nothing of use */
    char enhanced[16];
    struct postern_span text; /* of its last line, without the enhanced code */
};

struct postern_smtp_client;
/* postern_smtp_client_new - POSTERN_E_NOMEM, _USAGE. */
POSTERN_API int
postern_smtp_client_new(struct postern_smtp_client **client_r,
                        const struct postern_smtp_client_options *options) POSTERN_MUST_USE;
POSTERN_API void postern_smtp_client_free(struct postern_smtp_client **client);
/* postern_smtp_client_feed - how much was taken; what is left is to be fed again once next() has
 * nothing more. POSTERN_E_NOMEM, _SYNTAX (what is said is no SMTP: next() tells FAILED). */
POSTERN_API int postern_smtp_client_feed(struct postern_smtp_client *c,
                                         struct postern_span in) POSTERN_MUST_USE;
/* postern_smtp_client_next - 1: event_r is set; 0: nothing yet. */
POSTERN_API int postern_smtp_client_next(struct postern_smtp_client *c,
                                         struct postern_smtp_client_event *event_r);
/* postern_smtp_client_output - to be written; lent until sent(). */
POSTERN_API struct postern_span postern_smtp_client_output(const struct postern_smtp_client *c);
POSTERN_API void postern_smtp_client_sent(struct postern_smtp_client *c, size_t n);
POSTERN_API int postern_smtp_client_tls_up(struct postern_smtp_client *c) POSTERN_MUST_USE;
/* postern_smtp_client_offers - "SIZE", "8BITMIME", ...: after READY. */
POSTERN_API bool postern_smtp_client_offers(const struct postern_smtp_client *c,
                                            const char *keyword);

/* The commands. POSTERN_E_USAGE: not now; POSTERN_E_SYNTAX: an address with a line end in it;
 * POSTERN_E_UNSUPPORTED: mail() needs what the server does not offer (SMTPUTF8); POSTERN_E_NOMEM.
 * size_bytes: 0: not told. */
POSTERN_API int postern_smtp_client_mail(struct postern_smtp_client *c, struct postern_span sender,
                                         uint64_t size_bytes, bool is_8bit,
                                         bool utf8) POSTERN_MUST_USE;
POSTERN_API int postern_smtp_client_rcpt(struct postern_smtp_client *c,
                                         struct postern_span recipient) POSTERN_MUST_USE;
POSTERN_API int postern_smtp_client_data(struct postern_smtp_client *c) POSTERN_MUST_USE;
/* postern_smtp_client_write - octets of the message, cut anywhere. What is sent has CRLF line ends,
 * no bare CR or LF, and dots doubled, whatever comes. */
POSTERN_API int postern_smtp_client_write(struct postern_smtp_client *c,
                                          struct postern_span bytes) POSTERN_MUST_USE;
POSTERN_API int postern_smtp_client_finish(struct postern_smtp_client *c) POSTERN_MUST_USE;
/* postern_smtp_client_quit - no reply is waited for. */
POSTERN_API void postern_smtp_client_quit(struct postern_smtp_client *c);

#ifdef __cplusplus
}
#endif
#endif
