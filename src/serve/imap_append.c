/* SPDX-License-Identifier: MIT */
/* imap_append - APPEND, WRITE and COMMIT: new messages. */
#include "serve/imap_session.h"

#include "base/memory.h"
#include "base/span.h"
#include "store/quota.h"

void imap_drop_appends(struct serve_imap *s)
{
    for (size_t i = 0; i < s->delivery_count; i++)
        if (s->deliveries[i])
            imap_ops(s)->abort(&s->deliveries[i]);
    memory_free(NULL, s->deliveries);
    s->deliveries = NULL;
    s->delivery_count = 0;
    if (s->target)
        imap_ops(s)->close(&s->target);
}

/* fits_quota - said before the octets are asked for. What is replaced does not count (RFC 8508). */
static int fits_quota(struct serve_imap *s, const struct imap_place *place)
{
    struct postern_quota quota;
    int err = imap_ops(s)->quota(place->account, &quota);

    if (err)
        return err == POSTERN_E_UNSUPPORTED ? 0 : err;
    if (s->question.uid_count && s->mailbox && imap_is_at_home(s, place->owner)) {
        uint64_t replaced = imap_sizes(s, s->question.uids, 1);

        quota.bytes -= replaced < quota.bytes ? replaced : quota.bytes;
        quota.messages -= quota.messages > 0;
    }
    return quota_room(&quota, s->question.size_bytes, 1);
}

/* add_delivery - one more, not begun yet. */
static int add_delivery(struct serve_imap *s)
{
    struct postern_delivery **more;

    if (s->delivery_count == IMAP_APPENDS_MAX)
        return POSTERN_E_TOO_LONG;
    more = memory_resize(NULL, s->deliveries, (s->delivery_count + 1) * sizeof *more);
    if (!more)
        return POSTERN_E_NOMEM;
    s->deliveries = more;
    more[s->delivery_count] = NULL;
    return 0;
}

static int append_work(struct serve_imap *s, unsigned wait_flag)
{
    const struct postern_imap_question *q = &s->question;
    struct postern_new_message what = {.flags = q->flags, .date_s = q->date_s};
    struct imap_place place;
    int err = imap_place(s, q->name, wait_flag, &place);

    imap_leave_other(s); /* parts of others are to be as they are now */
    if (!err && !s->target)
        err = imap_ops(s)->open(place.account, place.name, 0, &s->target);
    if (!err)
        err = fits_quota(s, &place);
    if (!err)
        err = imap_fits_disk(s, q->size_bytes);
    if (!err)
        err = imap_keyword_bits(s, s->target, true, &what.keywords);
    if (!err)
        err = add_delivery(s);
    if (err)
        return err;
    s->replaces_after = q->uid_count && !imap_is_at_home(s, place.owner);
    if (q->uid_count && !s->replaces_after) {
        what.replaced_in = s->mailbox;
        what.replaced = q->uids[0];
    }
    err = imap_ops(s)->begin(s->target, &what, &s->deliveries[s->delivery_count]);
    s->delivery_count += !err;
    return err;
}

static int write_work(struct serve_imap *s, unsigned wait_flag)
{
    (void)wait_flag;
    if (!s->delivery_count)
        return POSTERN_E_USAGE;
    return imap_ops(s)->write(s->deliveries[s->delivery_count - 1], s->question.bytes);
}

static void append_finish(struct serve_imap *s, int err)
{
    if (err < 0) {
        login_log_error(&s->login, "append", err);
        imap_drop_appends(s);
    }
    postern_imap_answer(s->engine, s->question.id, err);
}

static int commit_work(struct serve_imap *s, unsigned wait_flag)
{
    struct postern_status status;
    uint32_t *uids = imap_room_for(s, s->delivery_count);
    int err;

    (void)wait_flag;
    if (!uids)
        return POSTERN_E_NOMEM;
    err = imap_ops(s)->commit(s->deliveries, s->delivery_count, uids);
    if (!err) {
        if (s->replaces_after) /* of another account: the new one is there first */
            imap_ops(s)->expunge(s->mailbox, s->question.uids, s->question.uid_count);
        if (s->question.uid_count)
            imap_ops(s)->tidy(s->mailbox);
        s->appended += s->delivery_count;
        err = imap_ops(s)->refresh(s->target, 0, &status);
        s->uid_validity = err ? 0 : status.uid_validity;
        err = 0;
    }
    return err;
}

static void commit_finish(struct serve_imap *s, int err)
{
    imap_drop_appends(s);
    imap_finish_uids(s, err);
}

const struct imap_work imap_append_work = {
    .work = append_work, .finish = append_finish, .writes = true};
const struct imap_work imap_write_work = {
    .work = write_work, .finish = append_finish, .writes = true};
const struct imap_work imap_commit_work = {
    .work = commit_work, .finish = commit_finish, .writes = true};
