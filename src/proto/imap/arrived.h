/* SPDX-License-Identifier: MIT */
/* arrived - new messages of the selected mailbox whose items a client has asked for beforehand: by
 * NOTIFY (RFC 5465 5.2), or of those that a context takes in (RFC 5465 7). They are fetched behind
 * all other news, in memory that goes with them. */
#ifndef IMAP_ARRIVED_H
#define IMAP_ARRIVED_H

#include "proto/imap/fetch.h"

/* struct arrived_items - lent as long as news are told. */
struct arrived_items {
    struct fetch_item *first; /* NULL: nothing is asked for */
    bool needs_block;
};

/* arrived_note - these are to be fetched; what the session put there itself is left out. */
void arrived_note(struct postern_imap *s, const struct arrived_items *items,
                  struct postern_uid_range range);
/* arrived_own - the session itself put these into the selected mailbox. */
void arrived_own(struct postern_imap *s, const struct imap_answer *answer);
/* arrived_fetch - what was noted, then then(). */
void arrived_fetch(struct postern_imap *s, void (*then)(struct postern_imap *s));
void arrived_free(struct postern_imap *s);
/* arrived_parse - "(UID FLAGS)"; in the arena. arrived_copy - into another. false: out of memory.
 */
void arrived_parse(struct postern_imap *s, struct arrived_items *items_r);
bool arrived_copy(struct arena *arena, const struct arrived_items *items,
                  struct arrived_items *copy_r);

#endif
