/* SPDX-License-Identifier: MIT */
/* mbox - by lines; of a line longer than the buffer only the beginning is looked at. */
#include "store/mbox.h"

#include "base/span.h"

/* unquoted - the line without one '>' when it is ">From " with any number of them. */
static struct postern_span unquoted(struct postern_span line)
{
    size_t n = 0;

    while (n < line.n && line.p[n] == '>')
        n++;
    return n && span_begins(span_from(line, n), SPAN("From ")) ? span_from(line, 1) : line;
}

static bool is_blank(struct postern_span line)
{
    return span_equal(line, SPAN("\n")) || span_equal(line, SPAN("\r\n"));
}

/* take_line - what the line in the buffer says; it is used up unless it is to come again. */
static enum mbox_event take_line(struct mbox *mbox, struct postern_span *bytes_r)
{
    struct postern_span line = span_make(mbox->line, mbox->n);
    bool whole = mbox->n && mbox->line[mbox->n - 1] == '\n';

    if (!mbox->passing && span_begins(line, SPAN("From ")) && (mbox->after_blank || !mbox->begun)) {
        if (mbox->in_message) {
            mbox->in_message = mbox->has_blank = false;
            return MBOX_END;
        }
        mbox->in_message = mbox->begun = true;
        mbox->after_blank = false;
        mbox->passing = !whole;
        mbox->n = 0;
        *bytes_r = line;
        return MBOX_BEGIN;
    }
    if (mbox->has_blank) {
        mbox->has_blank = false;
        *bytes_r = SPAN("\n");
        return MBOX_BYTES;
    }
    mbox->n = 0;
    if (!mbox->in_message)
        return MBOX_MORE; /* before the first message */
    mbox->after_blank = !mbox->passing && is_blank(line);
    *bytes_r = mbox->passing ? line : unquoted(line);
    mbox->passing = !whole;
    if (mbox->after_blank) {
        mbox->has_blank = true;
        return MBOX_MORE;
    }
    return MBOX_BYTES;
}

enum mbox_event mbox_next(struct mbox *mbox, struct postern_span *in, struct postern_span *bytes_r)
{
    enum mbox_event event = MBOX_MORE;

    while (event == MBOX_MORE) {
        bool full = mbox->n && (mbox->line[mbox->n - 1] == '\n' || mbox->n == sizeof mbox->line);
        size_t n = span_find(*in, '\n');

        if (full) {
            event = take_line(mbox, bytes_r);
            continue;
        }
        if (in->n == 0)
            return MBOX_MORE;
        n = n < in->n ? n + 1 : n;
        if (n > sizeof mbox->line - mbox->n)
            n = sizeof mbox->line - mbox->n;
        memcpy(mbox->line + mbox->n, in->p, n);
        mbox->n += n;
        *in = span_from(*in, n);
    }
    return event;
}

enum mbox_event mbox_end(struct mbox *mbox, struct postern_span *bytes_r)
{
    while (mbox->n) {
        enum mbox_event event = take_line(mbox, bytes_r);

        if (event != MBOX_MORE)
            return event;
    }
    if (!mbox->in_message)
        return MBOX_MORE;
    mbox->in_message = mbox->has_blank = false; /* the last empty line ends the last message */
    return MBOX_END;
}

void mbox_quote(struct postern_span line, struct buffer *out)
{
    size_t n = 0;

    while (n < line.n && line.p[n] == '>')
        n++;
    if (span_begins(span_from(line, n), SPAN("From ")))
        buffer_append_char(out, '>');
    buffer_append(out, line);
}
