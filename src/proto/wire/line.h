/* SPDX-License-Identifier: MIT */
/* line - cut a byte stream into lines that end with CRLF, whatever way it is fragmented. */
#ifndef WIRE_LINE_H
#define WIRE_LINE_H

#include "base/buffer.h"

/* struct line - set up with line_init(). The memory of a half line goes when the line is complete.
 */
struct line {
    struct buffer partial;
    bool after_cr; /* the last octet swallowed was a CR */
    bool swallowing;
};

enum line_event {
    LINE_MORE = 0, /* everything was taken, no line is complete */
    LINE_READY,    /* *line_r is a line without its CRLF */
    LINE_TOO_LONG  /* a line above the limit ended; its text is gone */
};

void line_init(struct line *l, const struct postern_allocator *allocator);
/* line_feed - look for the end of a line in `in`. max: octets of a line with its CRLF. *used_r: how
 * much was taken. *line_r: lent until line_release(), which must follow LINE_READY; it points into
 * `in` when the line came whole. Returns an enum line_event or POSTERN_E_NOMEM. */
int line_feed(struct line *l, struct postern_span in, size_t max, size_t *used_r,
              struct postern_span *line_r) POSTERN_MUST_USE;
void line_release(struct line *l);
/* line_reset - forget a half line and whether one was being swallowed. */
void line_reset(struct line *l);

#define LINE_HAS_CONTROL 1 /* NUL, bare CR, bare LF, any other control character */
#define LINE_HAS_8BIT 2
/* line_inspect - which unusual octets a line has: mask of LINE_HAS_*. */
unsigned line_inspect(struct postern_span line);

#endif
