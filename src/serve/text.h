/* SPDX-License-Identifier: MIT */
/* text - an account's index of texts: brought up to date, and asked. It is a cache; without it, and
 * wherever it fails, a search reads the messages. */
#ifndef SERVE_TEXT_H
#define SERVE_TEXT_H

#include "base/buffer.h"
#include <postern/store.h>

/* text_bring_up - the texts of a mailbox that are not in the index yet, the oldest first, for about
 * as long as `budget`. Returns 1 when all are in it, 0 when it goes on next time. POSTERN_E_AGAIN:
 * somebody else is at it; POSTERN_E_UNSUPPORTED: the store has no place for it, or it is not built
 * in. */
int text_bring_up(const struct postern_store_ops *ops, struct postern_mailbox *mailbox,
                  postern_time budget) POSTERN_MUST_USE;
/* text_look_up - brought up first; then ranges of UIDs, appended to ranges_r: a message that is in
 * none of them has not this text, folded by text_fold(). POSTERN_E_NOT_FOUND: it is too short to be
 * looked up. */
int text_look_up(const struct postern_store_ops *ops, struct postern_mailbox *mailbox,
                 postern_time budget, struct postern_span text,
                 struct buffer *ranges_r) POSTERN_MUST_USE;

#endif
