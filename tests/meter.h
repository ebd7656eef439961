/* SPDX-License-Identifier: MIT */
/* meter - an allocator that counts what is held and fails from the n-th allocation on. */
#ifndef METER_H
#define METER_H

#include <postern/base.h>
#include <stdlib.h>

struct meter {
    long held, left;
};

static void *meter_resize(void *ctx, void *p, size_t n)
{
    struct meter *meter = ctx;

    if (n == 0) {
        meter->held -= p != NULL;
        free(p);
        return NULL;
    }
    if (meter->left-- <= 0)
        return NULL;
    meter->held += p == NULL;
    return realloc(p, n);
}

#endif
