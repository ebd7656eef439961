/* SPDX-License-Identifier: MIT */
/* utf8 - RFC 3629 4 as a table of ranges. Owns nothing.
 * Trap: only the second byte has special ranges; they shut out overlong forms and surrogates. */
#include "codec/utf8.h"

/* struct lead - for first bytes from..to, the range of the second byte and the length. */
struct lead {
    unsigned char from, to, low, high, length;
};

static const struct lead leads[] = {
    {0x00, 0x7f, 0x80, 0xbf, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
    {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
    {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

static const struct lead *find_lead(unsigned char c)
{
    for (size_t i = 0; i < sizeof leads / sizeof leads[0]; i++)
        if (c >= leads[i].from && c <= leads[i].to)
            return &leads[i];
    return NULL;
}

/* sequence_length - bytes of the character at p, or 0 when it is malformed. */
static size_t sequence_length(const unsigned char *p, size_t n)
{
    const struct lead *lead = find_lead(p[0]);
    if (!lead || lead->length > n)
        return 0;
    if (lead->length > 1 && (p[1] < lead->low || p[1] > lead->high))
        return 0;
    for (size_t i = 2; i < lead->length; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return lead->length;
}

bool utf8_is_valid(struct postern_span s)
{
    for (size_t i = 0; i < s.n;) {
        size_t n = sequence_length((const unsigned char *)s.p + i, s.n - i);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

bool utf8_is_ascii(struct postern_span s)
{
    uint64_t all = 0, eight;
    size_t i = 0;

    for (; i + sizeof eight <= s.n; i += sizeof eight) {
        memcpy(&eight, s.p + i, sizeof eight);
        all |= eight;
    }
    for (; i < s.n; i++)
        all |= (unsigned char)s.p[i];
    return !(all & UINT64_C(0x8080808080808080));
}

size_t utf8_length(struct postern_span s)
{
    return s.n ? sequence_length((const unsigned char *)s.p, s.n) : 0;
}

size_t utf8_encode(uint32_t character, char out[4])
{
    size_t n = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    static const unsigned char marks[] = {0, 0, 0xc0, 0xe0, 0xf0};

    if (character > 0x10ffff || (character >= 0xd800 && character < 0xe000))
        return 0;
    for (size_t i = n; i-- > 1; character >>= 6)
        out[i] = (char)(0x80 | (character & 0x3f));
    out[0] = (char)(marks[n] | character);
    return n;
}
