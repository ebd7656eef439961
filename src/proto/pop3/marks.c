/* SPDX-License-Identifier: MIT */
/* marks - which messages of a mailbox are marked or gone, and how to find one by its unique-id.
 * The list itself is shared and never written; an index of 4 octets a message is made when the
 * first UID: comes. Heap sort, since it needs neither memory nor a library and has no bad case that
 * a sender of mail could provoke. */
#include "proto/pop3/marks.h"

#include "base/memory.h"
#include "base/span.h"

#define EXTRAS_FIRST 4

void marks_init(struct marks *m, const struct postern_allocator *allocator, size_t count)
{
    *m = (struct marks){.allocator = allocator, .count = count};
}

void marks_done(struct marks *m)
{
    memory_free(m->allocator, m->marked);
    memory_free(m->allocator, m->gone);
    memory_free(m->allocator, m->index);
    memory_free(m->allocator, m->extras);
    marks_init(m, m->allocator, 0);
}

static size_t bitmap_bytes(const struct marks *m)
{
    return m->count / 8 + 1;
}

size_t marks_memory(const struct marks *m)
{
    size_t bitmaps = (m->marked ? bitmap_bytes(m) : 0) + (m->gone ? bitmap_bytes(m) : 0);

    return bitmaps + (m->index ? m->count * sizeof *m->index : 0) +
           m->extra_capacity * sizeof *m->extras;
}

static bool bit(const unsigned char *bits, size_t at)
{
    return bits && (bits[at / 8] >> at % 8 & 1);
}

static int bit_set(const struct marks *m, unsigned char **bits, size_t at)
{
    if (!*bits)
        *bits = memory_new(m->allocator, bitmap_bytes(m));
    if (!*bits)
        return POSTERN_E_NOMEM;
    (*bits)[at / 8] |= (unsigned char)(1 << at % 8);
    return 0;
}

bool marks_is_marked(const struct marks *m, size_t at)
{
    return bit(m->marked, at);
}

bool marks_is_gone(const struct marks *m, size_t at)
{
    return bit(m->gone, at);
}

int marks_set(struct marks *m, size_t at, uint64_t size_bytes)
{
    if (bit(m->marked, at))
        return 0;
    if (bit_set(m, &m->marked, at) < 0)
        return POSTERN_E_NOMEM;
    m->marked_count++;
    m->marked_octets += size_bytes;
    return 0;
}

int marks_set_gone(struct marks *m, size_t at, uint64_t size_bytes)
{
    if (bit(m->gone, at))
        return 0;
    if (bit_set(m, &m->gone, at) < 0)
        return POSTERN_E_NOMEM;
    m->gone_count++;
    m->gone_octets += size_bytes;
    return 0;
}

static int extras_grow(struct marks *m)
{
    size_t capacity = m->extra_capacity ? m->extra_capacity * 2 : EXTRAS_FIRST;
    void *extras;

    if (m->extra_count < m->extra_capacity)
        return 0;
    extras = memory_resize(m->allocator, m->extras, capacity * sizeof *m->extras);
    if (!extras)
        return POSTERN_E_NOMEM;
    m->extras = extras;
    m->extra_capacity = capacity;
    return 0;
}

int marks_add_extra(struct marks *m, struct postern_span uid, uint64_t size_bytes, bool is_gone)
{
    struct marks_extra *extra;

    if (extras_grow(m) < 0)
        return POSTERN_E_NOMEM;
    extra = &m->extras[m->extra_count++];
    *extra = (struct marks_extra){
        .size_bytes = size_bytes, .is_gone = is_gone, .uid_length = (uint8_t)uid.n};
    memcpy(extra->uid, uid.p, uid.n);
    if (!is_gone)
        m->extra_marked_count++;
    return 0;
}

long marks_find_extra(const struct marks *m, struct postern_span uid)
{
    for (size_t i = 0; i < m->extra_count; i++)
        if (span_equal(uid, span_make(m->extras[i].uid, m->extras[i].uid_length)))
            return (long)i;
    return -1;
}

void marks_clear(struct marks *m)
{
    size_t kept = 0;

    memory_free(m->allocator, m->marked);
    m->marked = NULL;
    m->marked_count = m->extra_marked_count = 0;
    m->marked_octets = 0;
    for (size_t i = 0; i < m->extra_count; i++)
        if (m->extras[i].is_gone)
            m->extras[kept++] = m->extras[i];
    m->extra_count = kept;
}

static struct postern_span uid_at(const struct postern_list *list, size_t at)
{
    return span_make(list->uids + list->entries[at].uid_offset, list->entries[at].uid_length);
}

static int uid_compare(struct postern_span a, struct postern_span b)
{
    int order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

    return order ? order : (a.n > b.n) - (a.n < b.n);
}

/* sift - let index[root] sink in the heap of n */
static void sift(uint32_t *index, size_t root, size_t n, const struct postern_list *list)
{
    uint32_t sinking = index[root];

    for (size_t child = 2 * root + 1; child < n; child = 2 * root + 1) {
        if (child + 1 < n &&
            uid_compare(uid_at(list, index[child]), uid_at(list, index[child + 1])) < 0)
            child++;
        if (uid_compare(uid_at(list, sinking), uid_at(list, index[child])) >= 0)
            break;
        index[root] = index[child];
        root = child;
    }
    index[root] = sinking;
}

static int index_build(struct marks *m, const struct postern_list *list)
{
    uint32_t *index = memory_new(m->allocator, m->count * sizeof *index);

    if (!index)
        return POSTERN_E_NOMEM;
    for (size_t i = 0; i < m->count; i++)
        index[i] = (uint32_t)i;
    for (size_t i = m->count / 2; i-- > 0;)
        sift(index, i, m->count, list);
    for (size_t n = m->count; n-- > 1;) {
        uint32_t top = index[0];

        index[0] = index[n];
        index[n] = top;
        sift(index, 0, n, list);
    }
    m->index = index;
    return 0;
}

int64_t marks_find(struct marks *m, const struct postern_list *list, struct postern_span uid)
{
    size_t low = 0, high = m->count;

    if (m->count == 0)
        return POSTERN_E_NOT_FOUND;
    if (!m->index && index_build(m, list) < 0)
        return POSTERN_E_NOMEM;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = uid_compare(uid, uid_at(list, m->index[middle]));

        if (order == 0)
            return m->index[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return POSTERN_E_NOT_FOUND;
}
