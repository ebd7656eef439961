/* SPDX-License-Identifier: MIT */
/* text_index - an index of texts beside a mail account: which messages have all the trigrams of a
 * text in them. A cache in SQLite (FTS5) that may be deleted at any time: what cannot be read is
 * thrown away and made anew, and what it does not know of may have any text.
 *
 * A message is known by its mailbox's id, UID validity and UID, which name one octet string for
 * ever; each mailbox is known up to some UID. Texts are folded (text_fold) by the caller, here they
 * are octets: a valid UTF-8 text that stands in one that was added is found, always; others may be
 * found as well. One handle belongs to one thread; several processes may have the index open.
 *
 * Built without POSTERN_FTS all return POSTERN_E_UNSUPPORTED. Errors of all: POSTERN_E_AGAIN
 * (somebody else writes), _IO, _FULL, _CORRUPT (it is removed by text_index_close), _NOMEM. */
#ifndef STORE_TEXT_TEXT_INDEX_H
#define STORE_TEXT_TEXT_INDEX_H

#include "base/buffer.h"
#include <postern/message.h>

struct text_index;

/* struct text_box - a mailbox for ever. */
struct text_box {
    uint64_t id;
    uint32_t validity;
};

/* text_index_is_built - is there an index at all? */
bool text_index_is_built(void);
/* text_index_open - the one in that folder, an absolute path without links; made if it is not
 * there. index_r: given. */
int text_index_open(struct text_index **index_r, const char *folder) POSTERN_MUST_USE;
/* text_index_close - what was begun is not done. NULL, *NULL fine. */
void text_index_close(struct text_index **index);
/* text_index_clear - all is forgotten. */
int text_index_clear(struct text_index *index) POSTERN_MUST_USE;

/* text_index_upto - all messages up to this UID were looked at; 0: none. count_r: how many of
 * the mailbox's texts are in the index, also of those that are gone since. */
int text_index_upto(struct text_index *index, const struct text_box *box, uint32_t *uid_r,
                    uint64_t *count_r) POSTERN_MUST_USE;
/* text_index_begin - add; commit(upto) or abort: all or nothing of it lasts. */
int text_index_begin(struct text_index *index) POSTERN_MUST_USE;
/* text_index_add - UIDs above upto, rising. text: borrowed; absent: it is not known, it may have
 * any. */
int text_index_add(struct text_index *index, const struct text_box *box, uint32_t uid,
                   struct postern_span text) POSTERN_MUST_USE;
int text_index_commit(struct text_index *index, const struct text_box *box,
                      uint32_t upto) POSTERN_MUST_USE;
void text_index_abort(struct text_index *index);
/* text_index_find - ranges of UIDs (struct postern_uid_range), rising, apart, appended to ranges_r:
 * a message of the box that is in none of them has not the text. POSTERN_E_NOT_FOUND: the text
 * cannot be looked up: it has below three characters, or is no UTF-8. */
int text_index_find(struct text_index *index, const struct text_box *box, struct postern_span text,
                    struct buffer *ranges_r) POSTERN_MUST_USE;

#endif
