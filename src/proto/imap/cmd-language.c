/* SPDX-License-Identifier: MIT */
/* cmd-language - LANGUAGE (RFC 5255 3): list the languages, or choose one. */
#include "proto/imap/commands.h"

#define RANGES_MAX 32

static void write_language(struct postern_imap *s, enum language language)
{
    write_text(s, language_tag(language));
}

static void list_languages(struct postern_imap *s)
{
    write_text(s, "* LANGUAGE (");
    for (int i = LANGUAGE_EN; i < LANGUAGE_COUNT; i++) {
        write_language(s, (enum language)i);
        write_text(s, " ");
    }
    write_language(s, LANGUAGE_DEFAULT);
    write_text(s, ")\r\n");
}

/* parse_ranges - the first that is spoken, in the client's order; -1: none. */
static int parse_ranges(struct postern_imap *s)
{
    int found = -1;
    unsigned count = 0;

    do {
        struct postern_span range;

        parse_space(&s->in);
        range = parse_astring(s, &s->in);
        if (++count > RANGES_MAX)
            s->in.bad = true;
        if (found < 0 && !s->in.bad)
            found =
                span_equal_nocase(range, SPAN("default")) ? LANGUAGE_DEFAULT : language_find(range);
    } while (!s->in.bad && s->in.rest.n);
    return found;
}

/* I 5255:3.1-1 I 5255:3.1-2 I 5255:3.2-1 I 5255:3.2-2 I 5255:3.2-3 I 5255:3.5-1 */
void imap_cmd_language(struct postern_imap *s)
{
    bool lists = !s->in.rest.n;
    int found = lists ? (int)s->language : parse_ranges(s);

    if (!imap_good(s))
        return;
    if (found < 0) { /* the old language stays */
        imap_no(s, NULL, "this language is not spoken");
        return;
    }
    if (lists) {
        list_languages(s);
    } else {
        s->language = (enum language)found;
        write_text(s, "* LANGUAGE (");
        write_language(s, s->language);
        write_text(s, ")\r\n");
    }
    imap_ok(s, NULL, "done");
}
