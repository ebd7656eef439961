/* SPDX-License-Identifier: MIT */
/* output - the buffer goes first, the last words behind it. */
#include "proto/wire/output.h"

#include "base/span.h"

size_t output_pieces(const struct buffer *out, const char *tail, struct postern_piece *pieces_r,
                     size_t max)
{
    size_t n = 0;

    if (n < max && buffer_length(out))
        pieces_r[n++] = (struct postern_piece){.bytes = buffer_span(out)};
    if (n < max && tail)
        pieces_r[n++] = (struct postern_piece){.bytes = postern_span_of(tail)};
    return n;
}

void output_sent(struct buffer *out, const char **tail, uint64_t n)
{
    size_t part = buffer_length(out);

    part = n < part ? (size_t)n : part;
    buffer_take(out, part);
    n -= part;
    if (n && *tail)
        *tail = n >= strlen(*tail) ? NULL : *tail + n;
}
