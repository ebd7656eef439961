/* SPDX-License-Identifier: MIT */
/* line - cut a byte stream into lines that end with CRLF, whatever way it is fragmented.
 * Only CRLF ends a line: a bare LF, a bare CR or a NUL stays in it, so that the caller refuses the
 * whole line instead of running its parts (R3, and the smuggling traps).
 * A line above the limit costs no memory: it is swallowed up to its CRLF and reported once. */
#include "proto/wire/line.h"

#include "base/span.h"

void line_init(struct line *l, const struct postern_allocator *allocator)
{
    *l = (struct line){.partial = {.allocator = allocator}};
}

/* line_end - offset behind the first CRLF of `in`, or 0. after_cr: an earlier octet was CR. */
static size_t line_end(struct postern_span in, bool after_cr)
{
    size_t at = 0;

    while (at < in.n) {
        size_t lf = at + span_find(span_from(in, at), '\n');

        if (lf == in.n)
            return 0;
        if (lf == 0 ? after_cr : in.p[lf - 1] == '\r')
            return lf + 1;
        at = lf + 1;
    }
    return 0;
}

static int line_swallow(struct line *l, struct postern_span in, size_t *used_r)
{
    size_t end = line_end(in, l->after_cr);

    if (end == 0) {
        if (in.n)
            l->after_cr = in.p[in.n - 1] == '\r';
        *used_r = in.n;
        return LINE_MORE;
    }
    line_reset(l);
    *used_r = end;
    return LINE_TOO_LONG;
}

static int line_keep(struct line *l, struct postern_span in)
{
    buffer_append(&l->partial, in);
    if (in.n)
        l->after_cr = in.p[in.n - 1] == '\r';
    return l->partial.error;
}

int line_feed(struct line *l, struct postern_span in, size_t max, size_t *used_r,
              struct postern_span *line_r)
{
    size_t held = buffer_length(&l->partial);
    size_t end;
    int err;

    if (l->swallowing)
        return line_swallow(l, in, used_r);
    end = line_end(in, l->after_cr);
    if (held + (end ? end : in.n) > max) {
        /* the half line is wiped with its memory; after_cr still speaks of the octet before `in` */
        buffer_done(&l->partial);
        l->swallowing = true;
        return line_swallow(l, in, used_r);
    }
    if (held || end == 0) {
        err = line_keep(l, span_make(in.p, end ? end : in.n));
        if (err)
            return err;
    }
    *used_r = end ? end : in.n;
    if (end == 0)
        return LINE_MORE;
    *line_r = held ? buffer_span(&l->partial) : span_make(in.p, end);
    line_r->n -= 2;
    return LINE_READY;
}

void line_release(struct line *l)
{
    buffer_done(&l->partial);
    l->after_cr = false;
}

void line_reset(struct line *l)
{
    line_release(l);
    l->swallowing = false;
}

unsigned line_inspect(struct postern_span line)
{
    unsigned found = 0;

    for (size_t i = 0; i < line.n; i++) {
        unsigned char c = (unsigned char)line.p[i];

        if (c < 0x20 || c == 0x7f)
            found |= LINE_HAS_CONTROL;
        if (c > 0x7f)
            found |= LINE_HAS_8BIT;
    }
    return found;
}
