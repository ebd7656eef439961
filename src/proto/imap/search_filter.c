/* SPDX-License-Identifier: MIT */
/* search_filter - FILTER in a search (RFC 5466): a name for criteria that stand in the account's
 * annotations, /private/filters/values/NAME (or /shared/...). Each is put in its place, in
 * parentheses, before the search is read; those within filters as well, some levels deep. */
#include "proto/imap/search.h"

#define PASSES_MAX 8
#define EXPANDED_MAX 65536

/* token - the next atom, quoted string, literal, space or parenthesis. */
static struct postern_span token(struct postern_span rest)
{
    struct postern_span digits;
    uint64_t size = 0;
    size_t n = 0, end;

    if (rest.p[0] == '"') {
        for (n = 1; n < rest.n && rest.p[n] != '"'; n++)
            n += rest.p[n] == '\\';
        return span_make(rest.p, n < rest.n ? n + 1 : rest.n);
    }
    if (rest.p[0] == '{') {
        end = span_find(rest, '\n');
        digits = span_make(rest.p + 1, span_find(span_from(rest, 1), '}'));
        digits.n -= digits.n && digits.p[digits.n - 1] == '+';
        (void)span_number(digits, rest.n, &size);
        n = end + 1 + (size_t)size;
        return span_make(rest.p, n < rest.n ? n : rest.n);
    }
    while (n < rest.n && !strchr(" ()\"{", rest.p[n]))
        n++;
    return span_make(rest.p, n ? n : 1);
}

static bool is_filter_word(struct postern_span word)
{
    return span_equal_nocase(word, SPAN("FILTER"));
}

static bool has_filter(struct postern_span text)
{
    while (text.n) {
        struct postern_span word = token(text);

        text = span_from(text, word.n);
        if (is_filter_word(word) && text.n > 1 && text.p[0] == ' ')
            return true;
    }
    return false;
}

/* find - a filter's criteria; absent: there is none of that name. */
static struct postern_span find(const struct imap_answer *all, struct postern_span name)
{
    static const struct postern_span places[] = {{"/private/filters/values/", 24},
                                                 {"/shared/filters/values/", 23}};

    for (size_t place = 0; place < 2; place++)
        for (size_t i = 0; i < all->count; i++) {
            struct postern_span entry = all->metadata[i].entry;

            if (span_begins_nocase(entry, places[place]) &&
                span_equal_nocase(span_from(entry, places[place].n), name))
                return all->metadata[i].value;
        }
    return (struct postern_span){NULL, 0};
}

/* expand - one pass. absent *missing_r: all were found.
 * I 5466:3.1-1 I 5466:3.1-2 */
static void expand(const struct imap_answer *all, struct postern_span text, struct buffer *out,
                   struct postern_span *missing_r)
{
    while (text.n) {
        struct postern_span word = token(text), name, value;

        text = span_from(text, word.n);
        if (!is_filter_word(word) || text.n < 2 || text.p[0] != ' ') {
            buffer_append(out, word);
            continue;
        }
        text = span_from(text, 1);
        name = text.n ? token(text) : text;
        text = span_from(text, name.n);
        value = find(all, name);
        if (!value.n) {
            *missing_r = name;
            return;
        }
        buffer_append_text(out, "(");
        buffer_append(out, value);
        buffer_append_text(out, ")");
    }
}

/* is_name - filter-name = 1*<any ATOM-CHAR except "/"> (RFC 5466 2.1) */
static bool is_name(struct postern_span name)
{
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] <= ' ' || name.p[i] > '~' || strchr("(){%*\"\\]/", name.p[i]))
            return false;
    return name.n > 0;
}

/* I 5466:3.1-3 */
static void undefined(struct postern_imap *s, struct postern_span name)
{
    struct buffer line = {.allocator = s->o.allocator};

    if (!is_name(name)) {
        imap_bad(s, "syntax error");
        return;
    }
    buffer_append_text(&line, "NO [UNDEFINED-FILTER ");
    buffer_append(&line, name);
    buffer_append_text(&line, "]");
    imap_result_take(s, &line, "there is no such filter");
}

static void took_filters(struct postern_imap *s, const struct imap_answer *answer)
{
    struct postern_span missing = {NULL, 0}, text = s->in.rest;

    if (answer->err) {
        imap_refuse(s, answer->err);
        return;
    }
    for (unsigned pass = 0; pass < PASSES_MAX && !missing.p && has_filter(text); pass++) {
        struct buffer out = {.allocator = s->o.allocator};

        expand(answer, text, &out, &missing);
        if (out.error || arena_copy(&s->arena, buffer_span(&out), &text) < 0)
            imap_no_memory(s);
        buffer_done(&out);
        if (s->failed || text.n > EXPANDED_MAX)
            break;
    }
    if (s->failed)
        return;
    if (missing.p) {
        undefined(s, missing);
    } else if (has_filter(text)) {
        imap_no(s, "LIMIT", "the filters name each other too deep");
    } else {
        s->in.rest = text;
        s->after_filters(s);
    }
}

void search_with_filters(struct postern_imap *s, void (*go)(struct postern_imap *s))
{
    if (!imap_offers(s, "FILTERS") || !has_filter(s->in.rest)) {
        go(s);
        return;
    }
    s->after_filters = go;
    s->question = (struct postern_imap_question){.name = SPAN("")};
    imap_ask(s, POSTERN_IMAP_METADATA, took_filters);
}
