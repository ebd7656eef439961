/* SPDX-License-Identifier: MIT */
/* saslprep - RFC 4013 over libutf8proc. Owns one array of code points, wiped before it is freed.
 * Trap: only the calls that take our array are used; the others of the library call malloc.
 * Trap: normalisation follows the Unicode of the library, not 3.2; for what both know, the same. */
#include "codec/saslprep.h"
#include "base/memory.h"
#include "base/span.h"
#include "codec/utf8.h"
#include <utf8proc.h>

struct range {
    int32_t from, to;
};

#define FORM (UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT)
#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* RFC 3454 C.1.2: spaces other than ASCII, mapped to a space. */
static const struct range spaces[] = {
    {0xa0, 0xa0},     {0x1680, 0x1680}, {0x2000, 0x200b},
    {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000},
};

/* RFC 3454 B.1: mapped to nothing. U+200B is in both tables; RFC 4013 2.1 names spaces first. */
static const struct range nothings[] = {
    {0xad, 0xad},     {0x34f, 0x34f},   {0x1806, 0x1806}, {0x180b, 0x180d},
    {0x200c, 0x200d}, {0x2060, 0x2060}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff},
};

/* RFC 3454 C.2.1 to C.9 without the non-characters ending each plane, which are computed. */
static const struct range prohibited[] = {
    {0, 0x1f},          {0x7f, 0x9f},        {0xa0, 0xa0},       {0x340, 0x341},
    {0x6dd, 0x6dd},     {0x70f, 0x70f},      {0x1680, 0x1680},   {0x180e, 0x180e},
    {0x2000, 0x200f},   {0x2028, 0x202f},    {0x205f, 0x2063},   {0x206a, 0x206f},
    {0x2ff0, 0x2ffb},   {0x3000, 0x3000},    {0xd800, 0xf8ff},   {0xfdd0, 0xfdef},
    {0xfeff, 0xfeff},   {0xfff9, 0xffff},    {0x1d173, 0x1d17a}, {0xe0001, 0xe0001},
    {0xe0020, 0xe007f}, {0xf0000, 0x10ffff},
};

static bool is_in(int32_t c, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (c >= ranges[i].from && c <= ranges[i].to)
            return true;
    return false;
}

static bool is_prohibited(int32_t c)
{
    return (c & 0xfffe) == 0xfffe || is_in(c, prohibited, COUNT(prohibited));
}

/* map - RFC 4013 2.1, from text to text, since the library decomposes only text. */
static void map(struct postern_span in, struct buffer *mapped)
{
    for (size_t i = 0; i < in.n;) {
        int32_t c = 0;
        utf8proc_ssize_t used =
            utf8proc_iterate((const utf8proc_uint8_t *)in.p + i, (utf8proc_ssize_t)(in.n - i), &c);
        if (used <= 0)
            break;
        if (is_in(c, spaces, COUNT(spaces)))
            buffer_append_char(mapped, ' ');
        else if (!is_in(c, nothings, COUNT(nothings)))
            buffer_append(mapped, span_make(in.p + i, (size_t)used));
        i += (size_t)used;
    }
}

static bool is_right_to_left(int32_t c)
{
    int class = utf8proc_get_property(c)->bidi_class;
    return class == UTF8PROC_BIDI_CLASS_R || class == UTF8PROC_BIDI_CLASS_AL;
}

/* is_bidi_fine - RFC 3454 6: right-to-left text stands alone, and begins and ends the string. */
static bool is_bidi_fine(const int32_t *points, size_t count)
{
    bool right = false, left = false;
    for (size_t i = 0; i < count; i++) {
        right |= is_right_to_left(points[i]);
        left |= utf8proc_get_property(points[i])->bidi_class == UTF8PROC_BIDI_CLASS_L;
    }
    if (!right)
        return true;
    return !left && is_right_to_left(points[0]) && is_right_to_left(points[count - 1]);
}

static bool is_allowed(const int32_t *points, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_prohibited(points[i]))
            return false;
    return is_bidi_fine(points, count);
}

static int prepare_ascii(struct postern_span in, struct buffer *out)
{
    for (size_t i = 0; i < in.n; i++)
        if ((unsigned char)in.p[i] < 32 || in.p[i] == 127)
            return POSTERN_E_SYNTAX;
    buffer_append(out, in);
    return out->error;
}

static int append_points(const int32_t *points, size_t count, struct buffer *out)
{
    char *room = buffer_room(out, count * 4);
    if (!room)
        return count ? POSTERN_E_NOMEM : out->error;
    size_t used = 0;
    for (size_t i = 0; i < count; i++)
        used += (size_t)utf8proc_encode_char(points[i], (utf8proc_uint8_t *)room + used);
    buffer_commit(out, used);
    return 0;
}

/* finish - points hold the decomposed form: compose, check, append. */
static int finish(int32_t *points, utf8proc_ssize_t count, struct buffer *out)
{
    count = utf8proc_normalize_utf32(points, count, FORM);
    if (count < 0 || !is_allowed(points, (size_t)count))
        return POSTERN_E_SYNTAX;
    return append_points(points, (size_t)count, out);
}

static int normalize(struct postern_span text, struct buffer *out)
{
    const utf8proc_uint8_t *bytes = (const utf8proc_uint8_t *)text.p;
    utf8proc_ssize_t n = (utf8proc_ssize_t)text.n;
    utf8proc_ssize_t count = utf8proc_decompose(bytes, n, NULL, 0, FORM);
    if (count < 0)
        return POSTERN_E_SYNTAX;
    size_t size = ((size_t)count + 1) * sizeof(int32_t);
    int32_t *points = memory_new(out->allocator, size);
    if (!points)
        return POSTERN_E_NOMEM;
    count = utf8proc_decompose(bytes, n, points, count, FORM);
    int err = count < 0 ? POSTERN_E_SYNTAX : finish(points, count, out);
    secret_wipe(points, size);
    memory_free(out->allocator, points);
    return err;
}

int saslprep(struct postern_span in, struct buffer *out)
{
    if (out->error)
        return out->error;
    if (utf8_is_ascii(in))
        return prepare_ascii(in, out);
    if (!utf8_is_valid(in) || in.n > INT32_MAX / 64)
        return POSTERN_E_SYNTAX;
    struct buffer mapped = {.allocator = out->allocator};
    map(in, &mapped);
    int err = mapped.error;
    if (!err && buffer_length(&mapped) > 0)
        err = normalize(buffer_span(&mapped), out);
    buffer_done(&mapped);
    return err;
}
