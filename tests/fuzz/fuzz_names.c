/* SPDX-License-Identifier: MIT */
/* fuzz_names - file names (two, a line each) to unique-ids: always 1..70 printable characters, the
 * same each time, different for different names. */
#include <stdlib.h>

#include "base/span.h"
#include "store/folder.h"

static struct postern_span uid(struct postern_span name, char *out)
{
    struct postern_span id = folder_uid(name, out);

    if (id.n < 1 || id.n > POSTERN_UID_MAX || out[id.n] != '\0')
        abort();
    for (size_t i = 0; i < id.n; i++)
        if (id.p[i] < 0x21 || id.p[i] > 0x7e)
            abort();
    return id;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char first[POSTERN_UID_MAX + 1], second[POSTERN_UID_MAX + 1], again[POSTERN_UID_MAX + 1];
    struct postern_span rest = span_make((const char *)data, size), name = span_cut(&rest, '\n');

    if (name.n > 255 || rest.n > 255) /* no file system has longer ones */
        return 0;
    if (span_equal(uid(name, first), uid(rest, second)) != span_equal(name, rest))
        abort();
    if (!span_equal(uid(name, again), postern_span_of(first)))
        abort();
    return 0;
}

#include "replay.h"
