/* SPDX-License-Identifier: MIT */
/* structure - a message through the MIME scanner, piece by piece. */
#include "store/structure.h"

#include "base/span.h"
#include <postern/mime.h>
#include <stdlib.h>

#define PIECE_BYTES 32768

static int copy_block(struct postern_span block, struct postern_span *block_r)
{
    char *copy = malloc(block.n);

    if (!copy)
        return POSTERN_E_NOMEM;
    memcpy(copy, block.p, block.n);
    *block_r = span_make(copy, block.n);
    return 0;
}

int structure_of(struct postern_content *content,
                 int (*read)(struct postern_content *content, uint64_t offset, char *out, size_t n),
                 uint64_t size, struct postern_span *block_r)
{
    struct postern_mime *mime;
    struct postern_span block;
    char piece[PIECE_BYTES];
    uint64_t offset = 0;
    int n = 0, err = postern_mime_new(&mime, NULL, NULL);

    if (err)
        return err;
    while (offset < size && (n = read(content, offset, piece, sizeof piece)) > 0) {
        postern_mime_feed(mime, span_make(piece, (size_t)n));
        offset += (uint64_t)n;
    }
    err = n < 0 ? n : postern_mime_end(mime, &block);
    if (!err)
        err = copy_block(block, block_r);
    postern_mime_free(&mime);
    return err;
}
