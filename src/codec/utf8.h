/* SPDX-License-Identifier: MIT */
/* utf8 - questions about encoded text (RFC 3629). Pure. */
#ifndef CODEC_UTF8_H
#define CODEC_UTF8_H

#include <postern/base.h>
#include <string.h>

/* utf8_is_valid - well formed: no surrogates, nothing overlong, nothing above U+10FFFF. */
bool utf8_is_valid(struct postern_span s);
/* utf8_is_ascii - no byte above 127. */
bool utf8_is_ascii(struct postern_span s);

/* utf8_length - octets of the first character; 0: it is malformed, or cut. */
size_t utf8_length(struct postern_span s);
/* utf8_encode - a character's octets; how many, 0: there is no such one. */
size_t utf8_encode(uint32_t character, char out[4]);

#endif
