/* SPDX-License-Identifier: MIT */
/* fuzz_mbox - an mbox file, whole and octet by octet: the same messages; and no octet of one that
 * is not in the file. */
#include <stdlib.h>

#include "base/span.h"
#include "store/mbox.h"

static void event(struct buffer *out, enum mbox_event kind, struct postern_span bytes, bool *open)
{
    if (kind == MBOX_BEGIN) {
        if (*open)
            abort();
        *open = true;
        buffer_append_text(out, "<");
    } else if (!*open) {
        abort();
    } else if (kind == MBOX_END) {
        *open = false;
        buffer_append_text(out, ">");
    } else {
        buffer_append(out, bytes);
    }
}

static void read_by(struct postern_span in, size_t step, struct buffer *out)
{
    struct mbox mbox = {0};
    struct postern_span bytes = {0};
    enum mbox_event kind;
    bool open = false;

    while (in.n) {
        struct postern_span piece = span_make(in.p, step < in.n ? step : in.n);
        size_t n = piece.n;

        while ((kind = mbox_next(&mbox, &piece, &bytes)) != MBOX_MORE)
            event(out, kind, bytes, &open);
        in = span_from(in, n);
    }
    while ((kind = mbox_end(&mbox, &bytes)) != MBOX_MORE)
        event(out, kind, bytes, &open);
    if (open)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct postern_span in = span_make((const char *)data, size);
    struct buffer whole = {0}, single = {0};

    read_by(in, size ? size : 1, &whole);
    read_by(in, 1, &single);
    if (!span_equal(buffer_span(&whole), buffer_span(&single)))
        abort();
    if (buffer_length(&whole) > size + 4)
        abort();
    buffer_done(&whole);
    buffer_done(&single);
    return 0;
}

#include "replay.h"
