/* SPDX-License-Identifier: MIT */
/* view - runs of UIDs with sums, so that both ways of a number are a binary search. */
#include "proto/imap/view.h"

#include "base/memory.h"

void view_done(struct imap_view *view)
{
    const struct postern_allocator *allocator = view->allocator;

    memory_free(allocator, view->runs);
    *view = (struct imap_view){.allocator = allocator};
}

static int grow(struct imap_view *view, size_t room)
{
    struct imap_run *runs;

    if (room <= view->room)
        return 0;
    room = room < view->room * 2 ? view->room * 2 : room;
    runs = memory_resize(view->allocator, view->runs, room * sizeof *runs);
    if (!runs)
        return POSTERN_E_NOMEM;
    view->runs = runs;
    view->room = room;
    return 0;
}

int view_add(struct imap_view *view, struct postern_uid_range range)
{
    struct imap_run *last = view->count ? &view->runs[view->count - 1] : NULL;

    if (last && last->last + 1 == range.first) {
        last->last = range.last;
    } else {
        if (grow(view, view->count + 1) < 0)
            return POSTERN_E_NOMEM;
        view->runs[view->count++] = (struct imap_run){range.first, range.last, view->messages};
    }
    view->messages += range.last - range.first + 1;
    return 0;
}

int view_set(struct imap_view *view, const struct postern_uid_range *ranges, size_t count)
{
    if (grow(view, count) < 0)
        return POSTERN_E_NOMEM;
    view->count = 0;
    view->messages = 0;
    for (size_t i = 0; i < count; i++)
        if (view_add(view, ranges[i]) < 0)
            return POSTERN_E_NOMEM;
    return 0;
}

/* run_of - the first run that does not end before uid; view->count: none. */
static size_t run_of(const struct imap_view *view, uint32_t uid)
{
    size_t low = 0, high = view->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (view->runs[middle].last < uid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* I 2.3.1.2-1 */
uint32_t view_number(const struct imap_view *view, uint32_t uid)
{
    size_t i = run_of(view, uid);

    if (i == view->count || view->runs[i].first > uid)
        return 0;
    return view->runs[i].before + (uid - view->runs[i].first) + 1;
}

uint32_t view_place(const struct imap_view *view, uint32_t uid)
{
    size_t i = run_of(view, uid);

    if (i == view->count)
        return view->messages;
    return view->runs[i].before + (uid > view->runs[i].first ? uid - view->runs[i].first : 0);
}

uint32_t view_uid(const struct imap_view *view, uint32_t number)
{
    size_t low = 0, high = view->count;

    while (high - low > 1) {
        size_t middle = (low + high) / 2;

        if (view->runs[middle].before < number)
            low = middle;
        else
            high = middle;
    }
    return view->runs[low].first + (number - view->runs[low].before - 1);
}

/* I 3501:2.3.2-1 */
bool view_is_recent(const struct imap_view *view, uint32_t uid)
{
    return view->recent_from && uid >= view->recent_from;
}

uint32_t view_recent(const struct imap_view *view)
{
    return view->recent_from ? view->messages - view_place(view, view->recent_from) : 0;
}
