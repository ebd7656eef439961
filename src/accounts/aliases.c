/* SPDX-License-Identifier: MIT */
/* aliases - the text is kept in the form in which names are compared; the aliases are spans into
 * it, sorted by name. One bad line refuses the whole file. */
#include "accounts/aliases.h"

#include "accounts/domain.h"
#include "base/buffer.h"
#include "base/span.h"
#include <stdlib.h>

static int by_name(const void *a, const void *b)
{
    const struct alias *x = a, *y = b;
    size_t n = x->name.n < y->name.n ? x->name.n : y->name.n;
    int order = memcmp(x->name.p, y->name.p, n);

    return order ? order : (x->name.n > y->name.n) - (x->name.n < y->name.n);
}

/* is_name - one word, with at most one "@". */
static bool is_name(struct postern_span name)
{
    unsigned ats = 0;

    for (size_t i = 0; i < name.n; i++) {
        if ((unsigned char)name.p[i] <= ' ' || name.p[i] == 127 || strchr(",:\"<>", name.p[i]))
            return false;
        ats += name.p[i] == '@';
    }
    return name.n > 0 && name.n < 256 && ats <= 1;
}

bool aliases_next(struct postern_span *targets, struct postern_span *target_r)
{
    do
        *target_r = span_trim(span_cut(targets, ','));
    while (!target_r->n && targets->p);
    return target_r->n > 0;
}

/* parse_line - false: it is broken, *why_r says how. */
static bool parse_line(struct aliases *aliases, struct postern_span line, unsigned number,
                       const char **why_r)
{
    struct alias alias = {.line = number};
    struct postern_span rest, target;
    unsigned count = 0;

    line = span_trim(span_cut(&line, '#'));
    if (!line.n)
        return true;
    alias.name = span_trim(span_cut(&line, ':'));
    alias.targets = rest = line;
    *why_r = "NAME: TARGET, TARGET is wanted";
    if (!line.p || !is_name(alias.name))
        return false;
    while (aliases_next(&rest, &target)) {
        *why_r = "a target is an account, or an address";
        if (!is_name(target))
            return false;
        count++;
    }
    *why_r = "an alias has a target";
    if (!count)
        return false;
    aliases->all[aliases->count++] = alias;
    return true;
}

static int check_twice(const struct aliases *aliases, unsigned *line_r, const char **why_r)
{
    for (size_t i = 1; i < aliases->count; i++)
        if (span_equal(aliases->all[i].name, aliases->all[i - 1].name)) {
            *line_r = aliases->all[i].line > aliases->all[i - 1].line ? aliases->all[i].line
                                                                      : aliases->all[i - 1].line;
            *why_r = "this alias is there already";
            return POSTERN_E_SYNTAX;
        }
    return 0;
}

static bool is_between(char c)
{
    return (unsigned char)c <= ' ' || strchr(",:#@", c);
}

/* normal_word - a domain in the form in which they are compared, else in lower case. */
static size_t normal_word(struct postern_span word, bool is_domain, char *out, size_t size)
{
    if (is_domain)
        return domain_normal(word, out, size);
    for (size_t i = 0; i < word.n; i++)
        out[i] = ascii_lower(word.p[i]);
    return word.n;
}

/* normal_text - all of it, so. */
static char *normal_text(struct postern_span text, size_t *n_r)
{
    struct buffer out = {0};
    bool is_domain = false;

    while (text.n) {
        size_t n = 0;
        char *at;

        while (n < text.n && !is_between(text.p[n]))
            n++;
        at = buffer_room(&out, n + DOMAIN_BYTES);
        if (!at)
            break;
        buffer_commit(&out, normal_word(span_make(text.p, n), is_domain, at, n + DOMAIN_BYTES));
        if (n < text.n)
            buffer_append_char(&out, text.p[n]);
        is_domain = n < text.n && text.p[n] == '@';
        text = span_from(text, n + 1);
    }
    *n_r = buffer_length(&out);
    buffer_append_char(&out, '\0');
    if (out.error)
        buffer_done(&out);
    return out.data; /* nothing was taken of it: it begins there */
}

int aliases_parse(struct postern_span text, struct aliases *aliases_r, unsigned *line_r,
                  const char **why_r)
{
    size_t lines = 1;
    struct postern_span rest;
    int err;

    *aliases_r = (struct aliases){.text = normal_text(text, &text.n)};
    for (size_t i = 0; aliases_r->text && i < text.n; i++)
        lines += aliases_r->text[i] == '\n';
    aliases_r->all = calloc(lines, sizeof *aliases_r->all);
    if (!aliases_r->text || !aliases_r->all) {
        aliases_free(aliases_r);
        return POSTERN_E_NOMEM;
    }
    rest = span_make(aliases_r->text, text.n);
    for (*line_r = 1; rest.p; ++*line_r)
        if (!parse_line(aliases_r, span_cut(&rest, '\n'), *line_r, why_r)) {
            aliases_free(aliases_r);
            return POSTERN_E_SYNTAX;
        }
    if (aliases_r->count)
        qsort(aliases_r->all, aliases_r->count, sizeof *aliases_r->all, by_name);
    err = check_twice(aliases_r, line_r, why_r);
    if (err)
        aliases_free(aliases_r);
    return err;
}

void aliases_free(struct aliases *aliases)
{
    free(aliases->text);
    free(aliases->all);
    *aliases = (struct aliases){0};
}

struct postern_span aliases_find(const struct aliases *aliases, struct postern_span name)
{
    struct alias key = {.name = name}, *found;

    if (!aliases->count || !name.n)
        return (struct postern_span){NULL, 0};
    found = bsearch(&key, aliases->all, aliases->count, sizeof key, by_name);
    return found ? found->targets : (struct postern_span){NULL, 0};
}
