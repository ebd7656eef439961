/* SPDX-License-Identifier: MIT */
/* imap_list - LIST: the user's own mailboxes, and where they are asked for too, what others let him
 * look up. All are gathered, then put in order with the levels above them. */
#include "serve/imap_session.h"

#include "base/span.h"
#include "store/acl.h"
#include "store/levels.h"

static struct postern_status *statuses_of(struct serve_imap *s, size_t *count_r)
{
    *count_r = buffer_length(&s->statuses) / sizeof(struct postern_status);
    return (struct postern_status *)(uintptr_t)buffer_span(&s->statuses).p;
}

/* note_named - with its name as an offset until all are there: the buffer moves. */
static int note_named(struct serve_imap *s, const struct postern_status *status,
                      struct postern_span prefix)
{
    struct postern_status copy = *status;

    copy.name.p = (const char *)(uintptr_t)buffer_length(&s->names);
    copy.name.n += prefix.n;
    buffer_append(&s->names, prefix);
    buffer_append(&s->names, status->name);
    buffer_append(&s->statuses, span_make((const char *)&copy, sizeof copy));
    return s->names.error || s->statuses.error ? POSTERN_E_NOMEM : 0;
}

static void settle_names(struct serve_imap *s)
{
    struct postern_span names = buffer_span(&s->names);
    size_t count;
    struct postern_status *all = statuses_of(s, &count);

    for (size_t i = 0; i < count; i++)
        all[i].name.p = names.p + (uintptr_t)all[i].name.p;
}

static int note_own(void *ctx, const struct postern_status *status)
{
    struct postern_status copy = *status;

    copy.rights = POSTERN_RIGHTS_ALL;
    return note_named(ctx, &copy, SPAN(""));
}

/* ---- with those of others -------------------------------------------------------------------- */

/* note_own_apart - without the levels, which come again; a name of one's own that lies behind a
 * prefix of others cannot be reached, only the subscription to it counts. */
static int note_own_apart(void *ctx, const struct postern_status *status)
{
    struct postern_span owner, local;
    struct postern_status copy = *status;

    copy.exists &= !imap_is_shared(ctx, status->name, &owner, &local);
    return copy.exists || copy.subscribed ? note_own(ctx, &copy) : 0;
}

/* struct sharing - the mailboxes of another account. */
struct sharing {
    struct serve_imap *s;
    struct buffer names, sizes; /* one after the other */
};

static int note_name(void *ctx, const struct postern_status *status)
{
    struct sharing *sharing = ctx;

    if (!status->exists)
        return 0;
    buffer_append(&sharing->names, status->name);
    buffer_append(&sharing->sizes, span_make((const char *)&status->name.n, sizeof(size_t)));
    return sharing->names.error || sharing->sizes.error ? POSTERN_E_NOMEM : 0;
}

/* is_subscribed - by its whole name, which stands at the end of s->names; the entry that only says
 * so is done with. */
static bool is_subscribed(struct serve_imap *s, struct postern_span whole, size_t own_count)
{
    size_t count;
    struct postern_status *all = statuses_of(s, &count);
    struct postern_span names = buffer_span(&s->names);

    for (size_t i = 0; i < own_count; i++) {
        struct postern_span name = all[i].name;

        if (!span_equal(span_make(names.p + (uintptr_t)name.p, name.n), whole))
            continue;
        all[i].subscribed = false;
        return true;
    }
    return false;
}

/* note_shared - a mailbox of another, if the user may look it up. One that is gone by now is
 * passed over. */
static int note_shared(struct serve_imap *s, struct postern_account *account,
                       struct postern_span prefix, struct postern_span name, size_t own_count)
{
    struct postern_status status;
    struct buffer whole = {0};
    uint32_t rights = 0;
    int err =
        acl_rights(s->site->store, account, name, postern_span_of(login_user(&s->login)), &rights);

    if (!err && !(rights & POSTERN_RIGHT_LOOKUP))
        return 0;
    if (!err)
        err = imap_ops(s)->status(account, name, 0, &status);
    if (err)
        return err == POSTERN_E_NOMEM ? err : 0;
    buffer_append(&whole, prefix);
    buffer_append(&whole, name);
    status.name = name;
    status.rights = rights;
    status.subscribed = is_subscribed(s, buffer_span(&whole), own_count);
    err = whole.error ? POSTERN_E_NOMEM : note_named(s, &status, prefix);
    buffer_done(&whole);
    return err;
}

