/* SPDX-License-Identifier: MIT */
/* surrogate - a message with an internationalized header made fit for an old client (RFC 6858). */
#ifndef MIME_SURROGATE_H
#define MIME_SURROGATE_H

#include "base/buffer.h"

struct surrogate;

/* surrogate_new - a filter for one message. 0 or POSTERN_E_NOMEM. given: surrogate_free(). */
int surrogate_new(struct surrogate **surrogate_r, const struct postern_allocator *allocator);
/* surrogate_feed - the next raw octets, split anywhere; what is ready is appended to out. 0 or POSTERN_E_NOMEM. */
int surrogate_feed(struct surrogate *surrogate, struct postern_span in, struct buffer *out);
/* surrogate_finish - the message is over. */
int surrogate_finish(struct surrogate *surrogate, struct buffer *out);
void surrogate_free(struct surrogate **surrogate);

#endif
