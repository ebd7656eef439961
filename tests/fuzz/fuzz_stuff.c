/* SPDX-License-Identifier: MIT */
/* fuzz_stuff - targets stuff_feed(): any cut gives the same text, and no line of it can end a body.
 */
#include <stdlib.h>

#include "base/span.h"
#include "proto/wire/stuff.h"

static void run(struct postern_span in, size_t step, struct buffer *out)
{
    struct stuff stuff = {0};

    while (in.n) {
        struct postern_span part = span_make(in.p, in.n < step ? in.n : step);

        stuff_feed(&stuff, part, out);
        in = span_from(in, part.n);
    }
    stuff_finish(&stuff, out);
}

static void check_lines(struct postern_span text)
{
    while (text.n) {
        size_t lf = span_find(text, '\n');

        if (lf == text.n || lf == 0 || text.p[lf - 1] != '\r')
            abort(); /* every line ends with CRLF, the last one too */
        if (text.p[0] == '.' && text.p[1] != '.')
            abort();
        text = span_from(text, lf + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer whole = {0}, parts = {0};
    struct postern_span in;

    if (size == 0)
        return 0;
    in = span_make((const char *)data + 1, size - 1);
    run(in, SIZE_MAX, &whole);
    run(in, data[0] % 16 + 1, &parts);
    if (!span_equal(buffer_span(&whole), buffer_span(&parts)))
        abort();
    check_lines(buffer_span(&whole));
    buffer_done(&whole);
    buffer_done(&parts);
    return 0;
}

#include "replay.h"
