/* SPDX-License-Identifier: MIT */
/* context - owns the contexts: what is kept of a search, and when it is dropped. */
#include "proto/imap/commands.h"
#include "proto/imap/context.h"
#include "proto/imap/sort.h"

#define CONTEXTS_MAX 8

bool context_has(const struct postern_imap *s, struct postern_span tag)
{
    for (const struct imap_context *context = s->contexts; context; context = context->next)
        if (span_equal(context->tag, tag))
            return true;
    return false;
}

static void context_free(struct postern_imap *s, struct imap_context *context)
{
    arena_drop(&context->arena);
    sort_kept_free(s, &context->sorted);
    memory_free(s->o.allocator, context->found);
    memory_free(s->o.allocator, context);
}

void context_drop_all(struct postern_imap *s)
{
    while (s->contexts) {
        struct imap_context *context = s->contexts;

        s->contexts = context->next;
        context_free(s, context);
    }
    memory_free(s->o.allocator, s->noted);
    s->noted = NULL;
    s->noted_count = s->noted_room = 0;
    if (s->judging) { /* it is the session's end */
        arena_drop(&s->arena);
        s->arena = s->judging->arena;
        memory_free(s->o.allocator, s->judging);
        s->judging = NULL;
    }
}

/* ---- what is asked for ----------------------------------------------------------------------- */

void context_parse_items(struct postern_imap *s, struct imap_search *search)
{
    struct arrived_items items = {NULL, false};

    if (!imap_offers(s, "NOTIFY") ||
        !(span_begins(s->in.rest, SPAN(" (")) || span_begins(s->in.rest, SPAN("("))))
        return;
    (void)parse_try(&s->in, ' ');
    arrived_parse(s, &items);
    search->update_items = items.first;
    search->update_needs_block = items.needs_block;
}

/* ---- keeping --------------------------------------------------------------------------------- */

/* I 5267:4.3-4 */
static bool copy_step(struct imap_context *context, struct search_step *to,
                      const struct search_step *from)
{
    struct postern_uid_range *ranges = NULL;

    *to = *from;
    if (from->is_narrowed) { /* that was what an index knew then */
        to->is_narrowed = false;
        to->set = (struct imap_set){0};
    }
    if (to->set.count) {
        ranges = arena_alloc(&context->arena, from->set.count * sizeof *ranges);
        if (!ranges)
            return false;
        memcpy(ranges, from->set.ranges, from->set.count * sizeof *ranges);
        to->set.ranges = ranges;
    }
    return arena_copy(&context->arena, from->name, &to->name) == 0 &&
           arena_copy(&context->arena, from->text, &to->text) == 0;
}

/* rising - what a SORT found, in the order of the mailbox. false: out of memory. */
static bool rising(struct postern_imap *s, uint32_t *uids, size_t count)
{
    void **order = arena_alloc(&s->arena, (count + 1) * sizeof *order);
    uint32_t *copy = arena_alloc(&s->arena, (count + 1) * sizeof *copy);

    if (!order || !copy)
        return false;
    for (size_t i = 0; i < count; i++) {
        copy[i] = uids[i];
        order[i] = &copy[i];
    }
    heap_sort(order, count, search_is_smaller, NULL);
    for (size_t i = 0; i < count; i++)
        uids[i] = *(const uint32_t *)order[i];
    return true;
}

/* context_new - NULL: out of memory. */
static struct imap_context *context_new(struct postern_imap *s, const struct imap_search *search)
{
    struct imap_context *context = memory_new(s->o.allocator, sizeof *context);
    bool good;

    if (!context)
        return NULL;
    context->arena.allocator = s->o.allocator;
    context->by_uid = s->by_uid;
    context->count = search->count;
    context->steps = arena_alloc(&context->arena, (search->count + 1) * sizeof *context->steps);
    context->found = memory_new(s->o.allocator, (search->found_count + 1) * sizeof(uint32_t));
    good =
        context->steps && context->found && arena_copy(&context->arena, s->tag, &context->tag) == 0;
    for (size_t i = 0; good && i < search->count; i++)
        good = copy_step(context, &context->steps[i], &search->steps[i]);
    if (good && search->found_count)
        memcpy(context->found, search->found, search->found_count * sizeof(uint32_t));
    context->found_count = search->found_count;
    if (good)
        good =
            arrived_copy(&context->arena,
                         &(struct arrived_items){search->update_items, search->update_needs_block},
                         &context->items);
    context->has_fuzzy = search->sort && search->has_fuzzy;
    if (good && search->sort) {
        context->sorted = sort_keep(s, search->sort);
        good = context->sorted && rising(s, context->found, context->found_count);
    }
    if (!good) {
        context_free(s, context);
        return NULL;
    }
    return context;
}

/* I 5267:4.3.1-1 I 5267:4.3.1-2 */
void context_keep(struct postern_imap *s)
{
    struct imap_context **at = &s->contexts;
    const char *refusal = NULL;
    unsigned count = 0;

    while (*at) {
        at = &(*at)->next;
        count++;
    }
    if (s->search->sort && s->search->sort->item_count > SORT_KEPT_MAX)
        refusal = "too many messages to keep in order";
    else if (s->limit_uid)
        refusal = "not all were looked at";
    else if (count == CONTEXTS_MAX)
        refusal = "too many of them";
    if (refusal) {
        write_text(s, "* NO [NOUPDATE ");
        write_string(s, s->tag);
        write_text(s, "] ");
        write_text(s, refusal);
        write_text(s, "\r\n");
        return;
    }
    *at = context_new(s, s->search);
    if (!*at)
        imap_no_memory(s);
}

/* ---- CANCELUPDATE ---------------------------------------------------------------------------- */

/* I 5267:4.3.5-1 */
void imap_cmd_cancelupdate(struct postern_imap *s)
{
    struct imap_parser in;

    parse_space(&s->in);
    in = s->in;
    do
        (void)parse_string(s, &s->in);
    while (!s->in.bad && parse_try(&s->in, ' '));
    if (!imap_good(s))
        return;
    do {
        struct postern_span tag = parse_string(s, &in);
        struct imap_context **at = &s->contexts, *context;

        while (*at && !span_equal((*at)->tag, tag))
            at = &(*at)->next;
        context = *at;
        if (!context)
            continue;
        *at = context->next;
        context_free(s, context);
    } while (parse_try(&in, ' '));
    imap_ok(s, NULL, "no more of them");
}
