/* SPDX-License-Identifier: MIT */
/* doomed - files of expunged messages that are still to be removed: sub, length, name; each. */
#include "store/index/index.h"

#include "base/span.h"

void doomed_add(struct buffer *doomed, unsigned sub, struct postern_span name)
{
    if (name.n == 0 || name.n > 255)
        return;
    buffer_append_char(doomed, (char)sub);
    buffer_append_char(doomed, (char)name.n);
    buffer_append(doomed, name);
}

bool doomed_next(const struct buffer *doomed, size_t *at, unsigned *sub_r,
                 struct postern_span *name_r)
{
    struct postern_span rest;

    if (*at >= buffer_length(doomed))
        return false;
    rest = span_from(buffer_span(doomed), *at);
    if (rest.n < 2 || rest.n - 2 < (unsigned char)rest.p[1])
        return false;
    *sub_r = (unsigned char)rest.p[0];
    *name_r = span_make(rest.p + 2, (unsigned char)rest.p[1]);
    *at += 2 + name_r->n;
    return true;
}

bool doomed_remove(struct buffer *doomed, struct postern_span name)
{
    size_t at = 0, begin = 0;
    struct postern_span each;
    unsigned sub;

    for (; doomed_next(doomed, &at, &sub, &each); begin = at) {
        char *data = doomed->data + doomed->head;

        if (!span_equal(each, name))
            continue;
        memmove(data + begin, data + at, buffer_length(doomed) - at);
        doomed->tail -= at - begin;
        return true;
    }
    return false;
}
