/* SPDX-License-Identifier: MIT */
/* charset - iconv for charsets, utf8proc for case. */
#include "codec/charset.h"

#include "base/memory.h"
#include "base/span.h"
#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <utf8proc.h>

#define NAME_BYTES 64
#define DECOMPOSED_MAX 32 /* U+FDFA makes 18 */
#define FOLDED_KNOWN 128  /* of the last characters it is known what they become */
#define BLOCK_BYTES 64    /* of ASCII at once */
#define HELD_BYTES 16     /* of a character that was cut */

struct charset {
    iconv_t iconv;
    char held[HELD_BYTES];
    size_t held_n;
};

static bool is_utf8(struct postern_span name)
{
    return name.n == 0 || span_equal_nocase(name, SPAN("utf-8")) ||
           span_equal_nocase(name, SPAN("us-ascii")) || span_equal_nocase(name, SPAN("ascii"));
}

/* is_name - nothing that iconv would take for a path or an option ("//IGNORE"). */
static bool is_name(struct postern_span name)
{
    for (size_t i = 0; i < name.n; i++)
        if (!((name.p[i] >= '0' && name.p[i] <= '9') ||
              (ascii_lower(name.p[i]) >= 'a' && ascii_lower(name.p[i]) <= 'z') ||
              strchr("-_.:+", name.p[i])) ||
            name.p[i] == '\0')
            return false;
    return name.n > 0 && name.n < NAME_BYTES;
}

int charset_open(struct charset **charset_r, struct postern_span name)
{
    char text[NAME_BYTES];
    struct charset *charset;

    *charset_r = NULL;
    if (is_utf8(name))
        return 0;
    if (!is_name(name))
        return POSTERN_E_UNSUPPORTED;
    memcpy(text, name.p, name.n);
    text[name.n] = '\0';
    charset = memory_new(NULL, sizeof *charset);
    if (!charset)
        return POSTERN_E_NOMEM;
    charset->iconv = iconv_open("UTF-8", text);
    if (charset->iconv == (iconv_t)-1) { // NOLINT: iconv says so
        memory_free(NULL, charset);
        return POSTERN_E_UNSUPPORTED;
    }
    *charset_r = charset;
    return 0;
}

void charset_close(struct charset **charset)
{
    if (!charset || !*charset)
        return;
    iconv_close((*charset)->iconv);
    memory_free(NULL, *charset);
    *charset = NULL;
}

/* convert - as much of in as is whole; the rest of it is returned. */
static struct postern_span convert(struct charset *charset, struct postern_span in,
                                   struct buffer *out)
{
    char *from = (char *)(uintptr_t)in.p;
    size_t left = in.n;

    while (left && !out->error) {
        char *room = buffer_room(out, left * 4 + 16), *to = room;
        size_t space = left * 4 + 16;

        if (!room)
            break;
        if (iconv(charset->iconv, &from, &left, &to, &space) == (size_t)-1 && errno == EINVAL) {
            buffer_commit(out, (size_t)(to - room));
            break; /* a character that is cut */
        }
        buffer_commit(out, (size_t)(to - room));
        if (left && errno == EILSEQ) {
            buffer_append_char(out, '?');
            from++;
            left--;
        }
    }
    return span_make(from, left);
}

void charset_feed(struct charset *charset, struct postern_span in, struct buffer *out)
{
    struct postern_span rest;

    if (!charset) {
        buffer_append(out, in);
        return;
    }
    while (charset->held_n && in.n) {
        charset->held[charset->held_n++] = in.p[0];
        in = span_from(in, 1);
        rest = convert(charset, span_make(charset->held, charset->held_n), out);
        charset->held_n = charset->held_n == HELD_BYTES ? 0 : rest.n;
        memmove(charset->held, rest.p, charset->held_n);
    }
    if (in.n == 0)
        return;
    rest = convert(charset, in, out);
    if (rest.n < HELD_BYTES) {
        memcpy(charset->held, rest.p, rest.n);
        charset->held_n = rest.n;
    }
}

void charset_end(struct charset *charset, struct buffer *out)
{
    if (!charset)
        return;
    if (charset->held_n)
        buffer_append_char(out, '?');
    charset->held_n = 0;
    iconv(charset->iconv, NULL, NULL, NULL, NULL);
}

/* struct folded - what a character becomes, unless that is long. A text uses the same ones again
 * and again, and to find this out takes longer than all else that is done with it. */
struct folded {
    utf8proc_int32_t character; /* 0: none yet */
    unsigned char n;
    char octets[11];
};

