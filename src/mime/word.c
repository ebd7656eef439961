/* SPDX-License-Identifier: MIT */
/* word - encoded words (RFC 2047): found anywhere in a value, since real mail has them within
 * quoted strings and without spaces around them. */
#include "base/span.h"
#include "codec/base64.h"
#include "codec/utf8.h"
#include "mime/text.h"
#include <postern/mime.h>

#define CHARSET_MAX 100 /* of charset and language; it bounds the work on what is no word */

static bool is_word_text(char c)
{
    return (unsigned char)c > ' ' && c != '?' && c != 127;
}

/* piece - up to the next '?', which is passed over; false: there is none, or an octet that may not
 * be. */
static bool piece(struct postern_span *rest, size_t max, struct postern_span *piece_r)
{
    size_t n = 0;

    while (n < rest->n && n <= max && is_word_text(rest->p[n]))
        n++;
    if (n > max || n == rest->n || rest->p[n] != '?')
        return false;
    *piece_r = span_make(rest->p, n);
    *rest = span_from(*rest, n + 1);
    return true;
}

bool postern_mime_is_plain(struct postern_span value)
{
    size_t at = span_find(value, '=');

    while (at < value.n && !span_begins(span_from(value, at), SPAN("=?")))
        at += 1 + span_find(span_from(value, at + 1), '=');
    return at >= value.n && utf8_is_ascii(value);
}

/* take_encoded - "=?charset*language?B?text?=" at the front. */
static bool take_encoded(struct postern_span *rest, struct postern_mime_word *word)
{
    struct postern_span at = *rest, charset, encoding, text;

    if (!span_begins(at, SPAN("=?")))
        return false;
    at = span_from(at, 2);
    if (!piece(&at, CHARSET_MAX, &charset) || charset.n == 0 || !piece(&at, 1, &encoding) ||
        encoding.n == 0 || !piece(&at, SIZE_MAX - 1, &text) || at.n == 0 || at.p[0] != '=')
        return false;
    word->encoding = ascii_upper(encoding.p[0]);
    if (word->encoding != 'B' && word->encoding != 'Q')
        return false;
    word->language = charset;
    word->charset = span_cut(&word->language, '*');
    word->text = text;
    *rest = span_from(at, 1);
    return true;
}

static bool is_encoded(struct postern_span s)
{
    struct postern_mime_word word;

    return take_encoded(&s, &word);
}

/* skip_between - spaces, if an encoded word is behind them. */
static void skip_between(struct postern_span *rest)
{
    size_t n = 0;

    while (n < rest->n &&
           (rest->p[n] == ' ' || rest->p[n] == '\t' || rest->p[n] == '\r' || rest->p[n] == '\n'))
        n++;
    if (n && is_encoded(span_from(*rest, n)))
        *rest = span_from(*rest, n);
}

int postern_mime_word(struct postern_span *rest, struct postern_mime_word *word_r)
{
    size_t n = 1;

    if (rest->n == 0)
        return 0;
    *word_r = (struct postern_mime_word){0};
    if (take_encoded(rest, word_r)) {
        skip_between(rest);
        return 1;
    }
    while (n < rest->n && !(rest->p[n] == '=' && is_encoded(span_from(*rest, n))))
        n++;
    word_r->text = span_make(rest->p, n);
    *rest = span_from(*rest, n);
    return 1;
}

/* ---- decoding -------------------------------------------------------------------------------- */

/* q_decode - RFC 2047 4.2. out NULL: only look whether it can be. */
static bool q_decode(struct postern_span in, struct text *out)
{
    for (size_t i = 0; i < in.n; i++) {
        char c = in.p[i] == '_' ? ' ' : in.p[i];

        if (c == '=') {
            int high = i + 2 < in.n ? hex_value(in.p[i + 1]) : -1,
                low = high < 0 ? -1 : hex_value(in.p[i + 2]);

            if (low < 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (out)
            text_octet(out, c);
    }
    return true;
}

/* b_decode - RFC 2047 4.1; padding may be missing. */
static bool b_decode(struct postern_span in, struct text *out)
{
    uint32_t bits = 0;
    unsigned have = 0;

    while (in.n && in.p[in.n - 1] == '=')
        in.n--;
    for (size_t i = 0; i < in.n; i++) {
        int value = base64_value(in.p[i]);

        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        have += 6;
        if (have < 8)
            continue;
        have -= 8;
        if (out)
            text_octet(out, (char)(unsigned char)(bits >> have));
    }
    return true;
}

static bool decode(const struct postern_mime_word *word, struct text *out)
{
    return word->encoding == 'Q' ? q_decode(word->text, out) : b_decode(word->text, out);
}

static void copy(struct text *out, struct postern_span text)
{
    text_flush(out);
    out->charset = CHARSET_OTHER;
    for (size_t i = 0; i < text.n; i++)
        text_octet(out, text.p[i]);
}

size_t postern_mime_words(struct postern_span text, char *out, size_t size)
{
    struct text to = {.out = out, .size = size};
    struct postern_mime_word word;

    for (struct postern_span rest = text, before = rest; postern_mime_word(&rest, &word);
         before = rest) {
        enum charset charset = charset_of(word.charset);

        if (!word.encoding) {
            copy(&to, word.text);
        } else if (charset == CHARSET_OTHER || !decode(&word, NULL)) {
            copy(&to, span_make(before.p, before.n - rest.n));
        } else {
            if (charset != to.charset)
                text_flush(&to);
            to.charset = charset;
            (void)decode(&word, &to);
        }
    }
    text_flush(&to);
    return to.n;
}
