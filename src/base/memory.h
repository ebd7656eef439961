/* SPDX-License-Identifier: MIT */
/* memory - allocation through the caller's allocator, and the arena. Pure but for the malloc
 * allocator. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <postern/base.h>

/* memory_new - n zeroed bytes, or NULL. free with memory_free(). */
void *memory_new(const struct postern_allocator *allocator, size_t n);
/* memory_resize - as allocator->resize; allocator NULL = malloc. */
void *memory_resize(const struct postern_allocator *allocator, void *p, size_t n);
void memory_free(const struct postern_allocator *allocator, void *p);

/* memory_own - *owned, which is its own memory, becomes a copy of value; what it was is wiped. An
 * absent value frees it, and cannot fail. 0 or POSTERN_E_NOMEM. */
int memory_own(const struct postern_allocator *allocator, struct postern_span *owned,
               struct postern_span value);

/* struct arena - memory that dies all at once: what one command needs while it is answered.
 * Blocks come from the allocator and are wiped when dropped, since passwords pass through. */
struct arena_block;
struct arena {
    const struct postern_allocator *allocator;
    struct arena_block *first;
    size_t held_bytes; /* what the blocks take of the allocator */
};

/* arena_alloc - n bytes, aligned for any type, not zeroed; NULL when out of memory. */
void *arena_alloc(struct arena *arena, size_t n);
/* arena_copy - a copy of s that lives as long as the arena; *copy_r. 0 or POSTERN_E_NOMEM. */
int arena_copy(struct arena *arena, struct postern_span s,
               struct postern_span *copy_r) POSTERN_MUST_USE;
/* arena_drop - wipe and free everything; the arena is empty and usable. */
void arena_drop(struct arena *arena);

#endif
