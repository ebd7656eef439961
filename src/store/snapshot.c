/* SPDX-License-Identifier: MIT */
/* snapshot - immutable counted lists. A reader keeps the list it was given however the mailbox
 * changes; the count is atomic because sessions on several loops may share one. */
#include "store/snapshot.h"

#include "base/span.h"
#include <stdatomic.h>
#include <stdlib.h>

struct snapshot_builder {
    struct postern_snapshot snapshot; /* first: what users see */
    atomic_uint references;
    struct postern_entry *entries;
    uint32_t *numbers;
    char *uids;
    size_t entry_room, uid_bytes, uid_room;
};

static struct snapshot_builder *owner(struct postern_snapshot *snapshot)
{
    return (struct snapshot_builder *)snapshot;
}

int snapshot_builder_new(struct snapshot_builder **builder_r, size_t count)
{
    struct snapshot_builder *builder = calloc(1, sizeof *builder);

    if (!builder)
        return POSTERN_E_NOMEM;
    builder->entry_room = count ? count : 1;
    /* Doubled room always fits one unique-id more, however long. */
    builder->uid_room = builder->entry_room * 32 + POSTERN_UID_MAX;
    builder->entries = malloc(builder->entry_room * sizeof *builder->entries);
    builder->numbers = malloc(builder->entry_room * sizeof *builder->numbers);
    builder->uids = malloc(builder->uid_room);
    atomic_init(&builder->references, 1);
    if (!builder->entries || !builder->numbers || !builder->uids) {
        snapshot_builder_free(&builder);
        return POSTERN_E_NOMEM;
    }
    *builder_r = builder;
    return 0;
}

static bool grow(void **memory, size_t *room, size_t size)
{
    void *larger = realloc(*memory, *room * 2 * size);

    if (!larger)
        return false;
    *memory = larger;
    *room *= 2;
    return true;
}

static bool grow_entries(struct snapshot_builder *builder)
{
    size_t room = builder->entry_room;

    return grow((void **)&builder->numbers, &room, sizeof *builder->numbers) &&
           grow((void **)&builder->entries, &builder->entry_room, sizeof *builder->entries);
}

int snapshot_builder_add(struct snapshot_builder *builder, struct postern_span unique, uint32_t uid,
                         uint64_t size_bytes, uint8_t flags)
{
    struct postern_list *list = &builder->snapshot.list;

    if (unique.n == 0 || unique.n > POSTERN_UID_MAX ||
        builder->uid_bytes > UINT32_MAX - POSTERN_UID_MAX)
        return POSTERN_E_TOO_LONG;
    if (list->count == builder->entry_room && !grow_entries(builder))
        return POSTERN_E_NOMEM;
    if (builder->uid_room - builder->uid_bytes < unique.n &&
        !grow((void **)&builder->uids, &builder->uid_room, 1))
        return POSTERN_E_NOMEM;
    memcpy(builder->uids + builder->uid_bytes, unique.p, unique.n);
    builder->numbers[list->count] = uid;
    builder->entries[list->count++] =
        (struct postern_entry){.size_bytes = size_bytes,
                               .flags = flags,
                               .uid_offset = (uint32_t)builder->uid_bytes,
                               .uid_length = (uint8_t)unique.n};
    builder->uid_bytes += unique.n;
    list->total_bytes += size_bytes;
    return 0;
}

void snapshot_builder_size(struct snapshot_builder *builder, size_t i, uint64_t size_bytes,
                           uint8_t flags)
{
    builder->entries[i].size_bytes = size_bytes;
    builder->entries[i].flags = flags;
    builder->snapshot.list.total_bytes += size_bytes;
}

struct postern_span snapshot_builder_uid(const struct snapshot_builder *builder, size_t i)
{
    const struct postern_entry *entry = &builder->entries[i];

    return span_make(builder->uids + entry->uid_offset, entry->uid_length);
}

size_t snapshot_builder_count(const struct snapshot_builder *builder)
{
    return builder->snapshot.list.count;
}

/* Give back what growing took too much; if that fails, nothing is lost. */
static void fit(void **memory, size_t bytes)
{
    void *smaller = realloc(*memory, bytes ? bytes : 1);

    if (smaller)
        *memory = smaller;
}

struct postern_snapshot *snapshot_builder_end(struct snapshot_builder **builder_p)
{
    static atomic_ullong generations;
    struct snapshot_builder *builder = *builder_p;

    *builder_p = NULL;
    fit((void **)&builder->entries, builder->snapshot.list.count * sizeof *builder->entries);
    fit((void **)&builder->numbers, builder->snapshot.list.count * sizeof *builder->numbers);
    fit((void **)&builder->uids, builder->uid_bytes);
    builder->snapshot.list.entries = builder->entries;
    builder->snapshot.list.uids = builder->uids;
    builder->snapshot.numbers = builder->numbers;
    builder->snapshot.generation = atomic_fetch_add(&generations, 1) + 1;
    return &builder->snapshot;
}

void snapshot_builder_free(struct snapshot_builder **builder)
{
    if (!builder || !*builder)
        return;
    free((*builder)->entries);
    free((*builder)->numbers);
    free((*builder)->uids);
    free(*builder);
    *builder = NULL;
}

struct postern_span snapshot_uid(const struct postern_snapshot *snapshot, size_t i)
{
    const struct postern_entry *entry = &snapshot->list.entries[i];

    return span_make(snapshot->list.uids + entry->uid_offset, entry->uid_length);
}

struct postern_snapshot *postern_snapshot_ref(struct postern_snapshot *snapshot)
{
    atomic_fetch_add(&owner(snapshot)->references, 1);
    return snapshot;
}

void postern_snapshot_unref(struct postern_snapshot **snapshot_p)
{
    struct snapshot_builder *builder;

    if (!snapshot_p || !*snapshot_p)
        return;
    builder = owner(*snapshot_p);
    *snapshot_p = NULL;
    if (atomic_fetch_sub(&builder->references, 1) == 1)
        snapshot_builder_free(&builder);
}

static int compare_uids(const void *a, const void *b)
{
    const struct postern_span *x = a, *y = b;
    size_t n = x->n < y->n ? x->n : y->n;
    int order = memcmp(x->p, y->p, n);

    return order ? order : (x->n > y->n) - (x->n < y->n);
}

bool postern_snapshot_has_new(const struct postern_snapshot *before,
                              const struct postern_snapshot *now)
{
    size_t count = before->list.count;
    struct postern_span *known;
    bool found = false;

    if (before->generation == now->generation || now->list.count == 0)
        return false;
    known = malloc((count + 1) * sizeof *known);
    if (!known)
        return true; /* when in doubt the client looks */
    for (size_t i = 0; i < count; i++)
        known[i] = snapshot_uid(before, i);
    qsort(known, count, sizeof *known, compare_uids);
    for (size_t i = 0; !found && i < now->list.count; i++) {
        struct postern_span uid = snapshot_uid(now, i);

        found = !bsearch(&uid, known, count, sizeof *known, compare_uids);
    }
    free(known);
    return found;
}
