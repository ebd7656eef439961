/* SPDX-License-Identifier: MIT */
/* esearch - one search over several mailboxes (RFC 7377): each is looked at in its turn, as if it
 * were the selected one. */
#ifndef IMAP_ESEARCH_H
#define IMAP_ESEARCH_H

#include "proto/imap/search.h"

/* struct imap_esearch - what is searched, and what was put aside for it. */
struct imap_esearch {
    struct postern_span criteria; /* behind the sources: read anew for each mailbox */
    bool selected;                /* the selected one as well, or alone */
    size_t looked_at;             /* messages so far, for MESSAGELIMIT */
    unsigned wanted;              /* ESEARCH_*: those that the list is needed for */
    struct postern_span *sources; /* names, and what they stand for */
    unsigned *kinds;
    size_t source_count;
    struct postern_span *names; /* that will be searched */
    size_t count, at;
    struct postern_span name; /* the one at work; absent: the selected one */
    bool is_away;             /* the session's own view is put aside */
    struct imap_view view;
    char (*keywords)[IMAP_KEYWORD_BYTES];
    unsigned keyword_count;
    struct postern_uid_range *saved;
    size_t saved_count;
    bool uid_only;
    bool is_within;     /* a search is under way, in memory of its own */
    struct arena outer; /* the command's */
};

/* esearch_found - the search of one is over. esearch_restore - the session's own view is there
 * again. esearch_end - the command is over: and its own memory. */
void esearch_found(struct postern_imap *s);
void esearch_restore(struct postern_imap *s);
void esearch_end(struct postern_imap *s);

#endif
