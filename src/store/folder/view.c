/* SPDX-License-Identifier: MIT */
/* view - what a mailbox holds, shown: POP3's list, ranges of UIDs, facts of messages, history.
 * A list and the table of unique-ids are kept until the rows change. */
#include "store/folder/folder.h"

#include "base/span.h"
#include <stdlib.h>

void kept_free(struct kept *kept)
{
    postern_snapshot_unref(&kept->snapshot);
    free(kept->by_unique);
    free(kept);
}

static struct index_mailbox *rows_of(const struct postern_mailbox *mailbox)
{
    return index_mailbox_of(&mailbox->account->index, mailbox->id);
}

/* enter_synced - the mutex, and the mailbox's rows as the files are now. */
static int enter_synced(struct postern_mailbox *mailbox, unsigned flags)
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
    rows = rows_of(mailbox);
    if (rows && rows->facts.exists && !rows->damaged && !mailbox->account->index.stale)
        return 0;
    account_leave(mailbox->account);
    return enter_synced(mailbox, flags);
}

/* ---- the list -------------------------------------------------------------------------------- */

static uint8_t entry_flags(const struct index_row *row)
{
    return (uint8_t)((row->bits & ROW_UTF8 ? POSTERN_ENTRY_UTF8 : 0) |
                     (row->bits & ROW_UNREADABLE ? POSTERN_ENTRY_UNREADABLE : 0));
}

static int add_rows(const struct postern_account *account, struct index_mailbox *rows,
                    struct snapshot_builder *builder)
{
    char text[POSTERN_UID_MAX + 1];
    int err = 0;

    for (size_t i = 0; i < mailbox_rows(rows) && !err; i++) {
        const struct index_row *row = mailbox_row(rows, i);

        if (row->bits & ROW_GONE)
            continue;
        if (!row_is_whole(rows, row))
            return POSTERN_E_CORRUPT;
        err = snapshot_builder_add(builder, row_unique_id(account, rows, row, text), row->uid,
                                   row->size_wire, entry_flags(row));
    }
    return err;
}

static int make_snapshot(struct postern_account *account, struct index_mailbox *rows,
                         struct kept *kept)
{
    struct snapshot_builder *builder;
    int err = snapshot_builder_new(&builder, rows->messages);

    if (err)
        return err;
    err = add_rows(account, rows, builder);
    if (err) {
        snapshot_builder_free(&builder);
        return err;
    }
    postern_snapshot_unref(&kept->snapshot);
    kept->snapshot = snapshot_builder_end(&builder);
    kept->snapshot_changes = rows->changes;
    return 0;
}

/* mended - rows that failed their checksums are dropped and the files asked again. */
static int mended(struct postern_account *account, uint64_t id)
{
    int err = index_lock(&account->index, true);

    if (err)
        return err;
    err = mailbox_sync(account, id, 0, true);
    index_unlock(&account->index);
    return err;
}

int folder_snapshot(struct postern_mailbox *mailbox, unsigned flags,
                    struct postern_snapshot **snapshot_r)
{
    struct postern_account *account = mailbox->account;
    int err = enter_synced(mailbox, flags);
    struct kept *kept;

    if (err)
        return err;
    kept = account_kept(account, mailbox->id);
    if (!kept)
        err = POSTERN_E_NOMEM;
    else if (!kept->snapshot || kept->snapshot_changes != rows_of(mailbox)->changes)
        err = make_snapshot(account, rows_of(mailbox), kept);
    if (err == POSTERN_E_CORRUPT) {
        err = mended(account, mailbox->id);
        if (!err)
            err = make_snapshot(account, rows_of(mailbox), kept);
    }
    if (!err)
        *snapshot_r = postern_snapshot_ref(kept->snapshot);
    account_leave(account);
    return err;
}

/* ---- by unique-id ---------------------------------------------------------------------------- */

static struct postern_span unique_at(struct postern_account *account, struct index_mailbox *rows,
                                     size_t place, char *text)
{
    return row_unique_id(account, rows, mailbox_row(rows, place), text);
}

