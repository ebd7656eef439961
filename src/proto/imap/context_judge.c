/* SPDX-License-Identifier: MIT */
/* context_judge - what the news mean for the contexts (RFC 5267 4.3): what is gone is told before
 * it is, what is new or changed is searched anew. While they judge, the command's own memory is put
 * aside: an IDLE of days must not gather what each piece of news took. */
#include "proto/imap/context.h"
#include "proto/imap/sort.h"

/* ---- telling --------------------------------------------------------------------------------- */

static void write_begin(struct postern_imap *s, const struct imap_context *context,
                        const char *what)
{
    write_text(s, "* ESEARCH (TAG ");
    write_string(s, context->tag);
    write_text(s, context->by_uid ? ") UID" : ")");
    write_text(s, what);
}

/* tell - UIDs, rising, as the client asked for them. They are changed. */
static void tell(struct postern_imap *s, const struct imap_context *context, const char *what,
                 uint32_t *uids, size_t count)
{
    if (!count)
        return;
    for (size_t i = 0; i < count && !context->by_uid; i++)
        uids[i] = view_number(&s->view, uids[i]);
    write_begin(s, context, what);
    write_uids(s, uids, count);
    write_text(s, ")\r\n");
}

/* write_placed - one of an order, at its place. */
static void write_placed(struct postern_imap *s, const struct imap_context *context, size_t place,
                         uint32_t uid, bool first)
{
    write_text(s, first ? "" : " ");
    write_number(s, place);
    write_text(s, " ");
    write_number(s, context->by_uid ? uid : view_number(&s->view, uid));
}

/* tell_removed - UIDs, rising. They may be changed. */
static void tell_removed(struct postern_imap *s, struct imap_context *context, uint32_t *uids,
                         size_t count)
{
    if (!context->sorted) {
        tell(s, context, " REMOVEFROM (0 ", uids, count);
        return;
    }
    if (!count)
        return;
    write_begin(s, context, " REMOVEFROM (");
    for (size_t i = 0; i < count; i++)
        write_placed(s, context, sort_kept_remove(s, context->sorted, uids[i]), uids[i], i == 0);
    write_text(s, ")\r\n");
}

/* tell_added - likewise; their keys are those of the search at hand. */
static void tell_added(struct postern_imap *s, struct imap_context *context, uint32_t *uids,
                       size_t count)
{
    const struct imap_sort *sort = s->search->sort;
    size_t at = 0;

    if (!context->sorted) {
        tell(s, context, " ADDTO (0 ", uids, count);
        return;
    }
    if (!count)
        return;
    write_begin(s, context, " ADDTO (");
    for (size_t i = 0; i < count && !s->failed; i++) {
        while (((const struct sort_item *)sort->items[at])->uid != uids[i])
            at++;
        write_placed(s, context, sort_kept_insert(s, context->sorted, sort->items[at]), uids[i],
                     i == 0);
    }
    write_text(s, ")\r\n");
}

