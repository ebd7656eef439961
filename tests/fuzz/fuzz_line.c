/* SPDX-License-Identifier: MIT */
/* fuzz_line - targets line_feed(): the first octet says how the rest is cut; cut or whole, the same
 * lines must come out. */
#include <stdlib.h>

#include "base/span.h"
#include "proto/wire/line.h"

#define LIMIT 64

/* run - a hash over all events, so that two runs can be compared. */
static uint64_t run(struct postern_span in, size_t step)
{
    struct line l;
    uint64_t hash = 14695981039346656037u;

    line_init(&l, NULL);
    while (in.n) {
        struct postern_span part = span_make(in.p, in.n < step ? in.n : step);
        struct postern_span line = {NULL, 0};
        size_t used = 0;
        int event = line_feed(&l, part, LIMIT, &used, &line);

        if (event < 0 || used == 0 || used > part.n || line.n > LIMIT - 2)
            abort();
        if (event > 0)
            hash = (hash ^ (uint64_t)event) * 1099511628211u;
        for (size_t i = 0; i < line.n; i++)
            hash = (hash ^ (unsigned char)line.p[i]) * 1099511628211u;
        if (event == LINE_READY)
            line_release(&l);
        in = span_from(in, used);
    }
    line_reset(&l);
    return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct postern_span in;

    if (size == 0)
        return 0;
    in = span_make((const char *)data + 1, size - 1);
    if (run(in, data[0] % 32 + 1) != run(in, SIZE_MAX))
        abort();
    return 0;
}

#include "replay.h"
