/* SPDX-License-Identifier: MIT */
/* base64 - RFC 4648 4, strict. Owns nothing.
 * Trap: the bits beyond the last byte must be zero, or two texts would mean the same secret. */
#include "codec/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const unsigned char base64_values[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64};

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
