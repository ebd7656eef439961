/* SPDX-License-Identifier: MIT */
/* guard - puts input right before a page that nobody may read: an over-read by one faults at
 * once. */
#ifndef TESTS_GUARD_H
#define TESTS_GUARD_H

#include <postern/base.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* guard_copy - a copy of bytes that ends at the guard page; end with guard_free(). */
static inline struct postern_span guard_copy(const void *bytes, size_t n)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (n + page) / page * page;
    char *base = mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                      0);

    if (base == MAP_FAILED || mprotect(base + room, page, PROT_NONE) != 0)
        _exit(99);
    if (n)
        memcpy(base + room - n, bytes, n);
    return (struct postern_span){base + room - n, n};
}

static inline void guard_free(struct postern_span s)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (s.n + page) / page * page;

    munmap((void *)(s.p + s.n - room), room + page);
}

#endif
