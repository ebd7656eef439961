/* SPDX-License-Identifier: MIT */
/* list - what a LIST asks for. */
#ifndef IMAP_LIST_H
#define IMAP_LIST_H

#include "proto/imap/metadata.h"

#define LIST_PATTERNS_MAX 64

enum {
    LIST_SELECT_SUBSCRIBED = 1,
    LIST_SELECT_RECURSIVE = 2,
    LIST_SELECT_SPECIAL = 4,
    LIST_RETURN_SUBSCRIBED = 8,
    LIST_RETURN_CHILDREN = 16,
    LIST_RETURN_SPECIAL = 32,
    LIST_RETURN_STATUS = 64,
    LIST_RETURN_METADATA = 128,
    LIST_RETURN_RIGHTS = 256
};

struct imap_list {
    unsigned options, status;
    bool lsub, xlist;
    bool extended; /* RFC 5258: by options, by several patterns, or by RETURN */
    struct postern_span patterns[LIST_PATTERNS_MAX];
    size_t pattern_count;
    /* RFC 9590: of those that were shown, one after the other */
    struct imap_metadata metadata;
    struct {
        struct postern_span name;
        enum postern_special_use special;
    } * shown;
    size_t shown_count, shown_at;
};

/* list_parse.c: "(SUBSCRIBED ...)" before the patterns, the patterns, RETURN (...) behind them. */
void list_parse_selection(struct postern_imap *s, struct imap_list *list);
void list_parse_patterns(struct postern_imap *s, struct imap_list *list);
void list_parse_return(struct postern_imap *s, struct imap_list *list);
/* list_show.c: list_show - of all names those that are asked for; the command ends. */
void list_show(struct postern_imap *s, const struct imap_answer *answer);
bool list_is_below(struct postern_span name, struct postern_span parent);

#endif
