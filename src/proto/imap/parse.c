/* SPDX-License-Identifier: MIT */
/* parse - the words of a command (RFC 9051 9): atoms, strings, numbers. Bounded by the text itself:
 * a string has at most as many octets as it stands in. */
#include "codec/utf8.h"
#include "proto/imap/session.h"

/* I 2.2.2-2 */
void parse_spoil(struct imap_parser *in)
{
    in->bad = true;
    in->rest = (struct postern_span){0};
}

bool parse_try(struct imap_parser *in, char c)
{
    if (in->rest.n == 0 || in->rest.p[0] != c)
        return false;
    in->rest = span_from(in->rest, 1);
    return true;
}

void parse_char(struct imap_parser *in, char c)
{
    if (!parse_try(in, c))
        parse_spoil(in);
}

/* I 9-2 */
void parse_space(struct imap_parser *in)
{
    parse_char(in, ' ');
}

void parse_end(struct imap_parser *in)
{
    if (in->rest.n)
        parse_spoil(in);
}

/* ATOM-CHAR: no "(" ")" "{" SP CTL list-wildcards quoted-specials resp-specials */
static bool is_atom(char c)
{
    return (unsigned char)c > ' ' && (unsigned char)c < 127 && !strchr("(){%*\"\\]", c);
}

bool is_astring_char(char c)
{
    return is_atom(c) || c == ']';
}

struct postern_span parse_while(struct imap_parser *in, bool (*fits)(char c))
{
    struct postern_span word = in->rest;

    word.n = 0;
    while (word.n < in->rest.n && fits(in->rest.p[word.n]))
        word.n++;
    in->rest = span_from(in->rest, word.n);
    return word;
}

/* I 4.1-1 */
struct postern_span parse_atom(struct imap_parser *in)
{
    struct postern_span word = parse_while(in, is_atom);

    if (word.n == 0)
        parse_spoil(in);
    return word;
}

/* I 9-1 */
bool parse_try_word(struct imap_parser *in, const char *word)
{
    struct postern_span expected = postern_span_of(word);

    if (!span_begins_nocase(in->rest, expected) ||
        (in->rest.n > expected.n && is_atom(in->rest.p[expected.n])))
        return false;
    in->rest = span_from(in->rest, expected.n);
    return true;
}

/* I 4.2-1 */
uint64_t parse_number(struct imap_parser *in, uint64_t max)
{
    struct postern_span digits = in->rest;
    uint64_t number = 0;

    digits.n = 0;
    while (digits.n < in->rest.n && in->rest.p[digits.n] >= '0' && in->rest.p[digits.n] <= '9')
        digits.n++;
    in->rest = span_from(in->rest, digits.n);
    if (!digits.n || !span_number(digits, max, &number))
        parse_spoil(in);
    return number;
}

/* quoted - RFC 9051 9: no CR, LF, NUL; "\" only before '"' and "\". I 4.3-1, I 4.3-2
 * I 6855:3-3 */
static struct postern_span quoted(struct postern_imap *s, struct imap_parser *in)
{
    char *out = arena_alloc(&s->arena, in->rest.n + 1);
    size_t n = 0;

    if (!out) {
        imap_no_memory(s);
        parse_spoil(in);
        return in->rest;
    }
    parse_char(in, '"');
    while (in->rest.n && in->rest.p[0] != '"') {
        char c = in->rest.p[0];

        if (c == '\\') {
            in->rest = span_from(in->rest, 1);
            c = in->rest.n ? in->rest.p[0] : '\0';
            if (c != '\\' && c != '"')
                c = '\0';
        }
        if (c == '\0' || c == '\r' || c == '\n') {
            parse_spoil(in);
            break;
        }
        out[n++] = c;
        in->rest = span_from(in->rest, 1);
    }
    parse_char(in, '"');
    if ((s->utf8 || s->rev2) && !in->bad && !utf8_is_valid(span_make(out, n)))
        parse_spoil(in); /* RFC 6855 3 */
    return in->bad ? in->rest : span_make(out, n);
}

/* literal - "{5}", its line end, five octets: input.c saw to it that they are there. I 4.3-4, I 9-3
 */
static struct postern_span literal(struct imap_parser *in)
{
    struct postern_span text;
    uint64_t n;

    (void)parse_try(in, '~');
    parse_char(in, '{');
    n = parse_number(in, UINT32_MAX);
    (void)parse_try(in, '+');
    parse_char(in, '}');
    (void)parse_try(in, '\r');
    parse_char(in, '\n');
    if (in->bad || n > in->rest.n) {
        parse_spoil(in);
        return in->rest;
    }
    text = span_make(in->rest.p, (size_t)n);
    in->rest = span_from(in->rest, (size_t)n);
    if (!in->takes_nul && text.n && memchr(text.p, '\0', text.n))
        parse_spoil(in);
    return text;
}

/* I 4.3-5 */
struct postern_span parse_string(struct postern_imap *s, struct imap_parser *in)
{
    if (in->rest.n && in->rest.p[0] == '"')
        return quoted(s, in);
    return literal(in);
}

bool parse_is_string(const struct imap_parser *in)
{
    return in->rest.n && (in->rest.p[0] == '"' || in->rest.p[0] == '{' || in->rest.p[0] == '~');
}

/* I 4.3-3 */
struct postern_span parse_astring(struct postern_imap *s, struct imap_parser *in)
{
    struct postern_span word;

    if (parse_is_string(in))
        return parse_string(s, in);
    word = parse_while(in, is_astring_char);
    if (word.n == 0)
        parse_spoil(in);
    return word;
}

struct postern_span parse_nstring(struct postern_imap *s, struct imap_parser *in)
{
    if (parse_try_word(in, "NIL"))
        return (struct postern_span){0};
    return parse_string(s, in);
}
