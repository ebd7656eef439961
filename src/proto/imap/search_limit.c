/* SPDX-License-Identifier: MIT */
/* search_limit - how many messages a search looks at, by the sets that each finding must be in: its
 * own (UID, UIDAFTER, numbers, "$"), not those within OR and NOT. Of too many the last are looked
 * at (RFC 9738 3.1); SORT, THREAD and ESEARCH, whose answer is one whole, are refused (3.3). */
#include "proto/imap/esearch.h"

static struct postern_uid_range everything[] = {{1, UINT32_MAX}};

/* own_set - of a step; an empty one has no ranges to point at. */
static struct imap_set own_set(const struct search_step *step)
{
    if (step->op != SEARCH_SET)
        return (struct imap_set){NULL, 0};
    return step->set.count ? step->set : (struct imap_set){everything, 0};
}

/* set_of - the program, judged for its sets alone. */
static struct imap_set set_of(struct postern_imap *s, const struct imap_search *search)
{
    struct imap_set *stack = arena_alloc(&s->arena, (search->count + 1) * sizeof *stack);
    size_t depth = 0;

    if (!stack) {
        imap_no_memory(s);
        return (struct imap_set){NULL, 0};
    }
    for (size_t i = 0; i < search->count; i++) {
        const struct search_step *step = &search->steps[i];

        if (step->op == SEARCH_AND || step->op == SEARCH_OR) {
            depth--;
            stack[depth - 1] = step->op == SEARCH_AND
                                   ? imap_set_meet(s, stack[depth - 1], stack[depth])
                                   : (struct imap_set){NULL, 0};
        } else if (step->op == SEARCH_NOT) {
            stack[depth - 1] = (struct imap_set){NULL, 0};
        } else {
            stack[depth++] = own_set(step);
        }
    }
    return depth ? stack[0] : (struct imap_set){NULL, 0};
}

/* I 9738:3.4-1 */
bool search_limit(struct postern_imap *s)
{
    struct imap_search *search = s->search;
    struct imap_set set;
    uint32_t limit = imap_limit(s), *uids = NULL;
    size_t count, looked_at = s->esearch ? s->esearch->looked_at : 0;

    if (!limit || (s->view.messages <= limit && !s->esearch))
        return true;
    set = set_of(s, search);
    if (!set.ranges)
        set = (struct imap_set){everything, 1};
    count = s->failed ? 0 : imap_set_uids(s, &set, &uids);
    if (s->esearch)
        s->esearch->looked_at += count;
    if (s->failed || count + looked_at <= limit)
        return !s->failed;
    if (search->sort || search->thread || s->esearch) {
        imap_search_abort(s);
        imap_no_limit(s, limit, 0);
        return false;
    }
    (void)imap_limit_cut(s, &uids, count);
    search->next_uid = s->limit_uid;
    return true;
}
