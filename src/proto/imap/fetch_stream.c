/* SPDX-License-Identifier: MIT */
/* fetch_stream - octets of a message as stored become octets as sent: each line ends with CRLF,
 * also the last, and a part of a section is counted in what is sent. NUL is in no literal but those
 * of BINARY (RFC 9051 9): it goes out as 0x80. */
#include "proto/imap/fetch.h"

static void append_without_nul(struct postern_span text, struct buffer *out)
{
    while (text.n) {
        size_t n = span_find(text, '\0');

        buffer_append(out, span_make(text.p, n));
        if (n < text.n)
            buffer_append_char(out, (char)0x80);
        text = span_from(text, n + 1);
    }
}

/* put_as_is - as put, where LF is CRLF already. */
static void put_as_is(struct fetch_stream *stream, struct postern_span in, struct buffer *out)
{
    size_t n = in.n < stream->left ? in.n : (size_t)stream->left;

    if (!stream->keeps_nul && n && memchr(in.p, '\0', n))
        append_without_nul(span_make(in.p, n), out);
    else
        buffer_append(out, span_make(in.p, n));
    stream->left -= n;
}

/* put - LF is CRLF; then skip and left count. */
static void put(struct fetch_stream *stream, struct postern_span in, struct buffer *out)
{
    bool has_nul = !stream->keeps_nul && in.n && memchr(in.p, '\0', in.n);

    while (in.n && stream->left) {
        size_t end = span_find(in, '\n');
        struct postern_span text = span_make(in.p, end);
        char before = end ? in.p[end - 1] : stream->last;
        struct postern_span pieces[2] = {text, SPAN("")};

        if (end < in.n)
            pieces[1] = before == '\r' ? SPAN("\n") : SPAN("\r\n");
        for (unsigned i = 0; i < 2; i++) {
            size_t skip = stream->skip < pieces[i].n ? (size_t)stream->skip : pieces[i].n;

            stream->skip -= skip;
            pieces[i] = span_from(pieces[i], skip);
            pieces[i].n = pieces[i].n < stream->left ? pieces[i].n : (size_t)stream->left;
            if (has_nul)
                append_without_nul(pieces[i], out);
            else
                buffer_append(out, pieces[i]);
            stream->left -= pieces[i].n;
        }
        stream->last = end < in.n ? '\n' : in.p[in.n - 1];
        in = span_from(in, end + 1);
    }
}

/* I 6.4.5-4 */
void stream_begin(struct fetch_stream *stream, const struct fetch_section *section,
                  const struct postern_mime_range *range)
{
    uint64_t size = range->wire_end - range->wire;

    *stream = (struct fetch_stream){
        .active = true, .at = range->raw, .end = range->raw_end, .left = size};
    stream->as_is = range->raw_end - range->raw == size;
    if (!section->partial)
        return;
    stream->skip = section->offset < size ? section->offset : size;
    stream->left = size - stream->skip < section->length ? size - stream->skip : section->length;
    if (stream->as_is) {
        stream->at += stream->skip;
        stream->skip = 0;
    }
}

void stream_take(struct fetch_stream *stream, struct postern_span octets, struct buffer *out)
{
    if (octets.n) {
        stream->at += octets.n;
        if (stream->as_is)
            put_as_is(stream, octets, out);
        else
            put(stream, octets, out);
        return;
    }
    stream->at = stream->end;
    if (stream->left) { /* the last line has an end, as sent; a CR there is not half of it */
        bool has_end = stream->last == '\n';

        stream->last = '\0';
        put(stream, has_end ? SPAN("") : SPAN("\n"), out);
    }
}
