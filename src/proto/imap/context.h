/* SPDX-License-Identifier: MIT */
/* context - searches whose results are kept up to date (RFC 5267, UPDATE). Each keeps its program
 * and the UIDs that it has found; when news are told, what changed is judged anew. */
#ifndef IMAP_CONTEXT_H
#define IMAP_CONTEXT_H

#include "proto/imap/search.h"

struct imap_context;

/* context_has - is there one of this tag? */
bool context_has(const struct postern_imap *s, struct postern_span tag);
/* context_keep - the search at hand, which is answered, is one from now on; or NO [NOUPDATE]. */
void context_keep(struct postern_imap *s);
/* context_gone - these UIDs are about to be told as gone. */
void context_gone(struct postern_imap *s, struct postern_uid_range range);
/* context_note - this message is new, or changed; context_judge - all were noted: judge them, then
 * go on with then(). */
void context_note(struct postern_imap *s, uint32_t uid);
void context_judge(struct postern_imap *s, void (*then)(struct postern_imap *s));
/* context_found - the search of a context is over. */
void context_found(struct postern_imap *s);
void context_drop_all(struct postern_imap *s);

#endif
