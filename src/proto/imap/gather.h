/* SPDX-License-Identifier: MIT */
/* gather - what SEARCH looks through in a message, for an index of texts: the same octets that a
 * search for a text sees, from the same code (search_text.c). Pure. */
#ifndef IMAP_GATHER_H
#define IMAP_GATHER_H

#include "base/buffer.h"

#define GATHER_APART '\1' /* between what is looked through apart: no text reaches over it */

struct text_gather;
/* gather_new - of a message whose parsed form this is (lent until the end). POSTERN_E_NOMEM. */
int gather_new(struct text_gather **gather_r, struct postern_span block) POSTERN_MUST_USE;
/* gather_feed - the message's octets, in order. */
void gather_feed(struct text_gather *gather, struct postern_span octets);
/* gather_end - its header fields and text parts, folded (text_fold); given. gather is gone.
 * POSTERN_E_NOMEM. */
int gather_end(struct text_gather **gather, struct buffer *text_r) POSTERN_MUST_USE;

#endif
