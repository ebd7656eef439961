/* SPDX-License-Identifier: MIT */
/* context - owns the contexts and what is noted for them. While they judge, the command's own
 * memory is put aside: an IDLE of days must not gather what each piece of news took. */
#include "proto/imap/context.h"
#include "proto/imap/sort.h"

#define CONTEXTS_MAX 8

struct imap_context {
    struct imap_context *next;
    struct arena arena; /* the program's */
    struct postern_span tag;
    bool by_uid;
    struct search_step *steps;
    size_t count;
    uint32_t *found; /* rising; own memory */
    size_t found_count;
    struct sort_kept *sorted; /* a SORT's; NULL: a SEARCH's */
    bool has_fuzzy;           /* of a SORT: by relevancy */
};

/* struct context_work - what is judged now. */
struct context_work {
    struct imap_context *at; /* the one at work */
    void (*then)(struct postern_imap *s);
    struct arena arena; /* of the command */
    struct imap_search *search;
    bool by_uid;
};

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
    const char *why = NULL;
    unsigned count = 0;

    while (*at) {
        at = &(*at)->next;
        count++;
    }
    if (s->search->sort && s->search->sort->item_count > SORT_KEPT_MAX)
        why = "too many messages to keep in order";
    else if (s->limit_uid)
        why = "not all were looked at";
    else if (count == CONTEXTS_MAX)
        why = "too many of them";
    if (why) {
        write_text(s, "* NO [NOUPDATE ");
        write_string(s, s->tag);
        write_text(s, "] ");
        write_text(s, why);
        write_text(s, "\r\n");
        return;
    }
    *at = context_new(s, s->search);
    if (!*at)
        imap_no_memory(s);
}

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
    if (!search->broken)
        replace(s, context);
    tell_removed(s, context, removed, removed_n);
    tell_added(s, context, added, added_n);
    imap_search_abort(s);
    s->judging->at = context->next;
    judge_next(s);
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
