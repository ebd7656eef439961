/* SPDX-License-Identifier: MIT */
/* counting_heap - an allocator that knows how much is held, and how much was at most; and
 * fails once, where it is told to. */
#ifndef COUNTING_HEAP_H
#define COUNTING_HEAP_H

#include <postern/base.h>
#include <stddef.h>
#include <stdlib.h>

static struct {
    size_t live, peak;
    size_t calls, fail_at;
} heap;

/* heap_fail - the n-th allocation from now on fails; 0: none. */
static inline void heap_fail(size_t n)
{
    heap.calls = 0;
    heap.fail_at = n;
}

/* each block begins with its size, so that a release can be counted */
union block {
    size_t size;
    max_align_t align;
};

static void *counting_resize(void *ctx, void *p, size_t n)
{
    union block *old = p ? (union block *)p - 1 : NULL;
    size_t old_size = old ? old->size : 0;
    union block *made;

    (void)ctx;
    if (n == 0) {
        heap.live -= old_size;
        free(old);
        return NULL;
    }
    if (++heap.calls == heap.fail_at)
        return NULL;
    made = realloc(old, sizeof *made + n);
    if (!made)
        return NULL;
    made->size = n;
    heap.live += n - old_size;
    if (heap.live > heap.peak)
        heap.peak = heap.live;
    return made + 1;
}

static const struct postern_allocator counting = {.resize = counting_resize};

#endif
