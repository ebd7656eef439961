/* SPDX-License-Identifier: MIT */
/* base64 - RFC 4648 4, strict. Owns nothing.
 * Trap: the bits beyond the last byte must be zero, or two texts would mean the same secret. */
#include "codec/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static unsigned octet(char c)
{
    return (unsigned char)c;
}

void base64_encode(struct postern_span in, struct buffer *out)
{
    for (size_t i = 0; i < in.n; i += 3) {
        size_t left = in.n - i;
        uint32_t bits = octet(in.p[i]) << 16;
        if (left > 1)
            bits |= octet(in.p[i + 1]) << 8;
        if (left > 2)
            bits |= octet(in.p[i + 2]);
        char text[4] = {alphabet[bits >> 18], alphabet[bits >> 12 & 63], '=', '='};
        if (left > 1)
            text[2] = alphabet[bits >> 6 & 63];
        if (left > 2)
            text[3] = alphabet[bits & 63];
        buffer_append(out, (struct postern_span){text, 4});
    }
}

int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

/* count_padding - 0 to 2, since more than that is no base64 and fails as a character. */
static size_t count_padding(struct postern_span in)
{
    if (in.n == 0 || in.p[in.n - 1] != '=')
        return 0;
    return in.p[in.n - 2] == '=' ? 2 : 1;
}

/* R74: '=' has no value, so that it fails anywhere but in the padding already cut off. */
static bool is_text(struct postern_span text)
{
    for (size_t i = 0; i < text.n; i++)
        if (base64_value(text.p[i]) < 0)
            return false;
    if (text.n % 4 == 0)
        return true;
    unsigned stray = text.n % 4 == 2 ? 15 : 3;
    return ((unsigned)base64_value(text.p[text.n - 1]) & stray) == 0;
}

int base64_decode(struct postern_span in, struct buffer *out)
{
    if (in.n % 4 != 0)
        return POSTERN_E_SYNTAX;
    if (in.n == 0)
        return out->error;
    struct postern_span text = {in.p, in.n - count_padding(in)};
    if (!is_text(text))
        return POSTERN_E_SYNTAX;
    char *room = buffer_room(out, in.n / 4 * 3);
    if (!room)
        return POSTERN_E_NOMEM;
    uint32_t bits = 0;
    size_t used = 0;
    for (size_t i = 0; i < text.n; i++) {
        bits = bits << 6 | (uint32_t)base64_value(text.p[i]);
        if (i % 4 != 0)
            room[used++] = (char)(bits >> (6 - i % 4 * 2) & 255);
    }
    buffer_commit(out, used);
    return 0;
}
