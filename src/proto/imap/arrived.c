/* SPDX-License-Identifier: MIT */
/* arrived - see arrived.h. One FETCH for each list of items, one after the other. */
#include "proto/imap/arrived.h"

/* struct arrived_job - messages of which the same is asked for. */
struct arrived_job {
    struct arrived_job *next;
    const struct arrived_items *items;
    struct postern_uid_range *ranges; /* own memory */
    size_t count, room;
};

struct imap_arrived {
    struct arrived_job *jobs;
    uint32_t own_first, own_last;
    bool is_aside;
    struct arena outer; /* the command's */
    struct imap_fetch *outer_fetch;
    void (*then)(struct postern_imap *s);
};

static bool has(struct postern_imap *s)
{
    if (!s->arrived)
        s->arrived = memory_new(s->o.allocator, sizeof *s->arrived);
    if (!s->arrived)
        imap_no_memory(s);
    return s->arrived != NULL;
}

static void free_job(struct postern_imap *s)
{
    struct arrived_job *job = s->arrived->jobs;

    s->arrived->jobs = job->next;
    memory_free(s->o.allocator, job->ranges);
    memory_free(s->o.allocator, job);
}

void arrived_free(struct postern_imap *s)
{
    if (!s->arrived)
        return;
    if (s->arrived->is_aside) { /* it is the session's end */
        arena_drop(&s->arena);
        s->arena = s->arrived->outer;
    }
    while (s->arrived->jobs)
        free_job(s);
    memory_free(s->o.allocator, s->arrived);
    s->arrived = NULL;
}

/* ---- what is to be fetched ------------------------------------------------------------------- */

void arrived_own(struct postern_imap *s, const struct imap_answer *answer)
{
    if (s->state != POSTERN_IMAP_SELECTED || !answer->count || !answer->uid_validity ||
        !span_equal(s->question.name, s->mailbox) || !has(s))
        return;
    s->arrived->own_first = answer->uids[0];
    s->arrived->own_last = answer->uids[answer->count - 1];
}

/* job_of - these items; NULL: out of memory. */
static struct arrived_job *job_of(struct postern_imap *s, const struct arrived_items *items)
{
    struct arrived_job **at = &s->arrived->jobs;

    while (*at && (*at)->items != items)
        at = &(*at)->next;
    if (!*at)
        *at = memory_new(s->o.allocator, sizeof **at);
    if (*at)
        (*at)->items = items;
    return *at;
}

static void add(struct postern_imap *s, struct arrived_job *job, struct postern_uid_range range)
{
    if (job->count == job->room) {
        size_t room = job->room ? job->room * 2 : 8;
        struct postern_uid_range *more =
            memory_resize(s->o.allocator, job->ranges, room * sizeof *more);

        if (!more) {
            imap_no_memory(s);
            return;
        }
        job->ranges = more;
        job->room = room;
    }
    job->ranges[job->count++] = range;
}

void arrived_note(struct postern_imap *s, const struct arrived_items *items,
                  struct postern_uid_range range)
{
    struct arrived_job *job;

    if (!items->first || !has(s))
        return;
    if (range.first >= s->arrived->own_first && range.first <= s->arrived->own_last)
        range.first = s->arrived->own_last + 1; /* the client knows what it put there */
    if (range.last >= s->arrived->own_first && range.last <= s->arrived->own_last)
        range.last = s->arrived->own_first - 1;
    if (range.first > range.last)
        return;
    job = job_of(s, items);
    if (job)
        add(s, job, range);
    else
        imap_no_memory(s);
}

/* ---- fetching -------------------------------------------------------------------------------- */

static void next_job(struct postern_imap *s);

static void fetched(struct postern_imap *s)
{
    struct imap_arrived *arrived = s->arrived;

    free_job(s);
    arena_drop(&s->arena);
    s->arena = arrived->outer;
    s->fetch = arrived->outer_fetch;
    arrived->is_aside = false;
    next_job(s);
}

static void next_job(struct postern_imap *s)
{
    struct imap_arrived *arrived = s->arrived;
    const struct arrived_job *job = arrived->jobs;

    if (!job || s->closing || s->failed) {
        void (*then)(struct postern_imap * s) = arrived->then;

        arrived_free(s);
        then(s);
        return;
    }
    arrived->is_aside = true;
    arrived->outer = s->arena;
    arrived->outer_fetch = s->fetch;
    s->arena = (struct arena){.allocator = s->o.allocator};
    if (!fetch_new(s))
        return;
    s->fetch->items = job->items->first;
    s->fetch->needs_block = job->items->needs_block;
    s->fetch->set = (struct imap_set){job->ranges, job->count};
    fetch_begin(s, fetched);
}

/* I 5465:5.2-1 */
void arrived_fetch(struct postern_imap *s, void (*then)(struct postern_imap *s))
{
    if (!s->arrived) {
        then(s);
        return;
    }
    s->arrived->then = then;
    next_job(s);
}

/* ---- items ----------------------------------------------------------------------------------- */

void arrived_parse(struct postern_imap *s, struct arrived_items *items_r)
{
    struct imap_fetch *fetch = arena_alloc(&s->arena, sizeof *fetch);

    if (!fetch) {
        imap_no_memory(s);
        s->in.bad = true;
        return;
    }
    memset(fetch, 0, sizeof *fetch);
    fetch_parse_items(s, fetch);
    *items_r = (struct arrived_items){fetch->items, fetch->needs_block};
}

/* copy_names - what they name may still be in the command's text. */
static bool copy_names(struct arena *arena, struct fetch_section *section)
{
    struct postern_span *names =
        arena_alloc(arena, (section->name_count + 1) * sizeof *section->names);

    for (size_t i = 0; names && i < section->name_count; i++)
        if (arena_copy(arena, section->names[i], &names[i]) < 0)
            names = NULL;
    section->names = names;
    return names != NULL;
}

bool arrived_copy(struct arena *arena, const struct arrived_items *items,
                  struct arrived_items *copy_r)
{
    struct fetch_item **last = &copy_r->first;

    *copy_r = (struct arrived_items){.needs_block = items->needs_block};
    for (const struct fetch_item *item = items->first; item; item = item->next) {
        struct fetch_item *own = arena_alloc(arena, sizeof *own);

        if (!own)
            return false;
        *own = *item;
        own->next = NULL;
        if (item->section) {
            own->section = arena_alloc(arena, sizeof *own->section);
            if (!own->section)
                return false;
            *own->section = *item->section;
            if (own->section->names && !copy_names(arena, own->section))
                return false;
        }
        *last = own;
        last = &own->next;
    }
    return true;
}
