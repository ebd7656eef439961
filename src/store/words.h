/* SPDX-License-Identifier: MIT */
/* words - what all stores must agree on: which names are names, and sets of UIDs. */
#ifndef STORE_WORDS_H
#define STORE_WORDS_H

#include <postern/store.h>

/* name_check - of a mailbox: 0, POSTERN_E_SYNTAX, _TOO_LONG; *name becomes "INBOX" for any case of
 * it; "inbox/a" is none. */
int name_check(struct postern_span *name);
/* name_check_rename - of both names. INBOX stays when it is renamed, so it may also be above. */
int name_check_rename(struct postern_span *from, struct postern_span *to);
bool name_is_below(struct postern_span name, struct postern_span above);
/* keyword_is_good - an atom of IMAP that is no system flag. */
bool keyword_is_good(struct postern_span name);
/* uids_sorted - a copy, rising, each once; NULL without memory. given: free(). *count may shrink.
 */
uint32_t *uids_sorted(const uint32_t *uids, size_t *count);
/* flags_changed - what a change makes of flags and keywords; whether they differ then. */
bool flags_changed(const struct postern_flags_change *change, uint32_t *flags, uint64_t *keywords);

#endif