/* fold_character - its simple titlecase, wholly decomposed; how many octets. */
static size_t fold_character(utf8proc_int32_t character, char out[4 * DECOMPOSED_MAX])
{
    utf8proc_int32_t parts[DECOMPOSED_MAX];
    int boundary = 0;
    utf8proc_ssize_t count =
        utf8proc_decompose_char(utf8proc_totitle(character), parts, DECOMPOSED_MAX,
                                UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT, &boundary);
    size_t n = 0;

    for (utf8proc_ssize_t i = 0; i < count && i < DECOMPOSED_MAX; i++)
        n += (size_t)utf8proc_encode_char(parts[i], (utf8proc_uint8_t *)out + n);
    return n;
}

static void append_folded(struct folded known[FOLDED_KNOWN], utf8proc_int32_t character,
                          struct buffer *out)
{
    struct folded *one = &known[(uint32_t)character % FOLDED_KNOWN];
    char octets[4 * DECOMPOSED_MAX];
    size_t n;

    if (one->character == character) {
        buffer_append(out, span_make(one->octets, one->n));
        return;
    }
    n = fold_character(character, octets);
    buffer_append(out, span_make(octets, n));
    if (n <= sizeof one->octets) {
        *one = (struct folded){.character = character, .n = (unsigned char)n};
        memcpy(one->octets, octets, n);
    }
}

#define EACH(octet) (UINT64_C(0x0101010101010101) * (octet)) /* eight of them */

/* upper_eight - eight octets of ASCII at once. A high bit tells of each whether it is in a..z. */
static uint64_t upper_eight(uint64_t octets)
{
    uint64_t from_a = octets + EACH(0x80 - 'a'), beyond_z = octets + EACH(0x7f - 'z');

    return octets ^ ((from_a ^ beyond_z) & EACH(0x80)) >> 2;
}

/* before_high - how many octets are in front of the first that is not ASCII, of eight that lie in
 * memory as they are read. */
static size_t before_high(uint64_t high)
{
    const uint16_t one = 1;

    return (size_t)(*(const char *)&one ? __builtin_ctzll(high) : __builtin_clzll(high)) / 8;
}

/* fold_blocks - as many whole blocks as are ASCII: how many octets. What is done with each of a
 * block's octets, compilers do with many at once. */
static size_t fold_blocks(struct postern_span in, char *out)
{
    uint64_t block[BLOCK_BYTES / sizeof(uint64_t)], all = 0;
    size_t n = 0;

    for (; in.n - n >= sizeof block; n += sizeof block) {
        memcpy(block, in.p + n, sizeof block);
        for (size_t i = 0; i < sizeof block / sizeof *block; i++)
            all |= block[i];
        if (all & EACH(0x80))
            break;
        for (size_t i = 0; i < sizeof block / sizeof *block; i++)
            block[i] = upper_eight(block[i]);
        memcpy(out + n, block, sizeof block);
    }
    return n;
}

/* fold_ascii - as much as is ASCII; how much. */
static size_t fold_ascii(struct postern_span in, struct buffer *out)
{
    char *room = in.n ? buffer_room(out, in.n) : NULL;
    uint64_t octets, high = 0;
    size_t n = room ? fold_blocks(in, room) : 0;

    while (room && !high && in.n - n >= sizeof octets) {
        memcpy(&octets, in.p + n, sizeof octets);
        high = octets & EACH(0x80);
        octets = upper_eight(octets);
        memcpy(room + n, &octets, sizeof octets);
        n += high ? before_high(high) : sizeof octets;
    }
    for (; room && !high && n < in.n && (unsigned char)in.p[n] < 128; n++)
        room[n] = in.p[n] >= 'a' && in.p[n] <= 'z' ? (char)(in.p[n] - 32) : in.p[n];
    buffer_commit(out, n);
    return n;
}

/* text_fold - octet by octet where it is no UTF-8, so that it does not matter where a text is cut,
 * but within a character. */
void text_fold(struct postern_span in, struct buffer *out)
{
    struct folded known[FOLDED_KNOWN];
    bool any = false; /* most texts have none but ASCII */

    while (!out->error && (in = span_from(in, fold_ascii(in, out))).n) {
        utf8proc_int32_t character;
        utf8proc_ssize_t n =
            utf8proc_iterate((const utf8proc_uint8_t *)in.p, (utf8proc_ssize_t)in.n, &character);

        if (!any)
            memset(known, 0, sizeof known);
        any = true;
        if (n > 0)
            append_folded(known, character, out);
        else
            buffer_append_char(out, in.p[0]);
        in = span_from(in, n > 0 ? (size_t)n : 1);
    }
}
