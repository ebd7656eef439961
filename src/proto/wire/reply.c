/* SPDX-License-Identifier: MIT */
/* reply - one response line, whole or not at all, never too long (R5, R41).
 * It is built apart and appended at once: when memory fails no half line stands in the output. */
#include "proto/wire/reply.h"

#include "base/span.h"

#define TEXT_MAX (REPLY_LINE_MAX - 2)

void reply_add(struct reply *reply, struct postern_span text)
{
    size_t room = TEXT_MAX - reply->n;
    size_t n = text.n;

    if (n > room) {
        n = room;
        while (n && ((unsigned char)text.p[n] & 0xc0) == 0x80)
            n--;
    }
    if (n)
        memcpy(reply->bytes + reply->n, text.p, n);
    reply->n += n;
}

void reply_add_number(struct reply *reply, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;

    do
        digits[--at] = (char)('0' + number % 10);
    while (number /= 10);
    reply_add(reply, span_make(digits + at, sizeof digits - at));
}

void reply_add_foreign(struct reply *reply, struct postern_span text, bool utf8)
{
    size_t from = reply->n;

    reply_add(reply, text);
    for (size_t i = from; i < reply->n; i++) {
        unsigned char c = (unsigned char)reply->bytes[i];

        if (c < 0x20 || c == 0x7f)
            reply->bytes[i] = ' ';
        if (c > 0x7f && !utf8)
            reply->bytes[i] = '?';
    }
    while (from < reply->n && reply->bytes[from] == ' ')
        from++;
    if (from < reply->n && reply->bytes[from] == '[')
        reply->bytes[from] = '(';
}

void reply_write(struct reply *reply, struct buffer *out)
{
    reply->bytes[reply->n] = '\r';
    reply->bytes[reply->n + 1] = '\n';
    buffer_append(out, span_make(reply->bytes, reply->n + 2));
}
