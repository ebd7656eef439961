/* SPDX-License-Identifier: MIT */
/* imap_mailbox - the questions about mailboxes: list, status, make and unmake, select, news. */
#include "serve/imap_session.h"

#include "base/span.h"

static const struct postern_uid_range everything = {1, UINT32_MAX};

static void plain_finish(struct serve_imap *s, int err)
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

/* ---- annotations ----------------------------------------------------------------------------- */

/* note_metadata - its texts in s->names, the spans as offsets until all are there. */
static int note_metadata(void *ctx, const struct postern_metadata *one)
{
    struct serve_imap *s = ctx;
    struct postern_metadata copy = {{NULL, one->entry.n}, {NULL, one->value.n}};

    buffer_append(&s->names, one->entry);
    buffer_append(&s->names, one->value);
    buffer_append(&s->statuses, span_make((const char *)&copy, sizeof copy));
    return s->names.error || s->statuses.error ? POSTERN_E_NOMEM : 0;
}

/* note_shared_metadata - what is private is the owner's. */
static int note_shared_metadata(void *ctx, const struct postern_metadata *one)
{
    return span_begins_nocase(one->entry, SPAN("/shared/")) ? note_metadata(ctx, one) : 0;
}

static int metadata_work(struct serve_imap *s, unsigned wait_flag)
{
    struct imap_place place;
    int err = imap_place(s, s->question.name, wait_flag, &place);

    if (err)
        return err;
    return imap_ops(s)->metadata(place.account, place.name,
                                 place.owner.n ? note_shared_metadata : note_metadata, s);
}

static void metadata_finish(struct serve_imap *s, int err)
{
    struct postern_metadata *all =
        (struct postern_metadata *)(uintptr_t)buffer_span(&s->statuses).p;
    size_t count = buffer_length(&s->statuses) / sizeof *all;
    const char *at = buffer_span(&s->names).p;

    if (err < 0)
        login_log_error(&s->login, "metadata", err);
    for (size_t i = 0; i < count; i++) {
        all[i].entry.p = at;
        all[i].value.p = at + all[i].entry.n; /* there is an entry: it is not NULL */
        at += all[i].entry.n + all[i].value.n;
    }
    postern_imap_answer_metadata(s->engine, s->question.id, err, all, err ? 0 : count);
    buffer_done(&s->statuses);
    buffer_done(&s->names);
}

static int set_metadata_work(struct serve_imap *s, unsigned wait_flag)
{
    const struct postern_imap_question *q = &s->question;
    struct imap_place place;
    int err = imap_place(s, q->name, wait_flag, &place);

    for (size_t i = 0; i < q->metadata_count && !err && place.owner.n; i++)
        if (!span_begins_nocase(q->metadata[i].entry, SPAN("/shared/")))
            err = POSTERN_E_DENIED;
    return err ? err
               : imap_ops(s)->set_metadata(place.account, place.name, q->metadata,
                                           q->metadata_count);
}

/* ---- STATUS, QUOTA --------------------------------------------------------------------------- */

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

/* ---- SELECT, NEWS ---------------------------------------------------------------------------- */

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

/* take_ranges - there may be more by the time there is room for them. I 2.3.1.1-2 */
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

/* ---- the table ------------------------------------------------------------------------------- */

const struct imap_work *imap_mailbox_work(enum postern_imap_question_kind kind)
{
    static const struct imap_work create = {create_work, plain_finish, false, true},
                                  remove = {remove_work, plain_finish, false, true},
                                  rename = {rename_work, plain_finish, false, true},
                                  subscribe = {subscribe_work, plain_finish, false, true},
                                  status = {status_work, status_finish, true, false},
                                  quota = {quota_work, quota_finish, false, false},
                                  set_quota = {set_quota_work, quota_finish, false, true},
                                  metadata = {metadata_work, metadata_finish, false, false},
                                  set_metadata = {set_metadata_work, plain_finish, false, true},
                                  select = {select_work, select_finish, true, false},
                                  news = {look, news_finish, true, false};

    switch (kind) {
    case POSTERN_IMAP_CREATE:
        return &create;
    case POSTERN_IMAP_REMOVE:
        return &remove;
    case POSTERN_IMAP_RENAME:
        return &rename;
    case POSTERN_IMAP_SUBSCRIBE:
        return &subscribe;
    case POSTERN_IMAP_LIST:
        return &imap_list;
    case POSTERN_IMAP_STATUS:
        return &status;
    case POSTERN_IMAP_QUOTA:
        return &quota;
    case POSTERN_IMAP_SET_QUOTA:
        return &set_quota;
    case POSTERN_IMAP_RIGHTS:
        return &imap_rights;
    case POSTERN_IMAP_ACL:
        return &imap_acl;
    case POSTERN_IMAP_SET_ACL:
        return &imap_set_acl;
    case POSTERN_IMAP_LOOK:
        return &imap_look;
    case POSTERN_IMAP_METADATA:
        return &metadata;
    case POSTERN_IMAP_SET_METADATA:
        return &set_metadata;
    case POSTERN_IMAP_SELECT:
        return &select;
    case POSTERN_IMAP_NEWS:
        return &news;
    default:
        return NULL;
    }
}
