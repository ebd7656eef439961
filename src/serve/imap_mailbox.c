/* SPDX-License-Identifier: MIT */
/* imap_mailbox - CREATE, REMOVE, RENAME, SUBSCRIBE, STATUS and QUOTA: mailboxes as wholes. */
#include "serve/imap_session.h"

#include "base/span.h"

void imap_finish_plain(struct serve_imap *s, int err)
{
    if (err < 0)
        login_log_error(&s->login, "mailbox", err);
    postern_imap_answer(s->engine, s->question.id, err);
}

static int create_work(struct serve_imap *s, unsigned wait_flag)
{
    struct imap_place place;
    int err = imap_place(s, s->question.name, wait_flag, &place);

    return err ? err : imap_ops(s)->create(place.account, place.name, s->question.special);
}

static int remove_work(struct serve_imap *s, unsigned wait_flag)
{
    struct imap_place place;
    int err = imap_place(s, s->question.name, wait_flag, &place);

    return err ? err : imap_ops(s)->remove(place.account, place.name);
}

/* rename_work - within one account: a rename is one step, between two it could not be. */
static int rename_work(struct serve_imap *s, unsigned wait_flag)
{
    struct imap_place from, to;
    int err = imap_place(s, s->question.name, wait_flag, &from);

    if (!err)
        err = imap_place(s, s->question.to, wait_flag, &to);
    if (!err && !span_equal(from.owner, to.owner))
        err = POSTERN_E_UNSUPPORTED;
    return err ? err : imap_ops(s)->rename(to.account, from.name, to.name);
}

/* subscribe_work - in the user's own account, whosever mailbox it is. */
static int subscribe_work(struct serve_imap *s, unsigned wait_flag)
{
    (void)wait_flag;
    return imap_ops(s)->subscribe(s->account, s->question.name, s->question.on);
}

static int status_work(struct serve_imap *s, unsigned wait_flag)
{
    struct imap_place place;
    int err = imap_place(s, s->question.name, wait_flag, &place);

    return err ? err : imap_ops(s)->status(place.account, place.name, wait_flag, &s->status);
}

static void status_finish(struct serve_imap *s, int err)
{
    s->status.name = s->question.name;
    postern_imap_answer_status(s->engine, s->question.id, err, &s->status);
}

static int quota_work(struct serve_imap *s, unsigned wait_flag)
{
    (void)wait_flag;
    return imap_ops(s)->quota(s->account, &s->quota);
}

static void quota_finish(struct serve_imap *s, int err)
{
    postern_imap_answer_quota(s->engine, s->question.id, err, &s->quota);
}

/* may_set_quota - an administrator in the user's name; the user himself where that is allowed. */
static bool may_set_quota(const struct serve_imap *s)
{
    char value[8];

    return s->is_other || s->site->set_quota ||
           (accounts_value(s->site->accounts, postern_imap_user(s->engine), "imap_set_quota", value,
                           sizeof value) &&
            strcmp(value, "yes") == 0);
}

static int set_quota_work(struct serve_imap *s, unsigned wait_flag)
{
    int err = may_set_quota(s)
                  ? postern_store_set_quota(s->site->store, s->account, &s->question.limits)
                  : POSTERN_E_DENIED;

    return err ? err : quota_work(s, wait_flag);
}

const struct imap_work imap_create_work = {
    .work = create_work, .finish = imap_finish_plain, .writes = true};
const struct imap_work imap_remove_work = {
    .work = remove_work, .finish = imap_finish_plain, .writes = true};
const struct imap_work imap_rename_work = {
    .work = rename_work, .finish = imap_finish_plain, .writes = true};
const struct imap_work imap_subscribe_work = {
    .work = subscribe_work, .finish = imap_finish_plain, .writes = true};
const struct imap_work imap_status_work = {
    .work = status_work, .finish = status_finish, .tries_now = true};
const struct imap_work imap_quota_work = {.work = quota_work, .finish = quota_finish};
const struct imap_work imap_set_quota_work = {
    .work = set_quota_work, .finish = quota_finish, .writes = true};
