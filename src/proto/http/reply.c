/* SPDX-License-Identifier: MIT */
/* reply - a step for each line of the header and of the chunks; only the body is taken in pieces.
 */
#include "proto/http/reply.h"

#include "base/span.h"

#define LINE_OCTETS 8192
#define OVERHEAD_OCTETS 65536

void http_reply_init(struct http_reply *reply, const struct postern_allocator *allocator,
                     size_t body_max)
{
    *reply = (struct http_reply){.body = {.allocator = allocator}, .body_max = body_max};
    line_init(&reply->line, allocator);
}

void http_reply_done(struct http_reply *reply)
{
    line_reset(&reply->line);
    buffer_done(&reply->body);
}

/* ---- lines ----------------------------------------------------------------------------------- */

/* on_status - "HTTP/1.1 200 OK" (RFC 9112 4). */
static int on_status(struct http_reply *reply, struct postern_span line)
{
    uint64_t status;

    if (!span_begins(line, SPAN("HTTP/1.")) || line.n < 12 || line.p[8] != ' ' ||
        (line.n > 12 && line.p[12] != ' ') ||
        !span_number(span_make(line.p + 9, 3), 599, &status) || status < 100)
        return POSTERN_E_SYNTAX;
    reply->status = (unsigned)status;
    reply->step = HTTP_HEADER;
    return 0;
}

static int on_length(struct http_reply *reply, struct postern_span value)
{
    uint64_t length;

    if (!span_number(value, UINT64_MAX, &length) || (reply->has_length && length != reply->left))
        return POSTERN_E_SYNTAX;
    reply->has_length = true;
    reply->left = length;
    return 0;
}

/* on_header_end - where the body ends (RFC 9112 6.3). Interim replies are passed by. */
static int on_header_end(struct http_reply *reply)
{
    if (reply->status < 200) {
        reply->step = HTTP_STATUS;
        reply->has_length = reply->chunked = reply->coded = false;
        return 0;
    }
    if (reply->coded)
        return POSTERN_E_SYNTAX;
    if (reply->status == 204 || reply->status == 304)
        reply->step = HTTP_WHOLE;
    else if (reply->chunked)
        reply->step = HTTP_CHUNK_SIZE;
    else if (!reply->has_length)
        reply->step = HTTP_BODY_TO_EOF;
    else
        reply->step = reply->left ? HTTP_BODY : HTTP_WHOLE;
    return reply->step == HTTP_BODY && reply->left > reply->body_max ? POSTERN_E_TOO_LONG : 0;
}

static int on_header(struct http_reply *reply, struct postern_span line)
{
    struct postern_span value = line, name = span_cut(&value, ':');

    if (!line.n)
        return on_header_end(reply);
    value = span_trim(value);
    if (span_equal_nocase(name, SPAN("Content-Length")))
        return on_length(reply, value);
    if (span_equal_nocase(name, SPAN("Transfer-Encoding"))) {
        reply->coded |= reply->chunked || !span_equal_nocase(value, SPAN("chunked"));
        reply->chunked = true;
    } else if (span_equal_nocase(name, SPAN("Content-Encoding"))) {
        reply->coded |= !span_equal_nocase(value, SPAN("identity"));
    }
    return 0;
}

static int hex_value(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, ascii_lower(c)) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* on_chunk_size - "1a2b;extension" (RFC 9112 7.1). */
static int on_chunk_size(struct http_reply *reply, struct postern_span line)
{
    struct postern_span digits = span_trim(span_cut(&line, ';'));
    uint64_t size = 0;

    if (!digits.n || digits.n > 8)
        return digits.n ? POSTERN_E_TOO_LONG : POSTERN_E_SYNTAX;
    for (size_t i = 0; i < digits.n; i++) {
        int digit = hex_value(digits.p[i]);

        if (digit < 0)
            return POSTERN_E_SYNTAX;
        size = 16 * size + (unsigned)digit;
    }
    reply->left = size;
    reply->step = size ? HTTP_CHUNK : HTTP_TRAILER;
    return size > reply->body_max ? POSTERN_E_TOO_LONG : 0;
}

static int on_line(struct http_reply *reply, struct postern_span line)
{
    switch (reply->step) {
    case HTTP_STATUS:
        return on_status(reply, line);
    case HTTP_HEADER:
        return on_header(reply, line);
    case HTTP_CHUNK_SIZE:
        return on_chunk_size(reply, line);
    case HTTP_CHUNK_END:
        reply->step = HTTP_CHUNK_SIZE;
        return line.n ? POSTERN_E_SYNTAX : 0;
    default: /* the trailer says nothing to us */
        if (!line.n)
            reply->step = HTTP_WHOLE;
        return 0;
    }
}

/* ---- octets ---------------------------------------------------------------------------------- */

static bool is_body(enum http_step step)
{
    return step == HTTP_BODY || step == HTTP_BODY_TO_EOF || step == HTTP_CHUNK;
}

/* take_body - how many of the octets are the body's, or <0. */
static int take_body(struct http_reply *reply, struct postern_span in)
{
    bool counted = reply->step != HTTP_BODY_TO_EOF;
    size_t n = counted && reply->left < in.n ? (size_t)reply->left : in.n;

    if (buffer_length(&reply->body) + n > reply->body_max)
        return POSTERN_E_TOO_LONG;
    buffer_append(&reply->body, span_make(in.p, n));
    if (reply->body.error)
        return reply->body.error;
    reply->left -= counted ? n : 0;
    if (counted && !reply->left)
        reply->step = reply->step == HTTP_BODY ? HTTP_WHOLE : HTTP_CHUNK_END;
    return (int)n;
}

static int take_line(struct http_reply *reply, struct postern_span in)
{
    struct postern_span line;
    size_t used;
    int err, event = line_feed(&reply->line, in, LINE_OCTETS, &used, &line);

    if (event < 0)
        return event;
    reply->overhead += used;
    if (event == LINE_TOO_LONG || reply->overhead > OVERHEAD_OCTETS)
        return POSTERN_E_TOO_LONG;
    if (event != LINE_READY)
        return (int)used;
    err = on_line(reply, line);
    line_release(&reply->line);
    return err ? err : (int)used;
}

int http_reply_feed(struct http_reply *reply, struct postern_span in)
{
    while (in.n && reply->step != HTTP_WHOLE) {
        struct postern_span some = span_make(in.p, in.n < 65536 ? in.n : 65536);
        int n = is_body(reply->step) ? take_body(reply, some) : take_line(reply, some);

        if (n < 0)
            return n;
        in = span_from(in, (size_t)n);
    }
    return reply->step == HTTP_WHOLE;
}

int http_reply_eof(struct http_reply *reply)
{
    if (reply->step == HTTP_BODY_TO_EOF)
        reply->step = HTTP_WHOLE;
    return reply->step == HTTP_WHOLE ? 1 : POSTERN_E_CLOSED;
}