static uint32_t *unique_slot(struct kept *kept, struct postern_account *account,
                             struct index_mailbox *rows, struct postern_span unique)
{
    size_t at = span_hash(unique) % kept->unique_room;
    char text[POSTERN_UID_MAX + 1];

    for (; kept->by_unique[at]; at = (at + 1) % kept->unique_room) {
        size_t place = kept->by_unique[at] - 1;

        if (!(mailbox_row(rows, place)->bits & ROW_GONE) &&
            span_equal(unique_at(account, rows, place, text), unique))
            break;
    }
    return &kept->by_unique[at];
}

/* index_uniques - the table of all rows, or the rows that came since. */
static bool index_uniques(struct kept *kept, struct postern_account *account,
                          struct index_mailbox *rows)
{
    size_t count = mailbox_rows(rows);
    char text[POSTERN_UID_MAX + 1];

    if (kept->unique_loads != account->index.loads || kept->unique_room < count * 2 + 1 ||
        kept->unique_rows > count) {
        free(kept->by_unique);
        kept->unique_room = count * 4 + 16;
        kept->by_unique = calloc(kept->unique_room, sizeof *kept->by_unique);
        kept->unique_rows = 0;
        kept->unique_loads = account->index.loads;
        if (!kept->by_unique) {
            kept->unique_room = 0;
            return false;
        }
    }
    for (; kept->unique_rows < count; kept->unique_rows++)
        if (!(mailbox_row(rows, kept->unique_rows)->bits & ROW_GONE))
            *unique_slot(kept, account, rows, unique_at(account, rows, kept->unique_rows, text)) =
                (uint32_t)kept->unique_rows + 1;
    return true;
}

struct index_row *mailbox_unique(struct postern_account *account, struct index_mailbox *rows,
                                 struct postern_span unique)
{
    struct kept *kept = account_kept(account, rows->facts.id);
    uint32_t place;

    if (!kept || !index_uniques(kept, account, rows))
        return NULL;
    place = *unique_slot(kept, account, rows, unique);
    return place ? mailbox_find(rows, mailbox_row(rows, place - 1)->uid) : NULL;
}

int folder_find(struct postern_mailbox *mailbox, struct postern_span unique_id,
                struct postern_entry *entry_r, uint32_t *uid_r)
{
    const struct index_row *row;
    int err = enter_synced(mailbox, 0);

    if (err)
        return err;
    row = mailbox_unique(mailbox->account, rows_of(mailbox), unique_id);
    if (row) {
        *entry_r = (struct postern_entry){.size_bytes = row->size_wire,
                                          .uid_length = (uint8_t)unique_id.n,
                                          .flags = entry_flags(row)};
        *uid_r = row->uid;
    }
    account_leave(mailbox->account);
    return row ? 0 : POSTERN_E_NOT_FOUND;
}

/* ---- by UID ---------------------------------------------------------------------------------- */

int folder_refresh(struct postern_mailbox *mailbox, unsigned flags, struct postern_status *status_r)
{
    struct index_mailbox *rows;
    int err =
        flags & POSTERN_STORE_LOOKED ? enter_looked(mailbox, flags) : enter_synced(mailbox, flags);

    if (err)
        return err;
    if (!(flags & POSTERN_STORE_NO_WAIT))
        fresh_flush(mailbox->account);
    rows = rows_of(mailbox);
    free(mailbox->name);
    mailbox->name = strndup(rows->name.p, rows->name.n);
    if (mailbox->name) {
        folder_status_of(rows, status_r);
        status_r->name = postern_span_of(mailbox->name);
    }
    account_leave(mailbox->account);
    return mailbox->name ? 0 : POSTERN_E_NOMEM;
}

/* enter_known - the mutex, and that the mailbox is still there; nothing is looked at, neither what
 * others wrote into the index. */
static int enter_known(struct postern_mailbox *mailbox)
{
    int err = account_take(mailbox->account, 0);

    if (err || rows_of(mailbox))
        return err;
    account_leave(mailbox->account);
    return POSTERN_E_NOT_FOUND;
}

