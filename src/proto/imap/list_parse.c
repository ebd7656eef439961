/* SPDX-License-Identifier: MIT */
/* list_parse - which names are asked for, and what is to be told of them (RFC 5258). */
#include "proto/imap/list.h"
#include "proto/imap/rights.h"

/* I 6.3.9-8 I 6.3.9.1-3 I 6.3.9.1-5 I 5258:3-7 I 5258:3-8 I 5258:3.1-3 I 5258:3.1-4 I 6154:2-2 */
void list_parse_selection(struct postern_imap *s, struct imap_list *list)
{
    bool other = false;

    if (!parse_try(&s->in, '('))
        return;
    list->extended = true;
    while (!s->in.bad && !parse_try(&s->in, ')')) {
        if (parse_try_word(&s->in, "SUBSCRIBED"))
            list->options |= LIST_SELECT_SUBSCRIBED | LIST_RETURN_SUBSCRIBED, other = true;
        else if (parse_try_word(&s->in, "SPECIAL-USE"))
            list->options |= LIST_SELECT_SPECIAL | LIST_RETURN_SPECIAL, other = true;
        else if (parse_try_word(&s->in, "RECURSIVEMATCH"))
            list->options |= LIST_SELECT_RECURSIVE;
        else if (!parse_try_word(&s->in, "REMOTE"))
            s->in.bad = true;
        if (s->in.rest.n && s->in.rest.p[0] != ')')
            parse_space(&s->in);
    }
    if (list->options & LIST_SELECT_RECURSIVE && !other)
        s->in.bad = true; /* RFC 5258 3.1 */
    parse_space(&s->in);
}

/* I 6.3.9-9 */
void list_parse_return(struct postern_imap *s, struct imap_list *list)
{
    if (!parse_try(&s->in, ' '))
        return;
    list->extended = true;
    if (!parse_try_word(&s->in, "RETURN"))
        s->in.bad = true;
    parse_space(&s->in);
    parse_char(&s->in, '(');
    while (!s->in.bad && !parse_try(&s->in, ')')) {
        if (parse_try_word(&s->in, "SUBSCRIBED")) {
            list->options |= LIST_RETURN_SUBSCRIBED;
        } else if (parse_try_word(&s->in, "CHILDREN")) {
            list->options |= LIST_RETURN_CHILDREN;
        } else if (parse_try_word(&s->in, "SPECIAL-USE")) {
            list->options |= LIST_RETURN_SPECIAL;
        } else if (parse_try_word(&s->in, "STATUS")) {
            list->options |= LIST_RETURN_STATUS;
            parse_space(&s->in);
            list->status = imap_parse_status_items(s);
        } else if (imap_offers(s, "LIST-METADATA") && parse_try_word(&s->in, "METADATA")) {
            list->options |= LIST_RETURN_METADATA;
            parse_space(&s->in);
            metadata_parse_entries(s, &list->metadata);
        } else if (imap_offers(s, "LIST-MYRIGHTS") && parse_try_word(&s->in, "MYRIGHTS")) {
            list->options |= LIST_RETURN_RIGHTS;
        } else {
            s->in.bad = true;
        }
        if (s->in.rest.n && s->in.rest.p[0] != ')')
            parse_space(&s->in);
    }
}

/* one_pattern - behind the reference.
 * I 6.3.9-4 I 6.3.9-6 I 5258:3-3 I 5258:3-4 */
static void one_pattern(struct postern_imap *s, struct imap_list *list,
                        struct postern_span reference)
{
    struct postern_span pattern = parse_pattern(s, &s->in);
    size_t inbox;
    char *both;

    if (list->pattern_count == LIST_PATTERNS_MAX)
        s->in.bad = true;
    if (s->in.bad || pattern.n == 0)
        return;
    both = arena_alloc(&s->arena, reference.n + pattern.n + 1);
    if (!both) {
        imap_no_memory(s);
        return;
    }
    if (reference.n)
        memcpy(both, reference.p, reference.n);
    memcpy(both + reference.n, pattern.p, pattern.n);
    pattern = span_make(both, reference.n + pattern.n);
    inbox = parse_inbox_place(s, pattern);
    if (inbox != SIZE_MAX)
        memcpy(both + inbox, "INBOX", 5);
    list->patterns[list->pattern_count++] = pattern;
}

void list_parse_patterns(struct postern_imap *s, struct imap_list *list)
{
    struct postern_span reference = parse_pattern(s, &s->in);

    parse_space(&s->in);
    if (!parse_try(&s->in, '(')) {
        one_pattern(s, list, reference);
        return;
    }
    list->extended = true;
    do
        one_pattern(s, list, reference);
    while (!s->in.bad && parse_try(&s->in, ' '));
    parse_char(&s->in, ')');
}
