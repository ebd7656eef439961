/* SPDX-License-Identifier: MIT */
/* stuff - message text to wire form: CRLF line ends, leading dots doubled (RFC 1939 3).  R7 R8 R35
 * A bare LF becomes CRLF; a bare CR stays what it is. Text that needs no change is appended in runs
 * as long as they come. A missing last line end counts two octets, also after a bare CR. */
#include "proto/wire/stuff.h"

#include "base/span.h"

/* flush - append in[from, to) */
static void flush(struct postern_span in, size_t from, size_t to, struct buffer *out)
{
    if (to > from)
        buffer_append(out, span_make(in.p + from, to - from));
}

void stuff_feed(struct stuff *stuff, struct postern_span in, struct buffer *out)
{
    size_t run = 0; /* in[run, at) is not yet appended */
    size_t at = 0;

    while (at < in.n) {
        size_t lf;

        if (!stuff->inside && in.p[at] == '.') {
            flush(in, run, at, out);
            buffer_append_char(out, '.'); /* the dot itself opens the next run */
            run = at;
        }
        lf = at + span_find(span_from(in, at), '\n');
        if (lf == in.n) {
            stuff->inside = true;
            break;
        }
        if (lf == 0 ? !stuff->after_cr : in.p[lf - 1] != '\r') {
            flush(in, run, lf, out);
            buffer_append_char(out, '\r');
            run = lf;
        }
        stuff->inside = false;
        at = lf + 1;
    }
    flush(in, run, in.n, out);
    if (in.n)
        stuff->after_cr = in.p[in.n - 1] == '\r';
}

void stuff_finish(struct stuff *stuff, struct buffer *out)
{
    if (stuff->inside)
        buffer_append_text(out, "\r\n");
    *stuff = (struct stuff){0};
}
