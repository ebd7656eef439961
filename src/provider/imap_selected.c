/* SPDX-License-Identifier: MIT */
/* imap_selected - the questions about the selected mailbox: what is in it, and what has changed. */
#include "provider/imap_side.h"

#include "base/memory.h"

/* ranges_of - its UIDs; NULL: out of memory. */
static struct postern_uid_range *ranges_of(const struct shown *shown, size_t *count_r)
{
    struct postern_uid_range *ranges = memory_new(NULL, (shown->count + 1) * sizeof *ranges);
    size_t n = 0;

    for (size_t i = 0; ranges && i < shown->count; i++) {
        uint32_t uid = shown->all[i].uid;

        if (n && ranges[n - 1].last + 1 == uid)
            ranges[n - 1].last = uid;
        else
            ranges[n++] = (struct postern_uid_range){uid, uid};
    }
    *count_r = n;
    return ranges;
}

/* changed_since - copies of what has a higher mod-sequence. */
static struct postern_message_info *changed_since(const struct shown *shown, uint64_t since,
                                                  size_t *count_r)
{
    struct postern_message_info *all = memory_new(NULL, (shown->count + 1) * sizeof *all);

    *count_r = 0;
    for (size_t i = 0; all && i < shown->count; i++)
        if (shown->all[i].modseq > since)
            all[(*count_r)++] = shown->all[i];
    return all;
}

static uint32_t first_unseen(const struct shown *shown)
{
    for (size_t i = 0; i < shown->count; i++)
        if (!(shown->all[i].flags & POSTERN_FLAG_SEEN))
            return shown->all[i].uid;
    return 0;
}

static void mailbox_answer(struct postern_visit *v)
{
    struct imap_side *side = v->imap;
    struct shown *now = &side->now;
    struct postern_imap_mailbox mailbox = {
        .keywords = side->names, .keyword_count = side->keyword_count, .read_only = now->read_only};
    struct postern_uid_range *ranges = ranges_of(now, &mailbox.range_count);
    struct postern_message_info *news =
        changed_since(now, side->question.since, &mailbox.changed_count);

    imap_count_into(&mailbox.status, now);
    mailbox.status.name = buffer_span(&side->mailbox);
    mailbox.status.modseq = now->modseq;
    mailbox.status.rights = side->rights;
    mailbox.ranges = ranges;
    mailbox.changed = news;
    if (side->question.kind == POSTERN_IMAP_SELECT) {
        mailbox.changed_count = 0; /* nothing is looked at there */
        mailbox.first_unseen = first_unseen(now);
    }
    postern_imap_answer_mailbox(side->engine, side->question.id,
                                ranges && news ? 0 : POSTERN_E_NOMEM, &mailbox);
    memory_free(NULL, ranges);
    memory_free(NULL, news);
}

static void refused(struct postern_visit *v, int err)
{
    postern_imap_answer_mailbox(v->imap->engine, v->imap->question.id, err, NULL);
}

static void selected(struct postern_visit *v, int err)
{
    struct imap_side *side = v->imap;

    if (err) {
        imap_leave(v);
        refused(v, err);
        return;
    }
    shown_take(side);
    mailbox_answer(v);
}

void imap_select(struct postern_visit *v)
{
    struct imap_side *side = v->imap;

    imap_leave(v);
    buffer_append(&side->mailbox, side->question.name);
    if (side->mailbox.error)
        refused(v, POSTERN_E_NOMEM);
    else
        show(v, side->question.name, true, selected);
}

static void seen_again(struct postern_visit *v, int err)
{
    if (err) {
        refused(v, err);
        return;
    }
    shown_take(v->imap);
    mailbox_answer(v);
}

static void still_permitted(struct postern_visit *v, int result)
{
    int err = visit_err(result);

    if (err)
        refused(v, err);
    else
        show(v, buffer_span(&v->imap->mailbox), true, seen_again);
}

void imap_news(struct postern_visit *v)
{
    struct postern_span name = buffer_span(&v->imap->mailbox);

    if (v->service->provider.rights)
        imap_ask_rights(v, name, still_permitted);
    else
        show(v, name, true, seen_again);
}
