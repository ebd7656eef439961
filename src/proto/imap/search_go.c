/* SPDX-License-Identifier: MIT */
/* search_go - a search goes over the messages of the view in batches: most are decided by what is
 * known, the rest is looked at. */
#include "proto/imap/context.h"
#include "proto/imap/esearch.h"

#define PROGRESS_SECONDS 10

static void finish(struct postern_imap *s)
{
    s->work = NULL;
    if (s->judging) {
        context_found(s);
        return;
    }
    if (s->esearch) {
        esearch_found(s);
        return;
    }
    if (s->search->thread)
        thread_finish(s);
    else if (!search_answer(s))
        return;
    imap_search_abort(s);
    imap_partly(s, true, NULL, "done");
}

/* is_looked_at - a context looks at what changed only. */
static bool is_looked_at(struct imap_search *search, uint32_t uid)
{
    if (!search->only)
        return true;
    while (search->only_count && *search->only < uid) {
        search->only++;
        search->only_count--;
    }
    return search->only_count && *search->only == uid;
}

/* tell_progress - of a search that takes long (RFC 9585).
 * I 9585:4-1 I 9585:4-2 */
static void tell_progress(struct postern_imap *s)
{
    struct imap_search *search = s->search;
    int64_t now_s = s->o.seconds ? s->o.seconds() : 0;

    if (now_s - search->told_s < PROGRESS_SECONDS || !imap_offers(s, "INPROGRESS"))
        return;
    search->told_s = now_s;
    write_text(s, "* OK [INPROGRESS (");
    write_string(s, s->tag);
    write_text(s, " ");
    write_number(s, view_place(&s->view, search->next_uid));
    write_text(s, " ");
    write_number(s, s->view.messages);
    write_text(s, ")] still looking\r\n");
}

static void took_batch(struct postern_imap *s, const struct imap_answer *answer)
{
    struct imap_search *search = s->search;

    if (answer->err && s->judging) { /* the news are told all the same */
        search->broken = true;
        s->work = finish;
        return;
    }
    if (answer->err && search->mailbox.p) { /* another one: it is gone, the others are not */
        search->found_count = 0;
        s->work = finish;
        return;
    }
    if (answer->err) {
        imap_search_abort(s);
        imap_refuse(s, answer->err);
        return;
    }
    search->at = 0;
    search->batch_n = answer->count < SEARCH_BATCH ? answer->count : SEARCH_BATCH;
    if (search->batch_n)
        memcpy(search->batch, answer->messages, search->batch_n * sizeof *search->batch);
    for (size_t i = 0; i < search->batch_n; i++) {
        const struct postern_message_info *info = &search->batch[i];
        bool meant = view_number(&s->view, info->uid) && is_looked_at(search, info->uid);

        search->truths[i] = meant ? search_judge(s, search, info, KNOWS_INFO) : FALSE_;
    }
    search->next_uid =
        search->batch_n == SEARCH_BATCH ? search->batch[SEARCH_BATCH - 1].uid + 1 : 0;
    s->work = search_go;
}

void search_go(struct postern_imap *s)
{
    struct imap_search *search = s->search;
    uint32_t last = s->view.messages ? view_uid(&s->view, s->view.messages) : 0;

    if (search->only)
        last = search->only_count ? search->only[search->only_count - 1] : 0;
    if (search->at < search->batch_n) {
        search_look_at(s);
    } else if (search->next_uid == 0 || search->next_uid > last) {
        finish(s);
    } else {
        tell_progress(s);
        s->work = NULL;
        s->question = (struct postern_imap_question){
            .name = search->mailbox, .range = {search->next_uid, last}, .count = SEARCH_BATCH};
        imap_ask(s, POSTERN_IMAP_MESSAGES, took_batch);
    }
}
