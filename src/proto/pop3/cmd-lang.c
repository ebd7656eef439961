/* SPDX-License-Identifier: MIT */
/* cmd-lang - LANG: list the languages, or choose one (R91). */
#include "proto/pop3/session.h"

static void list_languages(struct postern_pop3 *s)
{
    pop3_line(s, true, NULL, text_get(s->language, TEXT_FOLLOWS), false);
    s->in_multiline = true;
    for (int i = 0; i < LANGUAGE_COUNT; i++) {
        struct reply reply;

        reply.n = 0;
        reply_add(&reply, postern_span_of(language_tag((enum language)i)));
        reply_add(&reply, SPAN(" "));
        reply_add(&reply, postern_span_of(language_description((enum language)i)));
        reply_write(&reply, &s->out);
    }
    buffer_append_text(&s->out, ".\r\n");
    pop3_finish(s, true);
}

void pop3_cmd_lang(struct postern_pop3 *s)
{
    struct reply reply;
    int language;

    if (s->argument_count == 0) {
        list_languages(s);
        return;
    }
    language = language_find(s->argument[0]);
    if (language < 0) {
        pop3_err(s, NULL, TEXT_NO_LANGUAGE); /* the old language stays */
        return;
    }
    s->language = (enum language)language;
    reply.n = 0;
    reply_add(&reply, postern_span_of(language_tag(s->language)));
    reply_add(&reply, SPAN(" "));
    reply_add(&reply, text_get(s->language, TEXT_LANGUAGE));
    pop3_line(s, true, NULL, span_make(reply.bytes, reply.n), false);
    pop3_finish(s, true);
}
