/* SPDX-License-Identifier: MIT */
/* rights - of access control lists, as letters: lrswipkxtea (RFC 4314 2.1). Pure. */
#ifndef CODEC_RIGHTS_H
#define CODEC_RIGHTS_H

#include "base/buffer.h"

/* rights_parse - POSTERN_RIGHT_* of letters; "c" is k and x, "d" is t and e (2.1.1). 0, or
 * POSTERN_E_SYNTAX: one is not known. */
int rights_parse(struct postern_span letters, uint32_t *rights_r) POSTERN_MUST_USE;
/* rights_write - append them; old: with "c" and "d", as clients of RFC 2086 want them. */
void rights_write(struct buffer *out, uint32_t rights, bool old);

#endif
