/* SPDX-License-Identifier: MIT */
/* fuzz_surrogate - a message whole and cut by its first octet gives the same surrogate, and no
 * header field of it has octets outside ASCII. */
#include <stdlib.h>

#include "base/span.h"
#include "codec/utf8.h"
#include "mime/surrogate.h"

static struct buffer run(struct postern_span in, size_t step)
{
    struct surrogate *s = NULL;
    struct buffer out = {0};

    if (surrogate_new(&s, NULL) < 0)
        abort();
    while (in.n) {
        size_t n = in.n < step ? in.n : step;

        if (surrogate_feed(s, span_make(in.p, n), &out) < 0)
            abort();
        in = span_from(in, n);
    }
    if (surrogate_finish(s, &out) < 0)
        abort();
    surrogate_free(&s);
    return out;
}

/* what is above the first blank line, or what may be a boundary in the middle of a header */
static struct postern_span header_of(struct postern_span message)
{
    struct postern_span rest = message;

    while (rest.n) {
        struct postern_span line = span_cut(&rest, '\n');

        if (line.n == 0 || span_equal(line, SPAN("\r")) || span_begins(line, SPAN("--")))
            return span_make(message.p, (size_t)(line.p - message.p));
    }
    return message;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct postern_span in = span_make((const char *)data, size);
    struct buffer whole, cut;

    if (size < 2)
        return 0;
    in = span_from(in, 1);
    whole = run(in, SIZE_MAX);
    cut = run(in, data[0] + 1u);
    if (!span_equal(buffer_span(&whole), buffer_span(&cut)) ||
        !utf8_is_ascii(header_of(buffer_span(&whole))))
        abort();
    buffer_done(&whole);
    buffer_done(&cut);
    return 0;
}

#include "replay.h"
