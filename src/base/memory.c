/* SPDX-License-Identifier: MIT */
/* memory - allocation through the caller's allocator, and the arena. */
#include "base/memory.h"

#include "base/span.h"
#include <stdlib.h>

#define ARENA_BLOCK_BYTES 1024
#define ARENA_ALIGN _Alignof(max_align_t)

struct arena_block {
    struct arena_block *next;
    size_t size, used;
    _Alignas(max_align_t) char bytes[];
};

static void *malloc_resize(void *ctx, void *p, size_t n)
{
    (void)ctx;
    if (n)
        return realloc(p, n);
    free(p);
    return NULL;
}

const struct postern_allocator *postern_allocator_malloc(void)
{
    static const struct postern_allocator allocator = {.resize = malloc_resize};
    return &allocator;
}

void *memory_resize(const struct postern_allocator *allocator, void *p, size_t n)
{
    if (!allocator)
        allocator = postern_allocator_malloc();
    return allocator->resize(allocator->ctx, p, n);
}

void *memory_new(const struct postern_allocator *allocator, size_t n)
{
    void *p = memory_resize(allocator, NULL, n);

    if (p)
        memset(p, 0, n);
    return p;
}

void memory_free(const struct postern_allocator *allocator, void *p)
{
    if (p)
        memory_resize(allocator, p, 0);
}

int memory_own(const struct postern_allocator *allocator, struct postern_span *owned,
               struct postern_span value)
{
    char *copy = NULL;

    if (value.n) {
        copy = memory_new(allocator, value.n);
        if (!copy)
            return POSTERN_E_NOMEM;
        memcpy(copy, value.p, value.n);
    }
    if (owned->n) {
        secret_wipe((char *)owned->p, owned->n);
        memory_free(allocator, (char *)owned->p);
    }
    *owned = span_make(copy, value.n);
    return 0;
}

static struct arena_block *arena_grow(struct arena *arena, size_t n)
{
    size_t size = n > ARENA_BLOCK_BYTES ? n : ARENA_BLOCK_BYTES;
    struct arena_block *block;

    /* UNSAFE: the sum cannot wrap, arena_alloc() refused n near SIZE_MAX */
    block = memory_resize(arena->allocator, NULL, sizeof *block + size);
    if (!block)
        return NULL;
    *block = (struct arena_block){.next = arena->first, .size = size};
    arena->first = block;
    arena->held_bytes += sizeof *block + size;
    return block;
}

void *arena_alloc(struct arena *arena, size_t n)
{
    struct arena_block *block = arena->first;
    void *p;

    if (n > SIZE_MAX / 2)
        return NULL;
    n = (n + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
    if (!block || block->size - block->used < n)
        block = arena_grow(arena, n);
    if (!block)
        return NULL;
    p = block->bytes + block->used;
    block->used += n;
    return p;
}

int arena_copy(struct arena *arena, struct postern_span s, struct postern_span *copy_r)
{
    char *copy = arena_alloc(arena, s.n + 1);

    if (!copy)
        return POSTERN_E_NOMEM;
    if (s.n)
        memcpy(copy, s.p, s.n);
    copy[s.n] = '\0';
    *copy_r = span_make(copy, s.n);
    return 0;
}

void arena_drop(struct arena *arena)
{
    while (arena->first) {
        struct arena_block *block = arena->first;

        arena->first = block->next;
        secret_wipe(block->bytes, block->used);
        memory_free(arena->allocator, block);
    }
    arena->held_bytes = 0;
}
