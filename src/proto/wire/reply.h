/* SPDX-License-Identifier: MIT */
/* reply - one response line, whole or not at all, never too long. */
#ifndef WIRE_REPLY_H
#define WIRE_REPLY_H

#include "base/buffer.h"

#define REPLY_LINE_MAX 512 /* RFC 1939 3: with CRLF (R5) */

/* struct reply - a line under construction, in the caller's memory. Zero is an empty line. */
struct reply {
    char bytes[REPLY_LINE_MAX];
    size_t n;
};

/* reply_add - append as much of the text as fits; a UTF-8 character is never cut. */
void reply_add(struct reply *reply, struct postern_span text);
void reply_add_number(struct reply *reply, uint64_t number);
/* reply_add_foreign - append text from outside: control characters become spaces, a leading "["
 * becomes
 * "(" (R45), octets above 0x7F become "?" unless utf8. */
void reply_add_foreign(struct reply *reply, struct postern_span text, bool utf8);
/* reply_write - append the line with CRLF to out, in one piece. A failure sticks in out->error. */
void reply_write(struct reply *reply, struct buffer *out);

#endif
