/* SPDX-License-Identifier: MIT */
/* annotations - the file of an account that its annotations and access rights are kept in. */
#ifndef STORE_FOLDER_ANNOTATIONS_H
#define STORE_FOLDER_ANNOTATIONS_H

#include "store/folder/folder.h"

#define ANNOTATIONS_FILE "metadata" /* in the index's folder */

/* annotations_load - the records; none when there is no file yet. POSTERN_E_CORRUPT.
 * annotations_load_from - of an account that need not be open. */
int annotations_load(const struct postern_account *account, struct buffer *records);
int annotations_load_from(int dir, const char *name, struct buffer *records);
/* annotations_is_level - no mailbox need be of that name, but some are below it. */
bool annotations_is_level(const struct postern_account *account, struct postern_span name);
/* annotations_look - the records, when the mailbox is there, or at least such a level; "" is the
 * account. */
int annotations_look(struct postern_account *account, struct postern_span *mailbox, bool or_level,
                     struct buffer *records);
/* annotations_save_changed - if they are others now. With the lock. */
int annotations_save_changed(struct postern_account *account, const struct buffer *before,
                             const struct buffer *after);
/* annotations_change_begin - the lock, the mailbox, and the records as they are. */
int annotations_change_begin(struct postern_account *account, struct postern_span *mailbox,
                             bool or_level, struct buffer *before);
/* annotations_change_end - the records are to be `after`, unless err says that they could not be
 * made. Who watches the mailbox looks again: perhaps he may not read it any more. The lock is let
 * go, both buffers are done; err, or what went wrong here. */
int annotations_change_end(struct postern_account *account, struct postern_span mailbox,
                           struct buffer *before, struct buffer *after, int err);

#endif
