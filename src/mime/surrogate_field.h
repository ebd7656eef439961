/* SPDX-License-Identifier: MIT */
/* surrogate_field - what stands for one header field that has octets outside ASCII (RFC 6858 2). */
#ifndef MIME_SURROGATE_FIELD_H
#define MIME_SURROGATE_FIELD_H

#include "base/buffer.h"

/* surrogate_field - append the field's surrogate to out, or nothing when it is to be excised.
 * field: whole, folded as it came, with its line end. Errors stick in out. */
void surrogate_field(struct postern_span field, struct buffer *out);

/* parameter_next - the next `;`-separated part of a Content-* field's value, `;` in quotes not
 * counting; *rest becomes what follows (absent at the end). */
struct postern_span parameter_next(struct postern_span *rest);

#endif
