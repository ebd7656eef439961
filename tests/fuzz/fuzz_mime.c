/* SPDX-License-Identifier: MIT */
/* fuzz_mime - a message, whole and in pieces of the size that its first octet tells: the same
 * block, whole, whose parts lie within each other; and the parsers of values over all that was
 * kept. The same block with one octet changed is told to be none, or is safe to walk. */
#include <stdlib.h>

#include "base/span.h"
#include "mime/list.h"
#include <postern/mime.h>

static struct postern_mime *scan(struct postern_span in, size_t step, struct postern_span *block_r)
{
    struct postern_mime *mime;

    if (postern_mime_new(&mime, NULL, NULL) < 0)
        abort();
    while (in.n) {
        size_t n = step < in.n ? step : in.n;

        postern_mime_feed(mime, span_make(in.p, n));
        in = span_from(in, n);
    }
    if (postern_mime_end(mime, block_r) < 0)
        abort();
    return mime;
}

/* words - three octets for one is always enough, and all of them are told in any room. */
static void words(struct postern_span value)
{
    char *out = malloc(value.n * 3 + 1), *some = malloc(value.n + 1);
    size_t n;

    if (!out || !some)
        abort();
    n = postern_mime_words(value, out, value.n * 3);
    if (n > value.n * 3 || postern_mime_words(value, some, value.n) != n ||
        memcmp(out, some, n < value.n ? n : value.n) != 0)
        abort();
    free(out);
    free(some);
}

static void values(struct postern_span value)
{
    struct postern_span rest = value, name, text;
    struct postern_mime_address address;
    struct postern_mime_value whole;
    struct postern_mime_date date;
    bool in_group = false;
    char buffer[64];

    while (postern_mime_parameter(&rest, &name, &text, buffer, sizeof buffer))
        if (text.n > value.n)
            abort();
    rest = value;
    while (postern_mime_address(&rest, &in_group, &address, buffer, sizeof buffer))
        if (address.mailbox.n + address.host.n + address.name.n > sizeof buffer)
            abort();
    (void)postern_mime_date(value, &date);
    if (postern_mime_parameter_find(value, SPAN("filename"), &whole, buffer, sizeof buffer) &&
        whole.text.n > value.n + 2 * sizeof buffer)
        abort();
    words(value);
}

static void walk(struct postern_span block, size_t size, bool ours)
{
    struct postern_mime_facts facts;

    postern_mime_facts(block, &facts);
    values(mime_kept_envelope(block));
    values(mime_kept_body(block));
    for (uint32_t i = 0; i < facts.parts; i++) {
        struct postern_mime_part part, parent;

        postern_mime_part(block, i, &part);
        postern_mime_part(block, part.parent, &parent);
        if (ours && (part.header.raw > part.header.raw_end || part.body.raw > part.body.raw_end ||
                     part.body.raw_end > size || part.body.raw_end > parent.body.raw_end))
            abort();
        for (uint32_t at = 0; at < part.fields; at++) {
            struct postern_mime_header header;

            postern_mime_header(block, i, at, &header);
            if (header.range.raw > header.range.raw_end ||
                (ours && (header.range.raw < part.header.raw || header.range.raw_end > size)))
                abort();
            values(header.value);
        }
        for (unsigned id = 0; id < POSTERN_MIME_FIELDS; id++)
            for (unsigned n = 0; n < 2; n++)
                values(postern_mime_field(block, i, (enum postern_mime_field)id, n));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct postern_span in, whole, pieces;
    struct postern_mime *a, *b;
    char *copy;

    if (size < 2)
        return 0;
    in = span_make((const char *)data + 2, size - 2);
    a = scan(in, in.n ? in.n : 1, &whole);
    b = scan(in, 1 + data[0] % 70, &pieces);
    if (!span_equal(whole, pieces) || !postern_mime_check(whole))
        abort();
    walk(whole, in.n, true);
    copy = malloc(whole.n);
    if (!copy)
        abort();
    memcpy(copy, whole.p, whole.n);
    copy[(data[1] * 257u + data[0]) % whole.n] ^= 0x41;
    if (postern_mime_check(span_make(copy, whole.n)))
        walk(span_make(copy, whole.n), in.n, false);
    free(copy);
    postern_mime_free(&a);
    postern_mime_free(&b);
    return 0;
}

#include "replay.h"
