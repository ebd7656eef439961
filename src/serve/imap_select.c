/* SPDX-License-Identifier: MIT */
/* imap_select - SELECT and NEWS: the selected mailbox, as it is when it is opened and later. */
#include "serve/imap_session.h"

#include "base/span.h"

static const struct postern_uid_range everything = {1, UINT32_MAX};

size_t imap_learn(struct serve_imap *s, struct postern_mailbox *mailbox,
                  struct postern_span names_r[POSTERN_KEYWORDS_MAX])
{
    size_t count = 0;

    while (count < POSTERN_KEYWORDS_MAX &&
           imap_ops(s)->keyword_name(mailbox, (unsigned)count, &names_r[count]) == 0)
        count++;
    if (mailbox == s->mailbox && count > s->keyword_count) {
        s->keyword_count = count;
        postern_imap_keywords(s->engine, names_r, count);
    }
    return count;
}

static int note_info(void *ctx, const struct postern_message_info *info)
{
    struct serve_imap *s = ctx;

    buffer_append(&s->infos, span_make((const char *)info, sizeof *info));
    return s->infos.error;
}

/* imap_take_ranges - there may be more by the time there is room for them. I 2.3.1.1-2 */
int imap_take_ranges(struct serve_imap *s, struct postern_mailbox *mailbox)
{
    int room, n = 0;

    do {
        struct postern_uid_range *ranges;

        room = n;
        ranges = (struct postern_uid_range *)(void *)buffer_room(&s->ranges,
                                                                 (size_t)room * sizeof *ranges + 1);
        if (!ranges)
            return POSTERN_E_NOMEM;
        n = imap_ops(s)->ranges(mailbox, ranges, (size_t)room);
    } while (n > room);
    if (n > 0)
        buffer_commit(&s->ranges, (size_t)n * sizeof(struct postern_uid_range));
    return n < 0 ? n : 0;
}

/* look_rights - what the user may do with it now; one that is no longer his to read is gone. */
static int look_rights(struct serve_imap *s, unsigned wait_flag)
{
    struct imap_place place = {.name = s->status.name, .owner = buffer_span(&s->mailbox_owner)};
    int err = place.owner.n ? imap_guest(s, place.owner, wait_flag, &place.account) : 0;

    if (!err)
        err = imap_place_rights(s, &place, wait_flag, &s->status.rights);
    return err || s->status.rights & POSTERN_RIGHT_READ ? err : POSTERN_E_NOT_FOUND;
}

/* look - what is there, and what has changed since. */
static int look(struct serve_imap *s, unsigned wait_flag)
{
    unsigned flags = wait_flag | (s->question.kind == POSTERN_IMAP_NEWS ? s->look_flag : 0);
    int err = imap_ops(s)->refresh(s->mailbox, flags, &s->status);

    if (!err)
        err = look_rights(s, wait_flag);
    buffer_take(&s->infos, buffer_length(&s->infos));
    buffer_take(&s->ranges, buffer_length(&s->ranges));
    s->unchanged = s->question.kind == POSTERN_IMAP_NEWS && !s->question.on &&
                   s->status.modseq == s->question.since &&
                   s->status.uid_validity == s->selected_validity;
    if (err || s->unchanged)
        return err;
    err = imap_take_ranges(s, s->mailbox);
    if (!err && s->question.since < s->status.modseq)
        err = imap_ops(s)->each(s->mailbox, everything, s->question.since, note_info, s);
    return err;
}

static void answer_mailbox(struct serve_imap *s, int err)
{
    struct postern_span ranges = buffer_span(&s->ranges), infos = buffer_span(&s->infos),
                        vanished = buffer_span(&s->vanished);
    struct postern_span names[POSTERN_KEYWORDS_MAX];
    struct postern_imap_mailbox mailbox = {
        .status = s->status,
        .ranges = (const struct postern_uid_range *)(const void *)ranges.p,
        .range_count = ranges.n / sizeof(struct postern_uid_range),
        .changed = (const struct postern_message_info *)(const void *)infos.p,
        .changed_count = infos.n / sizeof(struct postern_message_info),
        .vanished = (const struct postern_uid_range *)(const void *)vanished.p,
        .vanished_count = vanished.n / sizeof(struct postern_uid_range),
        .vanished_known = s->vanished_known,
        .keywords = names,
        .recent_from = s->recent_from,
        .first_unseen = s->first_unseen,
        .unchanged = s->unchanged,
        .read_only = s->site->read_only};

    if (!err && !s->look_flag)
        s->looked_at = s->asked_at;
    if (!err && !s->unchanged)
        mailbox.keyword_count = imap_learn(s, s->mailbox, names);
    postern_imap_answer_mailbox(s->engine, s->question.id, err, &mailbox);
    buffer_done(&s->ranges);
    buffer_done(&s->infos);
    buffer_done(&s->vanished);
}

static int open_selected(struct serve_imap *s, unsigned wait_flag)
{
    struct imap_place place;
    int err = imap_place(s, s->question.name, wait_flag, &place);

    if (!err)
        err = imap_ops(s)->open(place.account, place.name, wait_flag, &s->mailbox);
    buffer_done(&s->mailbox_owner);
    if (!err)
        buffer_append(&s->mailbox_owner, place.owner);
    return err ? err : s->mailbox_owner.error;
}

/* I 3501:6.3.2-1 */
static int select_work(struct serve_imap *s, unsigned wait_flag)
{
    int err = s->mailbox ? 0 : open_selected(s, wait_flag);

    if (!err)
        err = look(s, wait_flag);
    if (!err)
        err = imap_ops(s)->first_unseen(s->mailbox, &s->first_unseen);
    s->vanished_known = false;
    if (!err && s->question.since != UINT64_MAX)
        err = imap_take_vanished(s, s->question.since);
    if (err)
        return err;
    s->selected_validity = s->status.uid_validity;
    s->recent_from = s->status.recent_from;
    if (s->status.recent == 0 || s->question.on || s->site->read_only ||
        buffer_length(&s->mailbox_owner)) /* what is new to a guest stays new to the owner */
        return 0;
    /* the mark is written: on a worker */
    return wait_flag ? POSTERN_E_AGAIN : imap_ops(s)->recent(s->mailbox, &s->recent_from);
}

static void select_finish(struct serve_imap *s, int err)
{
    if (err < 0) {
        login_log_error(&s->login, "select", err);
        imap_leave(s);
    }
    answer_mailbox(s, err);
}

static void news_finish(struct serve_imap *s, int err)
{
    answer_mailbox(s, err);
}

const struct imap_work imap_select_work = {
    .work = select_work, .finish = select_finish, .tries_now = true};
const struct imap_work imap_news_work = {.work = look, .finish = news_finish, .tries_now = true};
