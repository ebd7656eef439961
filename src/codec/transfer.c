/* SPDX-License-Identifier: MIT */
/* transfer - base64 and quoted-printable as they are found in mail. */
#include "codec/transfer.h"

#include "base/span.h"
#include "codec/base64.h"

enum transfer_kind transfer_of(struct postern_span encoding)
{
    if (span_begins_nocase(encoding, SPAN("base64")))
        return TRANSFER_BASE64;
    return span_begins_nocase(encoding, SPAN("quoted-printable")) ? TRANSFER_QUOTED : TRANSFER_NONE;
}

/* whole_group - four characters that are three octets; false: not all of them are in the alphabet.
 */
static bool whole_group(const char in[4], char out[3])
{
    int a = base64_value(in[0]), b = base64_value(in[1]), c = base64_value(in[2]),
        d = base64_value(in[3]);
    uint32_t bits = (uint32_t)a << 18 | (uint32_t)b << 12 | (uint32_t)c << 6 | (uint32_t)d;

    if ((a | b | c | d) < 0)
        return false;
    out[0] = (char)(unsigned char)(bits >> 16);
    out[1] = (char)(unsigned char)(bits >> 8);
    out[2] = (char)(unsigned char)bits;
    return true;
}

static void feed_base64(struct transfer *transfer, struct postern_span in, struct buffer *out)
{
    char *room = buffer_room(out, in.n / 4 * 3 + 4);
    size_t n = 0;

    for (size_t i = 0; room && i < in.n; i++) {
        int value;

        for (; !transfer->have && in.n - i > 4 && whole_group(in.p + i, room + n); n += 3)
            i += 4;
        value = base64_value(in.p[i]);

        if (in.p[i] == '=') /* what follows, where parts were put together, is a group of its own */
            transfer->have = 0;
        if (value < 0)
            continue;
        transfer->bits = transfer->bits << 6 | (uint32_t)value;
        transfer->have += 6;
        if (transfer->have >= 8) {
            transfer->have -= 8;
            room[n++] = (char)(unsigned char)(transfer->bits >> transfer->have);
        }
    }
    buffer_commit(out, n);
}

static int hex(char c)
{
    c = ascii_lower(c);
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* settle - "=" and two octets: a value, a soft line end, or nothing of the kind. */
static void settle(struct transfer *transfer, struct buffer *out)
{
    int high = hex(transfer->held[1]), low = hex(transfer->held[2]);

    transfer->held_n = 0;
    if (high >= 0 && low >= 0)
        buffer_append_char(out, (char)(high << 4 | low));
    else if (transfer->held[1] != '\r' || transfer->held[2] != '\n')
        buffer_append(out, span_make(transfer->held, 3));
}

static void feed_quoted(struct transfer *transfer, struct postern_span in, struct buffer *out)
{
    while (in.n) {
        size_t n = transfer->held_n ? 0 : span_find(in, '=');

        buffer_append(out, span_make(in.p, n));
        in = span_from(in, n);
        if (in.n == 0)
            return;
        transfer->held[transfer->held_n++] = in.p[0];
        in = span_from(in, 1);
        if (transfer->held_n == 2 && transfer->held[1] == '\n')
            transfer->held_n = 0; /* a soft line end of a file with bare LF */
        else if (transfer->held_n == 3)
            settle(transfer, out);
    }
}

void transfer_feed(struct transfer *transfer, struct postern_span in, struct buffer *out)
{
    if (transfer->kind == TRANSFER_BASE64)
        feed_base64(transfer, in, out);
    else if (transfer->kind == TRANSFER_QUOTED)
        feed_quoted(transfer, in, out);
    else
        buffer_append(out, in);
}
