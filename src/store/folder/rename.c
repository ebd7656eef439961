/* SPDX-License-Identifier: MIT */
/* rename - a mailbox, and those below it, get other names. The index is written first, in one
 * group; the folders follow, as discover.c finds them. INBOX stays, and its messages move. */
#include "store/folder/folder.h"

#include "base/span.h"
#include <stdlib.h>

/* renamed - the name that `from`, or one below it, gets. */
static int renamed(struct postern_span name, struct postern_span from, struct postern_span to,
                   struct buffer *out)
{
    struct buffer dir = {0};
    int err;

    buffer_append(out, to);
    buffer_append(out, span_from(name, from.n));
    err = out->error ? out->error : name_to_dir(buffer_span(out), &dir);
    if (!err && buffer_length(out) > POSTERN_MAILBOX_NAME_MAX)
        err = POSTERN_E_TOO_LONG;
    buffer_done(&dir);
    return err;
}

/* rename_one - into group; the folder still has its old name. */
static int rename_one(struct postern_account *account, const struct index_mailbox *mailbox,
                      struct postern_span to_name, struct buffer *group)
{
    struct index_mailbox *old = index_mailbox_named(&account->index, to_name);
    struct index_facts facts = mailbox->facts;
    int err = 0;

    if (old && old->facts.exists)
        return POSTERN_E_EXISTS;
    facts.subscribed = old && old->facts.subscribed;
    if (old)
        group_dropped(group, old->facts.id);
    if (mailbox->facts.subscribed)
        err = group_subscription(account, mailbox->name, group);
    group_facts(group, &facts, to_name, mailbox->dir);
    return err;
}

static int rename_all(struct postern_account *account, struct postern_span from,
                      struct postern_span to, struct buffer *group)
{
    int err = 0;
    bool any = false;

    for (size_t i = 0; i < account->index.count && !err; i++) {
        const struct index_mailbox *mailbox = account->index.mailboxes[i];
        struct buffer name = {0};

        if (!mailbox->facts.exists ||
            (!span_equal(mailbox->name, from) && !name_is_below(mailbox->name, from)))
            continue;
        any = true;
        err = renamed(mailbox->name, from, to, &name);
        if (!err)
            err = rename_one(account, mailbox, buffer_span(&name), group);
        buffer_done(&name);
    }
    return err ? err : any ? 0 : POSTERN_E_NOT_FOUND;
}

/* inbox_uids - of all its messages; given, to free(). */
static int inbox_uids(struct postern_account *account, uint32_t **uids_r, size_t *count_r)
{
    const struct index_mailbox *inbox;
    uint32_t *uids;
    size_t count = 0;
    int err = account_enter(account, 0);

    if (err)
        return err;
    inbox = index_mailbox_of(&account->index, INBOX_ID);
    uids = malloc((mailbox_rows(inbox) + 1) * sizeof *uids);
    for (size_t i = 0; uids && i < mailbox_rows(inbox); i++)
        if (!(mailbox_row(inbox, i)->bits & ROW_GONE))
            uids[count++] = mailbox_row(inbox, i)->uid;
    account_leave(account);
    if (!uids)
        return POSTERN_E_NOMEM;
    *uids_r = uids;
    *count_r = count;
    return 0;
}

static int rename_inbox(struct postern_account *account, struct postern_span to)
{
    struct postern_mailbox *inbox = NULL, *target = NULL;
    uint32_t *uids = NULL;
    size_t count = 0;
    int err = folder_create(account, to, POSTERN_SPECIAL_NONE);

    if (!err)
        err = folder_open(account, SPAN("INBOX"), 0, &inbox);
    if (!err)
        err = folder_open(account, to, 0, &target);
    if (!err)
        err = inbox_uids(account, &uids, &count);
    if (!err && count)
        err = folder_copy(inbox, uids, count, target, true, NULL);
    if (!err)
        folder_move_metadata(account, SPAN("INBOX"), to);
    free(uids);
    folder_close(&inbox);
    folder_close(&target);
    return err;
}

/* write_names - all that a rename changes, as one group of the index. */
static int write_names(struct postern_account *account, struct postern_span from,
                       struct postern_span to)
{
    struct buffer group = {0};
    int err = rename_all(account, from, to, &group);

    if (!err)
        err = account_fits(account, to, 0);
    if (!err)
        err = folder_new_acl(account, to);
    if (!err)
        err = mailbox_make_levels(account, to);
    if (!err)
        err = index_commit(&account->index, &group, true, false);
    buffer_done(&group);
    return err;
}

int folder_rename(struct postern_account *account, struct postern_span from, struct postern_span to)
{
    int err = name_check_rename(&from, &to);

    if (err)
        return err;
    if (span_equal(from, SPAN("INBOX")))
        return rename_inbox(account, to);
    err = mailboxes_change_begin(account, &to);
    if (err)
        return err;
    err = mailbox_existing(account, to) ? POSTERN_E_EXISTS : write_names(account, from, to);
    if (!err) {
        account->seen.ns = -1;
        (void)account_discover(account); /* the folders; not done, whoever comes next does it */
        folder_move_metadata(account, from, to);
    }
    account_leave(account);
    return err;
}
