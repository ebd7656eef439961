/* SPDX-License-Identifier: MIT */
/* escape - percent escapes for values of the password file, which may not hold a colon or a line
 * end. */
#ifndef ACCOUNTS_ESCAPE_H
#define ACCOUNTS_ESCAPE_H

#include "base/buffer.h"

void escape_append(struct buffer *out, struct postern_span value);
/* escape_decode - into out, at most size octets. How many, or POSTERN_E_SYNTAX, _TOO_LONG. */
int escape_decode(struct postern_span value, char *out, size_t size);

#endif
