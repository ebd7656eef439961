/* SPDX-License-Identifier: MIT */
/* base64 - RFC 4648 4, strict, without line breaks. Pure. */
#ifndef CODEC_BASE64_H
#define CODEC_BASE64_H

#include "base/buffer.h"

/* base64_encode - append the text of in, padded. Out of memory shows in out->error. */
void base64_encode(struct postern_span in, struct buffer *out);
/* base64_decode - append the bytes of in. Returns 0, POSTERN_E_SYNTAX (a character outside the
 * alphabet, '=' anywhere but the end, a bad length, stray bits; nothing appended),
 * POSTERN_E_NOMEM. */
int base64_decode(struct postern_span in, struct buffer *out) POSTERN_MUST_USE;
/* base64_value - of a character of the alphabet, or -1. */
extern const unsigned char base64_values[256]; /* one more than that; 0: none */
static inline int base64_value(char c)
{
    return (int)base64_values[(unsigned char)c] - 1;
}

#endif
