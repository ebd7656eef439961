/* SPDX-License-Identifier: MIT */
/* search_index - where the host has an index of texts, or of header fields: before the messages are
 * gone through, it is asked for each text which of them may have it (FIND). The others have not,
 * and are not opened; those are read as ever, so that an index changes nothing but the time. */
#include "proto/imap/search.h"

#define TEXT_LEAST 3 /* octets: no index has shorter ones */
#define TEXTS_MOST 16

static bool is_asked_for(const struct postern_imap *s, const struct search_step *step)
{
    if (step->text.n < TEXT_LEAST)
        return false;
    if (step->op == SEARCH_HEADER)
        return s->o.has_field_index &&
               (step->field == POSTERN_MIME_SUBJECT || step->field == POSTERN_MIME_FROM);
    return s->o.has_text_index && (step->op == SEARCH_BODY || step->op == SEARCH_TEXT);
}

/* took_found - an error is no answer: then any message may have it. */
static void took_found(struct postern_imap *s, const struct imap_answer *answer)
{
    struct search_step *step = &s->search->steps[s->search->asking];

    s->search->asking++;
    s->work = search_ask_index;
    if (answer->err)
        return;
    step->set = imap_set_copy(s, answer->ranges, answer->count);
    step->is_narrowed = true;
}

void search_ask_index(struct postern_imap *s)
{
    struct imap_search *search = s->search;
    const struct search_step *step;

    while (search->asking < search->count && !is_asked_for(s, &search->steps[search->asking]))
        search->asking++;
    if (search->only || search->asking == search->count || search->asked == TEXTS_MOST) {
        s->work = search_go;
        return;
    }
    search->asked++;
    s->work = NULL;
    step = &search->steps[search->asking];
    s->question = (struct postern_imap_question){
        .name = search->mailbox,
        .bytes = step->text,
        .field = step->op == SEARCH_HEADER ? step->field : POSTERN_MIME_OTHER};
    imap_ask(s, POSTERN_IMAP_FIND, took_found);
}
