/* SPDX-License-Identifier: MIT */
/* saslprep - names and passwords made comparable (RFC 4013). Pure. */
#ifndef CODEC_SASLPREP_H
#define CODEC_SASLPREP_H

#include "base/buffer.h"

/* saslprep - append the prepared form of in. Unassigned code points pass (a query of RFC 3454 7).
 * Returns 0, POSTERN_E_SYNTAX (malformed or prohibited; nothing appended), POSTERN_E_NOMEM.
 * An empty result is no error here. */
int saslprep(struct postern_span in, struct buffer *out) POSTERN_MUST_USE;

#endif
