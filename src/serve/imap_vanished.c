/* SPDX-License-Identifier: MIT */
/* imap_vanished - what was expunged from the selected mailbox above a mod-sequence (VANISHED, and
 * SELECT with QRESYNC), as the store remembers it: in the order in which it went, perhaps some of
 * it twice. The engine wants it in the order of the UIDs. */
#include "serve/imap_session.h"

#include "base/span.h"
#include <stdlib.h>

int imap_note_range(void *ctx, struct postern_uid_range range)
{
    struct buffer *ranges = ctx;

    buffer_append(ranges, span_make((const char *)&range, sizeof range));
    return ranges->error;
}

static int by_uid(const void *left, const void *right)
{
    const struct postern_uid_range *a = left, *b = right;

    return (a->first > b->first) - (a->first < b->first);
}

/* join - the ranges, rising; those that touch become one. */
static void join(struct buffer *some)
{
    struct postern_span octets = buffer_span(some);
    struct postern_uid_range *all = (struct postern_uid_range *)(uintptr_t)octets.p;
    size_t count = octets.n / sizeof *all, kept = 0;

    if (!count)
        return;
    qsort(all, count, sizeof *all, by_uid);
    for (size_t i = 1; i < count; i++) {
        if (all[i].first > all[kept].last && all[i].first - all[kept].last > 1)
            all[++kept] = all[i];
        else if (all[i].last > all[kept].last)
            all[kept].last = all[i].last;
    }
    some->tail = some->head + (kept + 1) * sizeof *all;
}

int imap_take_vanished(struct serve_imap *s, uint64_t since)
{
    int err;

    buffer_take(&s->vanished, buffer_length(&s->vanished));
    err = imap_ops(s)->vanished(s->mailbox, since, imap_note_range, &s->vanished);
    s->vanished_known = !err;
    join(&s->vanished);
    return err == POSTERN_E_NOT_FOUND ? 0 : err;
}

static int vanished_work(struct serve_imap *s, unsigned wait_flag)
{
    (void)wait_flag;
    return imap_take_vanished(s, s->question.since);
}

static void vanished_finish(struct serve_imap *s, int err)
{
    struct postern_span ranges = buffer_span(&s->vanished);

    if (err < 0)
        login_log_error(&s->login, "vanished", err);
    postern_imap_answer_found(s->engine, s->question.id,
                              err || s->vanished_known ? err : POSTERN_E_NOT_FOUND,
                              (const struct postern_uid_range *)(const void *)ranges.p,
                              ranges.n / sizeof(struct postern_uid_range));
    buffer_done(&s->vanished);
}

const struct imap_work imap_vanished_work = {
    .work = vanished_work, .finish = vanished_finish, .tries_now = true};
