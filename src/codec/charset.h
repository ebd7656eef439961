/* SPDX-License-Identifier: MIT */
/* charset - text of any charset becomes UTF-8 (iconv), and is folded for comparing without case
 * (RFC 5051, i;unicode-casemap in spirit: folded and decomposed). No I/O of its own; iconv may load
 * its tables. */
#ifndef CODEC_CHARSET_H
#define CODEC_CHARSET_H

#include "base/buffer.h"

struct charset; /* a conversion under way */

/* charset_open - from a charset by its name. charset_r: given; NULL when nothing need be done (it
 * is UTF-8 or US-ASCII). POSTERN_E_UNSUPPORTED, _NOMEM. */
int charset_open(struct charset **charset_r, struct postern_span name) POSTERN_MUST_USE;
/* charset_feed - append in as UTF-8; what cannot be converted becomes '?'. A character may be cut
 * between two calls. charset NULL: as it is. */
void charset_feed(struct charset *charset, struct postern_span in, struct buffer *out);
/* charset_end - the text is over: a character that was cut is '?', and another text may begin. */
void charset_end(struct charset *charset, struct buffer *out);
void charset_close(struct charset **charset);

/* text_fold - append in folded by i;unicode-casemap (RFC 5051): equal ones are equal octets, in its
 * order. Octets that are no UTF-8 stay as they are. It may be cut anywhere but within a character. */
void text_fold(struct postern_span in, struct buffer *out);

#endif
