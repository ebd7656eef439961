/* SPDX-License-Identifier: MIT */
/* sort - messages with what they are sorted by: those that a SORT found, and those of one whose
 * order is kept up (CONTEXT=SORT). */
#ifndef IMAP_SORT_H
#define IMAP_SORT_H

#include "proto/imap/search.h"

#define SORT_CRITERIA_MAX 16
#define SORT_KEPT_MAX 10000 /* messages of an order that is kept: each has its keys */

enum criterion {
    SORT_ARRIVAL,
    SORT_CC,
    SORT_DATE,
    SORT_FROM,
    SORT_SIZE,
    SORT_SUBJECT,
    SORT_TO,
    SORT_DISPLAYFROM,
    SORT_DISPLAYTO,
    SORT_RELEVANCY /* RFC 6203 6 */
};

struct sort_key {
    int64_t number;
    struct postern_span text;
};

struct sort_item {
    uint32_t uid;
    unsigned score;
    uint64_t modseq;
    struct sort_key keys[]; /* as many as criteria */
};

struct imap_sort {
    enum criterion criteria[SORT_CRITERIA_MAX];
    bool reverse[SORT_CRITERIA_MAX];
    size_t count;
    void **items; /* struct sort_item * */
    size_t item_count, item_room;
};

/* cmd-sort.c: sort_is_before - of two struct sort_item; ctx: the struct imap_sort. */
bool sort_is_before(const void *ctx, const void *left, const void *right);

/* sort_kept.c: an order, in memory of its own. */
struct sort_kept;
/* sort_keep - of what was found and put in order. NULL: out of memory. */
struct sort_kept *sort_keep(struct postern_imap *s, const struct imap_sort *sort);
void sort_kept_free(struct postern_imap *s, struct sort_kept **kept);
/* sort_kept_again - the same criteria for a search, in the arena; NULL: out of memory. */
struct imap_sort *sort_kept_again(struct postern_imap *s, const struct sort_kept *kept);
/* sort_kept_remove - the place where it was, from 1. sort_kept_insert - where it is now; 0: out of
 * memory. */
size_t sort_kept_remove(struct postern_imap *s, struct sort_kept *kept, uint32_t uid);
size_t sort_kept_insert(struct postern_imap *s, struct sort_kept *kept,
                        const struct sort_item *item);

#endif
