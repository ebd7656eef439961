/* SPDX-License-Identifier: MIT */
/* surrogate - a message with an internationalized header made fit for an old client (RFC 6858).
 *
 * The header, the headers of MIME parts and those of attached messages are rewritten; bodies pass
 * as they are. Bounds, beyond which a message is still passed on whole: 16 multiparts within each
 * other; a field of 64 KiB is kept together, of a longer one the ASCII goes out as it comes, or
 * nothing if its first 64 KiB are not ASCII. */
#ifndef MIME_SURROGATE_H
#define MIME_SURROGATE_H

#include "base/buffer.h"

struct surrogate;

/* surrogate_new - a filter for one message. 0 or POSTERN_E_NOMEM. given: surrogate_free(). */
int surrogate_new(struct surrogate **surrogate_r, const struct postern_allocator *allocator);
/* surrogate_feed - the next raw octets, split anywhere; what is ready is appended to out. What
 * comes out in all does not depend on how the octets were split. 0 or POSTERN_E_NOMEM. */
int surrogate_feed(struct surrogate *surrogate, struct postern_span in, struct buffer *out);
/* surrogate_finish - the message is over. */
int surrogate_finish(struct surrogate *surrogate, struct buffer *out);
void surrogate_free(struct surrogate **surrogate);

#endif
