/* SPDX-License-Identifier: MIT */
/* text - octets become UTF-8. A character may be cut between two encoded words, though none should
 * be (RFC 2047 5); so octets wait until their character is whole. */
#include "mime/text.h"

#include "base/span.h"
#include "codec/utf8.h"

enum charset charset_of(struct postern_span name)
{
    static const struct postern_span utf8[] = {
        {"utf-8", 5}, {"us-ascii", 8}, {"utf8", 4}, {"ascii", 5}};
    static const struct postern_span latin1[] = {{"iso-8859-1", 10}, {"latin1", 6}};

    for (size_t i = 0; i < sizeof utf8 / sizeof *utf8; i++)
        if (span_equal_nocase(name, utf8[i]))
            return CHARSET_UTF8;
    for (size_t i = 0; i < sizeof latin1 / sizeof *latin1; i++)
        if (span_equal_nocase(name, latin1[i]))
            return CHARSET_LATIN1;
    return CHARSET_OTHER;
}

int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void emit(struct text *text, const void *octets, size_t n)
{
    const char *p = octets;

    for (size_t i = 0; i < n; i++, text->n++)
        if (text->n < text->size)
            text->out[text->n] = p[i];
}

static unsigned length_by_lead(unsigned char lead)
{
    return lead < 0xc2 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 1;
}

/* settle - emit what is whole, and of what cannot become so the first octet as U+FFFD; over: no
 * octet will follow. */
static void settle(struct text *text, bool over)
{
    while (text->pending_n) {
        unsigned n = length_by_lead(text->pending[0]);

        if (n > text->pending_n && !over)
            return;
        if (n <= text->pending_n && utf8_is_valid(span_make((const char *)text->pending, n))) {
            emit(text, text->pending, n);
        } else {
            emit(text, "\xef\xbf\xbd", 3);
            n = 1;
        }
        text->pending_n -= n;
        memmove(text->pending, text->pending + n, text->pending_n);
    }
}

void text_octet(struct text *text, char octet)
{
    unsigned char c = (unsigned char)octet;

    if (text->charset == CHARSET_OTHER) {
        emit(text, &octet, 1);
    } else if (text->charset == CHARSET_LATIN1 && c > 127) {
        emit(text, (char[]){(char)(0xc0 | c >> 6), (char)(0x80 | (c & 0x3f))}, 2);
    } else {
        text->pending[text->pending_n++] = c;
        settle(text, false);
    }
}

void text_flush(struct text *text)
{
    settle(text, true);
}
