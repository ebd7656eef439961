/* SPDX-License-Identifier: MIT */
/* utf7 - shifts between plain ASCII and runs of UTF-16 in base64 (with ',' for '/', no padding). */
#include "codec/utf7.h"

#include "base/span.h"
#include "codec/utf8.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static bool is_plain(unsigned char c, const char *also)
{
    return c >= 0x20 && c <= 0x7e && !strchr(also, c);
}

/* utf8_next - the character at *at of valid text; moves on. */
static uint32_t utf8_next(struct postern_span text, size_t *at)
{
    unsigned char c = (unsigned char)text.p[(*at)++];
    unsigned more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    uint32_t code = more ? c & (0x3fu >> more) : c;

    while (more--)
        code = code << 6 | ((unsigned char)text.p[(*at)++] & 0x3fu);
    return code;
}

/* struct bits - what waits for a whole sextet or octet. */
struct bits {
    uint32_t value;
    unsigned count;
};

static void put_unit(struct buffer *out, struct bits *bits, uint32_t unit)
{
    bits->value = bits->value << 16 | unit;
    for (bits->count += 16; bits->count >= 6; bits->count -= 6)
        buffer_append_char(out, alphabet[bits->value >> (bits->count - 6) & 63]);
    bits->value &= (1u << bits->count) - 1;
}

static void put_code(struct buffer *out, struct bits *bits, uint32_t code)
{
    if (code < 0x10000) {
        put_unit(out, bits, code);
        return;
    }
    put_unit(out, bits, 0xd800 + ((code - 0x10000) >> 10));
    put_unit(out, bits, 0xdc00 + ((code - 0x10000) & 0x3ff));
}

/* encode_run - the characters that cannot stand for themselves, from *at on. */
static void encode_run(struct postern_span text, size_t *at, const char *also, struct buffer *out)
{
    struct bits bits = {0};

    buffer_append_char(out, '&');
    while (*at < text.n && (!is_plain((unsigned char)text.p[*at], also) && text.p[*at] != '&'))
        put_code(out, &bits, utf8_next(text, at));
    if (bits.count)
        buffer_append_char(out, alphabet[bits.value << (6 - bits.count) & 63]);
    buffer_append_char(out, '-');
}

int utf7_encode(struct postern_span text, const char *also, struct buffer *out)
{
    size_t at = 0;

    if (!utf8_is_valid(text))
        return POSTERN_E_SYNTAX;
    while (at < text.n) {
        if (text.p[at] == '&') {
            buffer_append_text(out, "&-");
            at++;
        } else if (is_plain((unsigned char)text.p[at], also)) {
            buffer_append_char(out, text.p[at++]);
        } else {
            encode_run(text, &at, also, out);
        }
    }
    return out->error;
}

static void put_utf8(struct buffer *out, uint32_t code)
{
    char octets[4];

    buffer_append(out, span_make(octets, utf8_encode(code, octets)));
}

/* take_unit - one UTF-16 unit; *high is the first half of a pair that waits, or 0. */
static int take_unit(uint32_t unit, uint32_t *high, struct buffer *out)
{
    if (*high) {
        if (unit < 0xdc00 || unit > 0xdfff)
            return POSTERN_E_SYNTAX;
        put_utf8(out, 0x10000 + ((*high - 0xd800) << 10) + (unit - 0xdc00));
        *high = 0;
        return 0;
    }
    if (unit >= 0xdc00 && unit <= 0xdfff)
        return POSTERN_E_SYNTAX;
    if (unit >= 0xd800 && unit <= 0xdbff)
        *high = unit;
    else
        put_utf8(out, unit);
    return 0;
}

static int decode_run(struct postern_span run, struct buffer *out)
{
    struct bits bits = {0};
    uint32_t high = 0;

    for (size_t i = 0; i < run.n; i++) {
        const char *sextet = run.p[i] ? strchr(alphabet, run.p[i]) : NULL;

        if (!sextet)
            return POSTERN_E_SYNTAX;
        bits.value = bits.value << 6 | (uint32_t)(sextet - alphabet);
        bits.count += 6;
        if (bits.count < 16)
            continue;
        bits.count -= 16;
        if (take_unit(bits.value >> bits.count & 0xffff, &high, out) < 0)
            return POSTERN_E_SYNTAX;
        bits.value &= (1u << bits.count) - 1;
    }
    return high || bits.count >= 6 || bits.value ? POSTERN_E_SYNTAX : 0;
}

int utf7_decode(struct postern_span text, struct buffer *out)
{
    size_t at = 0;

    while (at < text.n) {
        struct postern_span run;

        if ((unsigned char)text.p[at] < 0x20 || (unsigned char)text.p[at] > 0x7e)
            return POSTERN_E_SYNTAX;
        if (text.p[at] != '&') {
            buffer_append_char(out, text.p[at++]);
            continue;
        }
        run = span_from(text, at + 1);
        run.n = span_find(run, '-');
        if (at + 1 + run.n >= text.n)
            return POSTERN_E_SYNTAX; /* no end */
        if (run.n == 0)
            buffer_append_char(out, '&');
        else if (decode_run(run, out) < 0)
            return POSTERN_E_SYNTAX;
        at += run.n + 2;
    }
    return out->error;
}