int folder_ranges(struct postern_mailbox *mailbox, struct postern_uid_range *ranges_r, size_t room)
{
    const struct index_mailbox *rows;
    int err = enter_known(mailbox);
    size_t count;

    if (err)
        return err;
    rows = rows_of(mailbox);
    count = rows->run_count;
    if (count && room)
        memcpy(ranges_r, rows->runs, (count < room ? count : room) * sizeof *ranges_r);
    account_leave(mailbox->account);
    return (int)count;
}

static int show_row(const struct postern_account *account, const struct index_mailbox *rows,
                    const struct index_row *row,
                    int (*each)(void *ctx, const struct postern_message_info *info), void *ctx)
{
    char text[POSTERN_UID_MAX + 1];
    struct postern_message_info info = {.uid = row->uid,
                                        .flags = row->bits & POSTERN_FLAGS_ALL,
                                        .keywords = row->keywords,
                                        .modseq = row->modseq,
                                        .date_s = row->date_s == INDEX_NO_DATE ? 0 : row->date_s,
                                        .saved_s = row->saved_s,
                                        .size_wire = row->size_wire,
                                        .email_id = row->email_id,
                                        .unique_id = row_unique_id(account, rows, row, text)};

    return each(ctx, &info);
}

/* struct showing - rows on their way to who asked for them. */
struct showing {
    const struct postern_account *account;
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
    return show_row(showing->account, showing->rows, row, showing->each, showing->ctx);
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
    struct showing showing = {
        .account = mailbox->account, .since = since, .each = each, .ctx = ctx};
    uint32_t uids[RECENT_MAX];
    size_t count = 0;
    int result = enter_known(mailbox);

    if (result)
        return result;
    showing.rows = rows_of(mailbox);
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
    int result = enter_known(mailbox);

    if (result)
        return result;
    rows = rows_of(mailbox);
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
    rows = rows_of(mailbox);
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

/* ---- keywords -------------------------------------------------------------------------------- */

static int keyword_of(struct postern_account *account, uint64_t id, struct postern_span name,
                      bool make)
{
    const struct index_mailbox *rows = index_mailbox_of(&account->index, id);
    struct buffer group = {0};
    int err;

    if (!rows)
        return POSTERN_E_NOT_FOUND;
    for (unsigned i = 0; i < rows->keyword_count; i++)
        if (span_equal_nocase(rows->keywords[i], name))
            return (int)i;
    if (!make)
        return POSTERN_E_NOT_FOUND;
    if (rows->keyword_count == POSTERN_KEYWORDS_MAX)
        return POSTERN_E_FULL;
    group_keyword(&group, id, name);
    err = index_commit(&account->index, &group, false, false); /* synced with what uses it */
    return err ? err : (int)index_mailbox_of(&account->index, id)->keyword_count - 1;
}

int folder_keyword(struct postern_mailbox *mailbox, struct postern_span name, bool make)
{
    struct postern_account *account = mailbox->account;
    int number;

    if (!keyword_is_good(name))
        return POSTERN_E_SYNTAX;
    number = account_enter(account, 0);
    if (number)
        return number;
    number = keyword_of(account, mailbox->id, name, false);
    account_leave(account);
    if (number != POSTERN_E_NOT_FOUND || !make)
        return number;
    number = account_enter_lock(account, 0);
    if (number)
        return number;
    number = keyword_of(account, mailbox->id, name, true);
    account_leave(account);
    return number;
}

int folder_keyword_name(struct postern_mailbox *mailbox, unsigned number,
                        struct postern_span *name_r)
{
    const struct index_mailbox *rows;
    int err = enter_known(mailbox);

    if (err)
        return err;
    rows = rows_of(mailbox);
    if (number < rows->keyword_count && !mailbox->keywords)
        mailbox->keywords = calloc(POSTERN_KEYWORDS_MAX, sizeof *mailbox->keywords);
    if (number < rows->keyword_count && mailbox->keywords && !mailbox->keywords[number])
        mailbox->keywords[number] = strndup(rows->keywords[number].p, rows->keywords[number].n);
    account_leave(mailbox->account);
    if (number >= POSTERN_KEYWORDS_MAX || !mailbox->keywords || !mailbox->keywords[number])
        return POSTERN_E_NOT_FOUND;
    *name_r = postern_span_of(mailbox->keywords[number]);
    return 0;
}