static size_t place_of(const struct imap_context *context, uint32_t uid)
{
    size_t low = 0, high = context->found_count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (context->found[middle] < uid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void context_gone(struct postern_imap *s, struct postern_uid_range range)
{
    for (struct imap_context *context = s->contexts; context; context = context->next) {
        size_t first = place_of(context, range.first), end = first;

        while (end < context->found_count && context->found[end] <= range.last)
            end++;
        tell_removed(s, context, context->found + first, end - first);
        memmove(context->found + first, context->found + end,
                (context->found_count - end) * sizeof *context->found);
        context->found_count -= end - first;
    }
}

/* ---- judging --------------------------------------------------------------------------------- */

void context_note(struct postern_imap *s, uint32_t uid)
{
    if (!s->contexts || (s->noted_count && s->noted[s->noted_count - 1] >= uid))
        return;
    if (s->noted_count == s->noted_room) {
        size_t room = s->noted_room ? s->noted_room * 2 : 64;
        uint32_t *more = memory_resize(s->o.allocator, s->noted, room * sizeof *more);

        if (!more) {
            imap_no_memory(s);
            return;
        }
        s->noted = more;
        s->noted_room = room;
    }
    s->noted[s->noted_count++] = uid;
}

/* judge_next - the next context, or on with what waited.
 * I 5267:4.3-1 I 5267:4.3-2 */
static void judge_next(struct postern_imap *s)
{
    struct context_work *work = s->judging;
    const struct imap_context *context = work->at;

    if (context) {
        if (!search_new(s))
            return;
        s->by_uid = context->by_uid;
        s->search->steps = context->steps;
        s->search->count = context->count;
        s->search->has_fuzzy = context->has_fuzzy;
        if (context->sorted)
            s->search->sort = sort_kept_again(s, context->sorted);
        if (s->failed)
            return;
        s->search->only = s->noted;
        s->search->only_count = s->noted_count;
        search_begin(s);
        return;
    }
    arena_drop(&s->arena);
    s->arena = work->arena;
    s->search = work->search;
    s->by_uid = work->by_uid;
    s->judging = NULL;
    s->noted_count = 0;
    work->then(s);
    memory_free(s->o.allocator, work);
}

void context_judge(struct postern_imap *s, void (*then)(struct postern_imap *s))
{
    struct context_work *work;

    if (!s->noted_count || !s->contexts || s->failed) {
        s->noted_count = 0;
        then(s);
        return;
    }
    work = memory_new(s->o.allocator, sizeof *work);
    if (!work) {
        imap_no_memory(s);
        return;
    }
    *work = (struct context_work){s->contexts, then, s->arena, s->search, s->by_uid};
    s->judging = work;
    s->arena = (struct arena){.allocator = s->o.allocator};
    judge_next(s);
}

/* replace - what was found among the noted is found, the others of them are not. */
static void replace(struct postern_imap *s, struct imap_context *context)
{
    const struct imap_search *search = s->search;
    size_t room = context->found_count + search->found_count + 1, n = 0, noted = 0, is = 0;
    uint32_t *found = memory_new(s->o.allocator, room * sizeof *found);

    if (!found) {
        imap_no_memory(s);
        return;
    }
    for (size_t was = 0; was < context->found_count || is < search->found_count;) {
        bool takes_new = is < search->found_count &&
                         (was == context->found_count || search->found[is] < context->found[was]);
        uint32_t uid = takes_new ? search->found[is] : context->found[was];

        while (noted < s->noted_count && s->noted[noted] < uid)
            noted++;
        if (takes_new) {
            found[n++] = search->found[is++];
        } else {
            bool is_noted = noted < s->noted_count && s->noted[noted] == uid;
            bool still = is < search->found_count && search->found[is] == uid;

            is += still;
            if (!is_noted || still)
                found[n++] = uid;
            was++;
        }
    }
    memory_free(s->o.allocator, context->found);
    context->found = found;
    context->found_count = n;
}

void context_found(struct postern_imap *s)
{
    struct imap_context *context = s->judging->at;
    const struct imap_search *search = s->search;
    uint32_t *added = arena_alloc(&s->arena, (s->noted_count + 1) * sizeof *added);
    uint32_t *removed = arena_alloc(&s->arena, (s->noted_count + 1) * sizeof *removed);
    size_t added_n = 0, removed_n = 0, is = 0;

    if (!added || !removed) {
        imap_no_memory(s);
        return;
    }
    for (size_t i = 0; search->sort && i < search->sort->item_count; i++)
        search_note(s, ((const struct sort_item *)search->sort->items[i])->uid, 0, 0);
    for (size_t i = 0; i < s->noted_count && !search->broken; i++) {
        uint32_t uid = s->noted[i];
        size_t place = place_of(context, uid);
        bool was = place < context->found_count && context->found[place] == uid, now;

        while (is < search->found_count && search->found[is] < uid)
            is++;
        now = is < search->found_count && search->found[is] == uid;
        if (now && !was)
            added[added_n++] = uid;
        if (was && !now)
            removed[removed_n++] = uid;
    }
    for (size_t i = 0; i < added_n; i++)
        if (added[i] >= s->new_from)
            arrived_note(s, &context->items, (struct postern_uid_range){added[i], added[i]});
    if (!search->broken)
        replace(s, context);
    tell_removed(s, context, removed, removed_n);
    tell_added(s, context, added, added_n);
    imap_search_abort(s);
    s->judging->at = context->next;
    judge_next(s);
}
