/* SPDX-License-Identifier: MIT */
/* stuff - message text to wire form: CRLF line ends, leading dots doubled (RFC 1939 3). */
#ifndef WIRE_STUFF_H
#define WIRE_STUFF_H

#include "base/buffer.h"

/* struct stuff - where the text stands between two chunks; zero is the beginning of a message. */
struct stuff {
    bool inside;   /* not at the beginning of a line */
    bool after_cr; /* the last octet was a CR */
};

/* stuff_feed - the next chunk, cut anywhere. A failed append sticks in out->error. */
void stuff_feed(struct stuff *stuff, struct postern_span in, struct buffer *out);
/* stuff_finish - the end of the text: add the last line end when it is missing. */
void stuff_finish(struct stuff *stuff, struct buffer *out);

#endif