/* list_shared - an account that cannot be opened now shares nothing. */
static int list_shared(struct serve_imap *s, struct postern_span owner, struct postern_span prefix,
                       size_t own_count)
{
    struct sharing sharing = {.s = s};
    struct postern_account *account;
    struct postern_span sizes, names;
    int err = imap_guest(s, owner, 0, &account);

    if (err)
        return err == POSTERN_E_NOMEM ? err : 0;
    err = imap_ops(s)->list(account, note_name, &sharing);
    sizes = buffer_span(&sharing.sizes);
    names = buffer_span(&sharing.names);
    for (size_t at = 0; !err && at < sizes.n; at += sizeof(size_t)) {
        struct postern_span name = {names.p, 0};

        memcpy(&name.n, sizes.p + at, sizeof(size_t));
        names = span_from(names, name.n);
        err = note_shared(s, account, prefix, name, own_count);
    }
    buffer_done(&sharing.sizes);
    buffer_done(&sharing.names);
    return err;
}

static int note_owner(void *ctx, struct postern_span owner)
{
    buffer_append(ctx, owner);
    buffer_append_char(ctx, '\n');
    return ((struct buffer *)ctx)->error;
}

/* list_others - a store that cannot say who shares shows only what the user subscribed to. */
static int list_others(struct serve_imap *s, size_t own_count)
{
    struct buffer owners = {0};
    int err = imap_ops(s)->sharers(s->site->store, postern_span_of(login_user(&s->login)),
                                   note_owner, &owners);
    struct postern_span rest = buffer_span(&owners);

    if (err == POSTERN_E_UNSUPPORTED)
        err = 0;
    while (!err && rest.n) {
        struct postern_span owner = span_cut(&rest, '\n');
        struct buffer prefix = {0};

        if (span_equal(owner, s->site->public_account))
            continue;
        buffer_append(&prefix, s->site->imap->other_users);
        buffer_append(&prefix, owner);
        buffer_append_char(&prefix, '/');
        err =
            prefix.error ? POSTERN_E_NOMEM : list_shared(s, owner, buffer_span(&prefix), own_count);
        buffer_done(&prefix);
    }
    buffer_done(&owners);
    return err;
}

/* put_in_order - what was gathered, with the levels; into s->statuses, names as offsets again. */
static int put_in_order(struct serve_imap *s)
{
    struct buffer statuses, names;
    size_t count, kept = 0;
    struct postern_status *all;
    int err;

    settle_names(s);
    all = statuses_of(s, &count);
    for (size_t i = 0; i < count; i++) /* of subscriptions that were found with the mailbox */
        if (all[i].exists || all[i].subscribed)
            all[kept++] = all[i];
    statuses = s->statuses;
    names = s->names;
    s->statuses = s->names = (struct buffer){0};
    err = levels_show(all, kept, imap_note_status, s);
    buffer_done(&statuses);
    buffer_done(&names);
    return err;
}

static int list_all(struct serve_imap *s)
{
    const struct postern_imap_options *options = s->site->imap;
    int err = imap_ops(s)->list(s->account, note_own_apart, s);
    size_t own_count = buffer_length(&s->statuses) / sizeof(struct postern_status);

    if (!err && options->other_users.n)
        err = list_others(s, own_count);
    if (!err && options->shared.n)
        err = list_shared(s, s->site->public_account, options->shared, own_count);
    return err ? err : put_in_order(s);
}

/* ---- the question ---------------------------------------------------------------------------- */

int imap_note_status(void *ctx, const struct postern_status *status)
{
    return note_named(ctx, status, SPAN(""));
}

static int list_work(struct serve_imap *s, unsigned wait_flag)
{
    bool begins = s->wants_all && !s->watch;
    int err = begins ? imap_ops(s)->watch_all(s->account, &s->bell, &s->watch) : 0;

    (void)wait_flag;
    if (err == POSTERN_E_FULL) /* what cannot be watched for another reason is asked for */
        return err;
    if (s->question.shared)
        return list_all(s);
    return imap_ops(s)->list(s->account, note_own, s);
}

static void list_finish(struct serve_imap *s, int err)
{
    size_t count;
    struct postern_status *all;

    settle_names(s);
    all = statuses_of(s, &count);
    postern_imap_answer_list(s->engine, s->question.id, err, all, count);
    if (s->wants_all && s->watch && imap_ops(s)->watch_has_lost(s->watch))
        (void)postern_imap_overflow(s->engine); /* nobody wants to know: it is over */
    buffer_done(&s->statuses);
    buffer_done(&s->names);
}

const struct imap_work imap_list_work = {.work = list_work, .finish = list_finish};
