/* SPDX-License-Identifier: MIT */
/* parameter - "; name=value" of MIME fields, with quoted strings and comments. */
#include "base/span.h"
#include <postern/mime.h>

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
