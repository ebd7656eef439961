/* SPDX-License-Identifier: MIT */
/* milter - the MTA's side of a talk with a mail filter, version 6 of the protocol that Sendmail
 * made (2 to 5 are understood), without I/O. There is no RFC of it; it is what libmilter speaks.
 *
 * The host says one command at a time, writes what output() lends, feeds what comes, and asks
 * next() until the reply to the command is there. A command that the filter does not want, or does
 * not answer, has no reply. Most go in this order:
 *
 *   milter_begin                     what either side can
 *   milter_connect, _helo, _mail, _rcpt (each), _data
 *   milter_header (each), milter_header_end, milter_body (each), milter_end
 *
 * Of the next message of the same client milter_mail() is told next, after milter_abort() if the
 * one before did not come to its end; where the client says another name, milter_helo() before it.
 *
 * Of what a filter may do to a message this side offers all: fields added, put in, changed; another
 * body; quarantine; another sender, recipients more or less. A filter that does what was not agreed
 * on, or answers what was not asked, ends the talk: POSTERN_E_SYNTAX. What it says is bounded by
 * the protocol: 65536 octets at a time. */
#ifndef MILTER_MILTER_H
#define MILTER_MILTER_H

#include "base/buffer.h"

#define MILTER_CHUNK 65535 /* octets of the body at a time */

/* struct milter_macro - "i", "{auth_authen}"; those without a value are not told. */
struct milter_macro {
    const char *name;
    struct postern_span value;
};

enum milter_kind {
    MILTER_CONTINUE = 1, /* replies */
    MILTER_ACCEPT,       /* the message, or all of the connection, without further questions */
    MILTER_REJECT,
    MILTER_TEMPFAIL,
    MILTER_DISCARD, /* accept it, and give it to nobody */
    MILTER_SKIP,    /* no more of the body */
    MILTER_REPLY,   /* refuse it with code, enhanced and text */
    /* before the reply to milter_end() */
    MILTER_PROGRESS,   /* it needs more time; to any command */
    MILTER_ADD,        /* name, value: a field behind the others */
    MILTER_INSERT,     /* before the field of this number */
    MILTER_CHANGE,     /* the number-th of this name; an empty value: taken out */
    MILTER_BODY,       /* value: octets of another body, behind those that came before */
    MILTER_QUARANTINE, /* value: why */
    MILTER_ADD_RCPT,   /* value: an address, without its brackets */
    MILTER_DELETE_RCPT,
    MILTER_SENDER /* value may be empty */
};

/* struct milter_event - spans are lent until the next call. */
struct milter_event {
    enum milter_kind kind;
    uint32_t number;
    struct postern_span name, value;
    unsigned code; /* 4xx or 5xx */
    char enhanced[16], text[256];
};

/* struct milter - set up with milter_init(). */
struct milter {
    struct buffer out, frame;
    char awaits; /* the command whose reply is due; 0: none */
    bool begun, over;
    bool in_message;                  /* it was told of a sender, and waits for the end */
    uint32_t version, actions, steps; /* as agreed on */
    bool skips_body;
    struct postern_span lent; /* of the frame: its event */
};

/* milter_init - allocator: NULL = malloc; lent until milter_done(). */
void milter_init(struct milter *m, const struct postern_allocator *allocator);
void milter_done(struct milter *m);

/* The commands: 1: a reply is due; 0: none comes, go on; POSTERN_E_USAGE: not now, _NOMEM. Macros
 * are told before it. Octets that cannot be told (NUL) become '?', what is too long is cut. */
int milter_begin(struct milter *m) POSTERN_MUST_USE;
/* milter_connect - address: "192.0.2.1", "2001:db8::1"; absent: it has none. */
int milter_connect(struct milter *m, struct postern_span host, struct postern_span address,
                   unsigned port, const struct milter_macro *macros, size_t count) POSTERN_MUST_USE;
int milter_helo(struct milter *m, struct postern_span name, const struct milter_macro *macros,
                size_t count) POSTERN_MUST_USE;
/* milter_mail, milter_rcpt - path: without its brackets. */
int milter_mail(struct milter *m, struct postern_span path, const struct milter_macro *macros,
                size_t count) POSTERN_MUST_USE;
int milter_rcpt(struct milter *m, struct postern_span path, const struct milter_macro *macros,
                size_t count) POSTERN_MUST_USE;
int milter_data(struct milter *m, const struct milter_macro *macros, size_t count) POSTERN_MUST_USE;
/* milter_header - value: what stands behind the colon, with its line ends but the last. */
int milter_header(struct milter *m, struct postern_span name,
                  struct postern_span value) POSTERN_MUST_USE;
int milter_header_end(struct milter *m) POSTERN_MUST_USE;
/* milter_body - at most MILTER_CHUNK octets. */
int milter_body(struct milter *m, struct postern_span bytes) POSTERN_MUST_USE;
int milter_end(struct milter *m, const struct milter_macro *macros, size_t count) POSTERN_MUST_USE;
/* milter_abort - the message, if one is under way, does not come: no reply. */
int milter_abort(struct milter *m) POSTERN_MUST_USE;
/* milter_quit - no reply is waited for; nothing more can be said. */
void milter_quit(struct milter *m);

/* milter_wants_body - false: it has enough, or does not look at it. */
bool milter_wants_body(const struct milter *m);
/* milter_raw_values - values of fields begin with the octet behind the colon, in both directions.
 */
bool milter_raw_values(const struct milter *m);

struct postern_span milter_output(const struct milter *m);
void milter_sent(struct milter *m, size_t n);
/* milter_feed - how many octets were taken; 0: ask next() first. POSTERN_E_SYNTAX, _NOMEM: the talk
 * is over. */
int milter_feed(struct milter *m, struct postern_span in) POSTERN_MUST_USE;
/* milter_next - 1: event_r is set; 0: more is needed; POSTERN_E_SYNTAX: the talk is over. */
int milter_next(struct milter *m, struct milter_event *event_r) POSTERN_MUST_USE;

#endif
