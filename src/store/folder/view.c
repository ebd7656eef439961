/* SPDX-License-Identifier: MIT */
/* view - what a mailbox holds, shown: its state, ranges of UIDs, facts of messages, history. */
#include "store/folder/folder.h"

#include "base/span.h"
#include <stdlib.h>

struct index_mailbox *mailbox_index(const struct postern_mailbox *mailbox)
{
    return index_mailbox_of(&mailbox->account->index, mailbox->id);
}

int mailbox_enter_synced(struct postern_mailbox *mailbox, unsigned flags)
{
    int err = account_enter(mailbox->account, flags);

    if (err)
        return err;
    err = mailbox_sync(mailbox->account, mailbox->id, flags, false);
    if (err)
        account_leave(mailbox->account);
    return err;
}

/* enter_looked - the mutex, and the rows as they are known here, if that will do. */
static int enter_looked(struct postern_mailbox *mailbox, unsigned flags)
{
    const struct index_mailbox *rows;
    int err = account_take(mailbox->account, flags);

    if (err)
        return err;
    rows = mailbox_index(mailbox);
    if (rows && rows->facts.exists && !rows->damaged && !mailbox->account->index.stale)
        return 0;
    account_leave(mailbox->account);
    return mailbox_enter_synced(mailbox, flags);
}

int folder_refresh(struct postern_mailbox *mailbox, unsigned flags, struct postern_status *status_r)
{
    struct index_mailbox *rows;
    int err = flags & POSTERN_STORE_LOOKED ? enter_looked(mailbox, flags)
                                           : mailbox_enter_synced(mailbox, flags);

    if (err)
        return err;
    if (!(flags & POSTERN_STORE_NO_WAIT))
        fresh_flush(mailbox->account);
    rows = mailbox_index(mailbox);
    free(mailbox->name);
    mailbox->name = strndup(rows->name.p, rows->name.n);
    if (mailbox->name) {
        folder_status_of(rows, status_r);
        status_r->name = postern_span_of(mailbox->name);
    }
    account_leave(mailbox->account);
    return mailbox->name ? 0 : POSTERN_E_NOMEM;
}

int mailbox_enter_known(struct postern_mailbox *mailbox)
{
    int err = account_take(mailbox->account, 0);

    if (err || mailbox_index(mailbox))
        return err;
    account_leave(mailbox->account);
    return POSTERN_E_NOT_FOUND;
}

int folder_ranges(struct postern_mailbox *mailbox, struct postern_uid_range *ranges_r, size_t room)
{
    const struct index_mailbox *rows;
    int err = mailbox_enter_known(mailbox);
    size_t count;

    if (err)
        return err;
    rows = mailbox_index(mailbox);
    count = rows->run_count;
    if (count && room)
        memcpy(ranges_r, rows->runs, (count < room ? count : room) * sizeof *ranges_r);
    account_leave(mailbox->account);
    return (int)count;
}

int folder_first_unseen(struct postern_mailbox *mailbox, uint32_t *uid_r)
{
    int err = mailbox_enter_known(mailbox);

    if (err)
        return err;
    *uid_r = mailbox_first_unseen(mailbox_index(mailbox));
    account_leave(mailbox->account);
    return 0;
}

static int show_row(const struct index_row *row,
                    int (*each)(void *ctx, const struct postern_message_info *info), void *ctx)
{
    struct postern_message_info info = {.uid = row->uid,
                                        .flags = row->bits & POSTERN_FLAGS_ALL,
                                        .keywords = row->keywords,
                                        .modseq = row->modseq,
                                        .date_s = row->date_s == INDEX_NO_DATE ? 0 : row->date_s,
                                        .saved_s = row->saved_s,
                                        .size_wire = row->size_wire,
                                        .email_id = row->email_id};

    return each(ctx, &info);
}

/* struct showing - rows on their way to who asked for them. */
struct showing {
    struct index_mailbox *rows;
    uint64_t since;
    int (*each)(void *ctx, const struct postern_message_info *info);
    void *ctx;
};

/* show - if it is there and changed since. */
static int show(const struct showing *showing, const struct index_row *row)
{
    if (row->bits & ROW_GONE || row->modseq <= showing->since)
        return 0;
    if (!row_is_whole(showing->rows, row))
        return POSTERN_E_CORRUPT;
    return show_row(row, showing->each, showing->ctx);
}

static int show_range(const struct showing *showing, struct postern_uid_range range)
{
    struct index_mailbox *rows = showing->rows;
    int result = 0;

    for (size_t i = mailbox_place(rows, range.first); i < mailbox_rows(rows) && !result; i++) {
        const struct index_row *row = mailbox_row(rows, i);

        if (row->uid > range.last)
            break;
        result = show(showing, row);
    }
    return result;
}

int folder_each(struct postern_mailbox *mailbox, struct postern_uid_range range, uint64_t since,
                int (*each)(void *ctx, const struct postern_message_info *info), void *ctx)
{
    struct showing showing = {.since = since, .each = each, .ctx = ctx};
    uint32_t uids[RECENT_MAX];
    size_t count = 0;
    int result = mailbox_enter_known(mailbox);

    if (result)
        return result;
    showing.rows = mailbox_index(mailbox);
    if (!since || !recent_since(showing.rows, since, uids, &count))
        result = show_range(&showing, range);
    for (size_t i = 0; i < count && !result; i++)
        if (uids[i] >= range.first && uids[i] <= range.last)
            result = show_range(&showing, (struct postern_uid_range){uids[i], uids[i]});
    account_leave(mailbox->account);
    return result;
}

int folder_vanished(struct postern_mailbox *mailbox, uint64_t since,
                    int (*each)(void *ctx, struct postern_uid_range range), void *ctx)
{
    const struct index_mailbox *rows;
    int result = mailbox_enter_known(mailbox);

    if (result)
        return result;
    rows = mailbox_index(mailbox);
    if (since < rows->history_floor || since < rows->facts.first_modseq)
        result = POSTERN_E_NOT_FOUND;
    for (size_t i = 0; i < rows->history_count && !result; i++)
        if (rows->history[i].modseq > since)
            result = each(
                ctx, (struct postern_uid_range){rows->history[i].first, rows->history[i].last});
    account_leave(mailbox->account);
    return result;
}

int folder_recent(struct postern_mailbox *mailbox, uint32_t *from_r)
{
    struct postern_account *account = mailbox->account;
    const struct index_mailbox *rows;
    struct index_facts facts;
    struct buffer group = {0};
    int err = account_enter_lock(account, 0);

    if (err)
        return err;
    rows = mailbox_index(mailbox);
    if (!rows) {
        account_leave(account);
        return POSTERN_E_NOT_FOUND;
    }
    facts = rows->facts;
    *from_r = facts.recent_from ? facts.recent_from : 1;
    if (facts.recent_from != facts.uid_next) {
        facts.recent_from = facts.uid_next;
        group_facts(&group, &facts, rows->name, rows->dir);
        err = index_commit(&account->index, &group, false, true);
    }
    account_leave(account);
    return err;
}
