/* SPDX-License-Identifier: MIT */
/* fuzz_utf7 - modified UTF-7: what is decoded is UTF-8 that becomes itself again, and so is any
 * UTF-8 that is encoded; with and without characters that are encoded though they need not be. */
#include <stdlib.h>
#include <string.h>

#include "base/span.h"
#include "codec/utf7.h"

/* there_and_back - true: it is UTF-8 and came back as it was. */
static bool there_and_back(struct postern_span text, const char *also)
{
    struct buffer coded = {0}, back = {0};
    bool is_text = utf7_encode(text, also, &coded) == 0;

    if (is_text) {
        struct postern_span wire = buffer_span(&coded);

        for (size_t i = 0; i < wire.n; i++)
            if ((unsigned char)wire.p[i] < ' ' || (unsigned char)wire.p[i] > '~' ||
                strchr(also, wire.p[i]))
                abort();
        if (utf7_decode(wire, &back) < 0 || !span_equal(buffer_span(&back), text))
            abort();
    }
    buffer_done(&coded);
    buffer_done(&back);
    return is_text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct postern_span input = span_make((const char *)data, size);
    struct buffer text = {0};

    (void)there_and_back(input, "./");
    (void)there_and_back(input, "");
    if (utf7_decode(input, &text) == 0 && !there_and_back(buffer_span(&text), ""))
        abort();
    buffer_done(&text);
    return 0;
}

#include "replay.h"
