/* SPDX-License-Identifier: MIT */
/* parameter - "; name=value" of MIME fields, with quoted strings and comments (RFC 2045 5.1), and
 * values in sections and charsets (RFC 2231). */
#include "base/span.h"
#include "mime/text.h"
#include <postern/mime.h>

#define SCRATCH_MAX 1024 /* of a quoted section, or of all that are not asked for */

/* skip - spaces and comments, and a stray semicolon where one is. */
static void skip(struct postern_span *rest)
{
    unsigned depth = 0;

    while (rest->n) {
        char c = rest->p[0];

        if (c == '\\' && depth && rest->n > 1)
            *rest = span_from(*rest, 1);
        else if (c == '(')
            depth++;
        else if (c == ')' && depth)
            depth--;
        else if (!depth && c != ' ' && c != '\t' && c != '\r' && c != '\n' && c != ';')
            return;
        *rest = span_from(*rest, 1);
    }
}

/* quoted - a quoted string into buffer; rest: behind it. */
static struct postern_span quoted(struct postern_span *rest, char *buffer, size_t size)
{
    size_t n = 0;

    *rest = span_from(*rest, 1);
    while (rest->n && rest->p[0] != '"') {
        if (rest->p[0] == '\\' && rest->n > 1)
            *rest = span_from(*rest, 1);
        if (n < size)
            buffer[n++] = rest->p[0];
        *rest = span_from(*rest, 1);
    }
    *rest = span_from(*rest, 1);
    return span_make(buffer, n);
}

static struct postern_span plain(struct postern_span *rest)
{
    struct postern_span value = *rest;

    value.n = 0;
    while (value.n < rest->n && rest->p[value.n] != ';' && rest->p[value.n] != ' ' &&
           rest->p[value.n] != '\t' && rest->p[value.n] != '\r' && rest->p[value.n] != '\n')
        value.n++;
    *rest = span_from(*rest, value.n);
    return value;
}

int postern_mime_parameter(struct postern_span *rest, struct postern_span *name_r,
                           struct postern_span *value_r, char *buffer, size_t size)
{
    for (skip(rest); rest->n; skip(rest)) {
        struct postern_span name = *rest;

        name.n = 0;
        while (name.n < rest->n && rest->p[name.n] != '=' && rest->p[name.n] != ';')
            name.n++;
        *rest = span_from(*rest, name.n);
        if (rest->n == 0 || rest->p[0] == ';' || span_trim(name).n == 0) {
            *rest = span_from(*rest, 1);
            continue; /* a word without a value says nothing */
        }
        *rest = span_from(*rest, 1);
        while (rest->n && (rest->p[0] == ' ' || rest->p[0] == '\t'))
            *rest = span_from(*rest, 1);
        *name_r = span_trim(name);
        *value_r = rest->n && rest->p[0] == '"' ? quoted(rest, buffer, size) : plain(rest);
        return 1;
    }
    return 0;
}

/* ---- RFC 2231 -------------------------------------------------------------------------------- */

/* struct section - one parameter "name*7*" that was looked for. */
struct section {
    struct postern_span value;
    bool extended; /* it has octets %XX, and the first has a charset */
};

/* is_section - "name", then "*N" if N is not negative; with a '*' behind, extended. */
static bool is_section(struct postern_span found, struct postern_span name, int n, bool *extended_r)
{
    struct postern_span rest = span_from(found, name.n);
    uint64_t number;

    *extended_r = rest.n > 1 && rest.p[rest.n - 1] == '*';
    if (!span_begins_nocase(found, name) || (n >= 0 && (rest.n < 2 || rest.p[0] != '*')))
        return false;
    if (n < 0) {
        *extended_r = span_equal(rest, SPAN("*"));
        return rest.n == 0 || *extended_r;
    }
    rest = span_from(rest, 1);
    rest.n -= *extended_r;
    return span_number(rest, POSTERN_MIME_SECTIONS_MAX, &number) && number == (uint64_t)n;
}

/* find_section - an extended one rather than a plain one. The value lies in field or in buffer. */
static bool find_section(struct postern_span field, struct postern_span name, int n,
                         struct section *section_r, char *buffer, size_t size)
{
    struct postern_span rest = field, found, value;
    bool extended = false, any = false;
    size_t used = 0;

    while (postern_mime_parameter(&rest, &found, &value, buffer + used, size - used)) {
        if (!is_section(found, name, n, &extended) || (any && !(extended && !section_r->extended)))
            continue;
        *section_r = (struct section){value, extended};
        any = true;
        if (value.p == buffer + used)
            used += value.n;
    }
    return any;
}

/* take_charset - "charset'language'" off the front of an extended value. */
static void take_charset(struct postern_span *text, struct postern_mime_value *value)
{
    struct postern_span rest = *text, charset = span_cut(&rest, '\''), language;

    if (!rest.p)
        return;
    language = span_cut(&rest, '\'');
    if (!rest.p)
        return;
    value->charset = charset.n ? charset : value->charset;
    value->language = language.n ? language : value->language;
    *text = rest;
}

static void append(struct text *out, const struct section *section)
{
    struct postern_span in = section->value;

    for (size_t i = 0; i < in.n; i++) {
        int high =
                section->extended && in.p[i] == '%' && i + 2 < in.n ? hex_value(in.p[i + 1]) : -1,
            low = high < 0 ? -1 : hex_value(in.p[i + 2]);

        text_octet(out, low < 0 ? in.p[i] : (char)(high << 4 | low));
        i += low < 0 ? 0 : 2;
    }
}

/* keep - a span that lies in memory of this call is copied to the end of what the caller gave. */
static void keep(struct postern_span *s, const struct postern_span *field, struct text *out)
{
    if (!s->p || (s->p >= field->p && s->p <= field->p + field->n))
        return;
    if (s->n > out->size) {
        *s = (struct postern_span){0};
        return;
    }
    out->size -= s->n;
    memmove(out->out + out->size, s->p, s->n);
    s->p = out->out + out->size;
}

/* join - the sections from n on; n < 0: the one that there is. */
static void join(struct postern_span field, struct postern_span name, int n,
                 struct postern_mime_value *value, struct text *out)
{
    struct section section = {0};
    char scratch[SCRATCH_MAX];
    int first = n;

    while (n < POSTERN_MIME_SECTIONS_MAX &&
           find_section(field, name, n, &section, scratch, sizeof scratch)) {
        if (section.extended && n == first) {
            take_charset(&section.value, value);
            keep(&value->charset, &field, out);
            keep(&value->language, &field, out);
            out->charset = charset_of(value->charset);
        }
        append(out, &section);
        if (n++ < 0)
            break;
    }
    text_flush(out);
}

int postern_mime_parameter_find(struct postern_span field, struct postern_span name,
                                struct postern_mime_value *value_r, char *buffer, size_t size)
{
    struct text out = {.out = buffer, .size = size};
    struct section section = {0};
    char scratch[SCRATCH_MAX];
    bool sections = span_find(field, '*') < field.n &&
                    find_section(field, name, 0, &section, scratch, sizeof scratch);

    *value_r = (struct postern_mime_value){0};
    if (!sections && !find_section(field, name, -1, &section, buffer, size))
        return 0;
    if (!sections && !section.extended) {
        value_r->text = section.value;
        return 1;
    }
    join(field, name, sections ? 0 : -1, value_r, &out);
    value_r->text = span_make(buffer, out.n < out.size ? out.n : out.size);
    return 1;
}
