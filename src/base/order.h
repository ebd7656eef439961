/* SPDX-License-Identifier: MIT */
/* order - sorting in place, without memory, for what the layers below stdio may use. */
#ifndef BASE_ORDER_H
#define BASE_ORDER_H

#include <stdbool.h>
#include <stddef.h>

/* heap_sort - of n pointers; is_before: strictly, of the things pointed to. Never worse than
 * n log n; not stable: let is_before decide ties. ctx: borrowed, for is_before. */
void heap_sort(void **items, size_t n,
               bool (*is_before)(const void *ctx, const void *, const void *), const void *ctx);

#endif
