/* SPDX-License-Identifier: MIT */
/* sort_kept - the order of a search whose results are kept up to date (RFC 5267): its messages with
 * their keys, which never change as long as a message is there. */
#include "proto/imap/sort.h"

struct sort_kept {
    struct imap_sort criteria; /* its items are not used */
    struct sort_item **items;  /* own memory, each */
    size_t count, room;
};

/* copy - with its texts, in one piece. NULL: out of memory. */
static struct sort_item *copy(struct postern_imap *s, const struct sort_kept *kept,
                              const struct sort_item *item)
{
    size_t keys_n = kept->criteria.count * sizeof *item->keys, n = sizeof *item + keys_n;
    struct sort_item *own;
    char *at;

    for (size_t i = 0; i < kept->criteria.count; i++)
        n += item->keys[i].text.n;
    own = memory_new(s->o.allocator, n);
    if (!own)
        return NULL;
    memcpy(own, item, sizeof *item + keys_n);
    at = (char *)own + sizeof *item + keys_n;
    for (size_t i = 0; i < kept->criteria.count; i++) {
        struct postern_span text = item->keys[i].text;

        if (text.n)
            memcpy(at, text.p, text.n);
        own->keys[i].text.p = at;
        at += text.n;
    }
    return own;
}

struct sort_kept *sort_keep(struct postern_imap *s, const struct imap_sort *sort)
{
    struct sort_kept *kept = memory_new(s->o.allocator, sizeof *kept);

    if (!kept)
        return NULL;
    kept->criteria = *sort;
    kept->room = sort->item_count + 8;
    kept->items = memory_new(s->o.allocator, kept->room * sizeof(struct sort_item *));
    for (size_t i = 0; kept->items && i < sort->item_count; i++) {
        kept->items[i] = copy(s, kept, sort->items[i]);
        if (!kept->items[i])
            break;
        kept->count++;
    }
    if (!kept->items || kept->count < sort->item_count)
        sort_kept_free(s, &kept);
    return kept;
}

void sort_kept_free(struct postern_imap *s, struct sort_kept **kept)
{
    if (!*kept)
        return;
    for (size_t i = 0; i < (*kept)->count; i++)
        memory_free(s->o.allocator, (*kept)->items[i]);
    memory_free(s->o.allocator, (void *)(*kept)->items);
    memory_free(s->o.allocator, *kept);
    *kept = NULL;
}

struct imap_sort *sort_kept_again(struct postern_imap *s, const struct sort_kept *kept)
{
    struct imap_sort *sort = arena_alloc(&s->arena, sizeof *sort);

    if (!sort) {
        imap_no_memory(s);
        return NULL;
    }
    *sort = kept->criteria;
    sort->items = NULL;
    sort->item_count = sort->item_room = 0;
    return sort;
}

size_t sort_kept_remove(struct postern_imap *s, struct sort_kept *kept, uint32_t uid)
{
    size_t at = 0;

    while (at < kept->count && kept->items[at]->uid != uid)
        at++;
    if (at == kept->count)
        return 0;
    memory_free(s->o.allocator, kept->items[at]);
    kept->count--;
    memmove((void *)(kept->items + at), (const void *)(kept->items + at + 1),
            (kept->count - at) * sizeof(struct sort_item *));
    return at + 1;
}

/* grow - room for one more. false: out of memory. */
static bool grow(struct postern_imap *s, struct sort_kept *kept)
{
    size_t room = kept->room * 2;
    void *more;

    if (kept->count < kept->room)
        return true;
    more = memory_resize(s->o.allocator, (void *)kept->items, room * sizeof(struct sort_item *));
    if (!more)
        return false;
    kept->items = more;
    kept->room = room;
    return true;
}

size_t sort_kept_insert(struct postern_imap *s, struct sort_kept *kept,
                        const struct sort_item *item)
{
    size_t low = 0, high = kept->count;
    struct sort_item *own = grow(s, kept) ? copy(s, kept, item) : NULL;

    if (!own) {
        imap_no_memory(s);
        return 0;
    }
    while (low < high) {
        size_t middle = (low + high) / 2;

        if (sort_is_before(&kept->criteria, kept->items[middle], own))
            low = middle + 1;
        else
            high = middle;
    }
    memmove((void *)(kept->items + low + 1), (const void *)(kept->items + low),
            (kept->count - low) * sizeof(struct sort_item *));
    kept->items[low] = own;
    kept->count++;
    return low + 1;
}
