/* SPDX-License-Identifier: MIT */
/* list - ENVELOPE and BODYSTRUCTURE as they are told (RFC 9051 7.5.2), and the words that they are
 * made of. They stand here because a block holds both: who lists ten thousand messages copies them.
 * TRAP: whoever changes what is written raises VERSION in block.h, since blocks are kept. */
#ifndef MIME_LIST_H
#define MIME_LIST_H

#include "base/buffer.h"
#include "base/span.h"
#include <postern/mime.h>

/* struct list - one under way. What fails shows in out->error. */
struct list {
    struct buffer *out;
    bool utf8;    /* may be told raw */
    bool rev2;    /* the client speaks IMAP4rev2 */
    bool differs; /* with utf8 or rev2 the other way round something would be told otherwise */
};

/* inline, so that the length of a literal is known when it is compiled */
static inline void list_text(struct list *list, const char *text)
{
    buffer_append_few(list->out, span_make(text, strlen(text)));
}
void list_number(struct list *list, uint64_t number);
/* list_string - quoted; what a quoted string cannot hold becomes a literal. */
void list_string(struct list *list, struct postern_span text);
void list_nstring(struct list *list, struct postern_span text); /* absent: NIL */
/* list_header - a header's value: 8-bit that may not be told raw, and NUL, as an encoded word. */
void list_header(struct list *list, struct postern_span text);

/* envelope.c, bodystructure.c: of a whole block. */
void mime_write_envelope(struct list *list, struct postern_span block, uint32_t part);
void mime_write_body(struct list *list, struct postern_span block, bool extended);

/* read.c: the two as a block holds them, for all clients the same; absent: it holds none. */
struct postern_span mime_kept_envelope(struct postern_span block);
struct postern_span mime_kept_body(struct postern_span block);

#endif
