/* SPDX-License-Identifier: MIT */
/* context - searches whose results are kept up to date (RFC 5267, UPDATE). Each keeps its program
 * and the UIDs that it has found; when news are told, what changed is judged anew. */
#ifndef IMAP_CONTEXT_H
#define IMAP_CONTEXT_H

#include "proto/imap/arrived.h"

struct sort_kept;

/* struct imap_context - a search that is kept. */
struct imap_context {
    struct imap_context *next;
    struct arena arena; /* the program's */
    struct postern_span tag;
    bool by_uid;
    struct search_step *steps;
    size_t count;
    uint32_t *found; /* rising; own memory */
    size_t found_count;
    struct sort_kept *sorted;   /* a SORT's; NULL: a SEARCH's */
    bool has_fuzzy;             /* of a SORT: by relevancy */
    struct arrived_items items; /* to be fetched of new messages */
};

/* struct context_work - what is judged now. */
struct context_work {
    struct imap_context *at; /* the one at work */
    void (*then)(struct postern_imap *s);
    struct arena arena; /* of the command */
    struct imap_search *search;
    bool by_uid;
};

/* context.c. context_has - is there one of this tag? */
bool context_has(const struct postern_imap *s, struct postern_span tag);
/* context_parse_items - behind UPDATE, what is to be fetched of new messages (RFC 5465 7, where the
 * example has a space and the grammar has none); perhaps nothing. */
void context_parse_items(struct postern_imap *s, struct imap_search *search);
/* context_keep - the search at hand, which is answered, is one from now on; or NO [NOUPDATE]. */
void context_keep(struct postern_imap *s);
void context_drop_all(struct postern_imap *s);
/* context_judge.c. context_gone - these UIDs are about to be told as gone. */
void context_gone(struct postern_imap *s, struct postern_uid_range range);
/* context_note - this message is new, or changed; context_judge - all were noted: judge them, then
 * go on with then(). */
void context_note(struct postern_imap *s, uint32_t uid);
void context_judge(struct postern_imap *s, void (*then)(struct postern_imap *s));
/* context_found - the search of a context is over. */
void context_found(struct postern_imap *s);

#endif
