/* SPDX-License-Identifier: MIT */
/* parameters - "KEYWORD=value" behind an address, and xtext (RFC 5321 4.1.2, 3461 4). */
#include "proto/smtp/session.h"

static bool is_keyword(struct postern_span word)
{
    if (!word.n || word.p[0] == '-')
        return false;
    for (size_t i = 0; i < word.n; i++) {
        char c = ascii_lower(word.p[i]);

        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
            return false;
    }
    return true;
}

/* is_value - printable, without "=" and space; an address of ORCPT may have UTF-8. */
static bool is_value(struct postern_span value)
{
    for (size_t i = 0; i < value.n; i++)
        if ((unsigned char)value.p[i] <= ' ' || value.p[i] == '=' || value.p[i] == 127)
            return false;
    return value.n > 0;
}

int smtp_parameter_next(struct postern_span *rest, struct smtp_parameter *parameter_r)
{
    struct postern_span word;

    while (rest->n && rest->p[0] == ' ')
        *rest = span_from(*rest, 1);
    if (!rest->n)
        return 0;
    word = span_cut(rest, ' ');
    parameter_r->keyword = span_cut(&word, '=');
    parameter_r->value = word;
    if (!is_keyword(parameter_r->keyword) || (word.p && !is_value(word)))
        return POSTERN_E_SYNTAX;
    return 1;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* D11: upper case only, and nothing that could break a line. */
int smtp_xtext(struct postern_smtp *s, struct postern_span text, struct postern_span *decoded_r)
{
    char *out = arena_alloc(&s->arena, text.n + 1);
    size_t n = 0;

    if (!out)
        return POSTERN_E_NOMEM;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];

        if (c == '+') {
            int high = i + 2 < text.n ? hex_value(text.p[i + 1]) : -1;
            int low = i + 2 < text.n ? hex_value(text.p[i + 2]) : -1;

            if (high < 0 || low < 0 || (high << 4 | low) < 32 || (high << 4 | low) == 127)
                return POSTERN_E_SYNTAX;
            c = (char)(high << 4 | low);
            i += 2;
        }
        out[n++] = c;
    }
    *decoded_r = span_make(out, n);
    return 0;
}
