/* SPDX-License-Identifier: MIT */
/* output - what a session has to say: a buffer, and behind it the last words of one that has no
 * memory left for a buffer. Pure. */
#ifndef WIRE_OUTPUT_H
#define WIRE_OUTPUT_H

#include "base/buffer.h"
#include <postern/engine.h>

/* output_pieces - at most max of them; how many. tail: NULL, or a C string that is there for good.
 */
size_t output_pieces(const struct buffer *out, const char *tail, struct postern_piece *pieces_r,
                     size_t max);
/* output_sent - n octets of them went away. */
void output_sent(struct buffer *out, const char **tail, uint64_t n);

#endif
