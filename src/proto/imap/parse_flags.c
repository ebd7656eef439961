/* SPDX-License-Identifier: MIT */
/* parse_flags - system flags and the names of keywords. */
#include "proto/imap/session.h"

static const struct {
    const char *name;
    uint32_t flag;
    /* I 3501:2.3.2-2 */
} system_flags[] = {{"Seen", POSTERN_FLAG_SEEN},       {"Answered", POSTERN_FLAG_ANSWERED},
                    {"Flagged", POSTERN_FLAG_FLAGGED}, {"Deleted", POSTERN_FLAG_DELETED},
                    {"Draft", POSTERN_FLAG_DRAFT},     {"Recent", 0}};

/* one_flag - \Recent is taken and means nothing: no client can change it. I 2.3.2-1 I 6.4.6-6 */
static void one_flag(struct imap_parser *in, struct imap_flags *flags)
{
    struct postern_span word;

    if (!parse_try(in, '\\')) {
        word = parse_atom(in);
        if (!in->bad)
            flags->keywords[flags->count++] = word;
        return;
    }
    word = parse_atom(in);
    for (size_t i = 0; i < sizeof system_flags / sizeof *system_flags; i++)
        if (span_equal_nocase(word, postern_span_of(system_flags[i].name))) {
            flags->flags |= system_flags[i].flag;
            return;
        }
    parse_spoil(in);
    in->why = "there is no such system flag";
}

/* I 4.4-1 I 2.3.2-2 I 6.4.6-4 */
void parse_flags(struct postern_imap *s, struct imap_parser *in, struct imap_flags *flags_r)
{
    bool list = parse_try(in, '(');
    size_t words = 1;

    *flags_r = (struct imap_flags){0};
    for (size_t i = 0; i < in->rest.n && in->rest.p[i] != ')'; i++)
        words += in->rest.p[i] == ' ';
    flags_r->keywords = arena_alloc(&s->arena, words * sizeof *flags_r->keywords);
    if (!flags_r->keywords) {
        imap_no_memory(s);
        parse_spoil(in);
        return;
    }
    if (list && parse_try(in, ')'))
        return;
    do
        one_flag(in, flags_r);
    while (!in->bad && parse_try(in, ' '));
    if (list)
        parse_char(in, ')');
}
