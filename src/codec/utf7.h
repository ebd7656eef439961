/* SPDX-License-Identifier: MIT */
/* utf7 - modified UTF-7, in which mailbox names travel (RFC 3501 5.1.3) and lie on disk
 * (Maildir++). Pure. */
#ifndef CODEC_UTF7_H
#define CODEC_UTF7_H

#include "base/buffer.h"

/* utf7_encode - append UTF-8 text as modified UTF-7; characters of `also` are encoded too, though
 * they could stand for themselves. 0, POSTERN_E_SYNTAX (not UTF-8), _NOMEM. */
int utf7_encode(struct postern_span text, const char *also, struct buffer *out) POSTERN_MUST_USE;
/* utf7_decode - append the UTF-8 of it. POSTERN_E_SYNTAX (a stray octet, a bad shift, half a
 * surrogate pair, bits left over), _NOMEM; what was appended until then stays. */
int utf7_decode(struct postern_span text, struct buffer *out) POSTERN_MUST_USE;

#endif
