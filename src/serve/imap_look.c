/* SPDX-License-Identifier: MIT */
/* imap_look - mailboxes that are looked at and not selected: a search over several, a part of a
 * message for a new one. One of them is kept open, as the next question will be about it too. */
#include "serve/imap_session.h"

#include "base/span.h"

void imap_leave_other(struct serve_imap *s)
{
    if (s->other)
        imap_ops(s)->close(&s->other);
    buffer_done(&s->other_name);
}

/* open_other - the mailbox that the question names, kept open as s->other. */
static int open_other(struct serve_imap *s, unsigned wait_flag)
{
    struct imap_place place;
    int err;

    imap_leave_other(s);
    buffer_append(&s->other_name, s->question.name);
    err =
        s->other_name.error ? POSTERN_E_NOMEM : imap_place(s, s->question.name, wait_flag, &place);
    if (!err)
        err = imap_ops(s)->open(place.account, place.name, wait_flag, &s->other);
    if (!err)
        err = imap_ops(s)->refresh(s->other, wait_flag, &s->other_status);
    if (err)
        imap_leave_other(s);
    return err;
}

int imap_reach(struct serve_imap *s, unsigned wait_flag, struct postern_mailbox **box_r)
{
    const struct postern_imap_question *q = &s->question;
    int err = 0;

    *box_r = s->mailbox;
    if (!q->name.p)
        return 0;
    if (!s->other || !span_equal(buffer_span(&s->other_name), q->name))
        err = open_other(s, wait_flag);
    if (!err && q->uid_validity && q->uid_validity != s->other_status.uid_validity)
        err = POSTERN_E_NOT_FOUND;
    *box_r = s->other;
    return err;
}

static int look_work(struct serve_imap *s, unsigned wait_flag)
{
    int err = open_other(s, wait_flag);

    return err ? err : imap_take_ranges(s, s->other);
}

static void look_finish(struct serve_imap *s, int err)
{
    struct postern_span names[POSTERN_KEYWORDS_MAX];
    struct postern_imap_mailbox mailbox = {.status = s->other_status, .keywords = names};
    struct postern_span ranges = buffer_span(&s->ranges);

    mailbox.ranges = (const struct postern_uid_range *)(const void *)ranges.p;
    mailbox.range_count = ranges.n / sizeof(struct postern_uid_range);
    if (!err)
        mailbox.keyword_count = imap_learn(s, s->other, names);
    postern_imap_answer_mailbox(s->engine, s->question.id, err, &mailbox);
    buffer_done(&s->ranges);
}

const struct imap_work imap_look_work = {
    .work = look_work, .finish = look_finish, .tries_now = true};
