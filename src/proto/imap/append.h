/* SPDX-License-Identifier: MIT */
/* append - a message, or several, on their way in: APPEND and REPLACE, and CATENATE in either. */
#ifndef IMAP_APPEND_H
#define IMAP_APPEND_H

#include "proto/imap/fetch.h"

/* struct append_url - a message, or a part of one, that CATENATE names (RFC 4469, RFC 5092). */
struct append_url {
    struct postern_span text; /* as the client put it */
    struct postern_span name; /* of the mailbox; absent: the selected one */
    uint32_t uid_validity;    /* 0: any */
    uint32_t uid;
    struct fetch_section section;
};

struct imap_append {
    struct postern_span name;
    struct postern_uid_range replaced; /* REPLACE: its one UID; else 0 */
    struct buffer octets;              /* of the message, on their way */
    struct buffer header;              /* of which a URL names fields */
    unsigned begun;
    uint64_t total; /* octets of the message so far */
    /* what its command line said last */
    bool announced; /* a literal of `size` octets comes behind it */
    bool waits;     /* for consent */
    bool binary;    /* a literal8: it could have NUL, which we do not keep (RFC 3516 4.4) */
    uint64_t size;
    bool in_header, at_line; /* its next octet is of its header; begins a line */
    bool is_open; /* "UTF8 (" stands before the literal: ")" comes behind it (RFC 6855 4) */
    bool in_list; /* of CATENATE */
    bool first;   /* the list's next part is its first */
    /* CATENATE */
    struct append_url url;
    uint64_t content;
    bool has_content;
    struct fetch_stream stream;
};

/* append_text.c. append_go - on with what the command says. */
void append_go(struct postern_imap *s);
/* append_octets.c. append_write - the octets that are there go to the application. */
void append_write(struct postern_imap *s);
/* append_end.c: each of these ends the command, and what was begun is not to be.
 * append_fail - NO; code may be NULL. append_refuse - NO with what fits the error. append_spoilt -
 * BAD, as s->in tells it. */
void append_fail(struct postern_imap *s, const char *code, const char *text);
void append_refuse(struct postern_imap *s, int err);
void append_spoilt(struct postern_imap *s);
/* append_give_up - likewise, and the answer is still to be made. Octets that will come though
 * nobody asks for them any more are passed over. */
void append_give_up(struct postern_imap *s);
/* append_grow - so many octets more; false: the message is too long, and that is said. */
bool append_grow(struct postern_imap *s, uint64_t more);
/* append_commit - all messages are there: the command ends with the application's word. */
void append_commit(struct postern_imap *s);

/* catenate.c. catenate_fetch - the octets of append->url.text are written; then append_go(). */
void catenate_fetch(struct postern_imap *s);

#endif
