/* SPDX-License-Identifier: MIT */
/* order - heapsort: the worst case is as good as any. */
#include "base/order.h"

struct heap {
    void **items;
    bool (*is_before)(const void *ctx, const void *, const void *);
    const void *ctx;
};

/* sift - down from `at`, the last on top. */
static void sift(const struct heap *heap, size_t at, size_t n)
{
    void *one = heap->items[at];

    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && heap->is_before(heap->ctx, heap->items[child], heap->items[child + 1]))
            child++;
        if (!heap->is_before(heap->ctx, one, heap->items[child]))
            break;
        heap->items[at] = heap->items[child];
    }
    heap->items[at] = one;
}

void heap_sort(void **items, size_t n,
               bool (*is_before)(const void *ctx, const void *, const void *), const void *ctx)
{
    struct heap heap = {items, is_before, ctx};

    for (size_t i = n / 2; i-- > 0;)
        sift(&heap, i, n);
    for (size_t i = n; i-- > 1;) {
        void *last = items[0];

        items[0] = items[i];
        items[i] = last;
        sift(&heap, 0, i);
    }
}
