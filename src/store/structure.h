/* SPDX-License-Identifier: MIT */
/* structure - the parsed form of a message that a store has open. */
#ifndef STORE_STRUCTURE_H
#define STORE_STRUCTURE_H

#include <postern/store.h>

/* structure_of - read all of it, `size` octets, through `read` and scan it. block_r: given, free().
 * POSTERN_E_NOMEM, or what read returns. */
int structure_of(struct postern_content *content,
                 int (*read)(struct postern_content *content, uint64_t offset, char *out, size_t n),
                 uint64_t size, struct postern_span *block_r);

#endif
