/* SPDX-License-Identifier: MIT */
/* kept - what is made of a mailbox's rows and kept until they change: POP3's list, and the table of
 * unique-ids. */
#include "store/folder/folder.h"

#include "base/span.h"
#include <stdlib.h>

void kept_free(struct kept *kept)
{
    postern_snapshot_unref(&kept->snapshot);
    free(kept->signatures);
    free(kept->by_unique);
    free(kept);
}

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
    int err = mailbox_enter_synced(mailbox, flags);
    struct kept *kept;

    if (err)
        return err;
    kept = account_kept(account, mailbox->id);
    if (!kept)
        err = POSTERN_E_NOMEM;
    else if (!kept->snapshot || kept->snapshot_changes != mailbox_index(mailbox)->changes)
        err = make_snapshot(account, mailbox_index(mailbox), kept);
    if (err == POSTERN_E_CORRUPT) {
        err = mended(account, mailbox->id);
        if (!err)
            err = make_snapshot(account, mailbox_index(mailbox), kept);
    }
    if (!err)
        *snapshot_r = postern_snapshot_ref(kept->snapshot);
    account_leave(account);
    return err;
}

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

int folder_unique_id(struct postern_mailbox *mailbox, uint32_t uid, char out[POSTERN_UID_MAX + 1])
{
    const struct index_row *row;
    struct postern_span unique = {NULL, 0};
    int err = mailbox_enter_known(mailbox);

    if (err)
        return err;
    row = mailbox_find(mailbox_index(mailbox), uid);
    if (row)
        unique = row_unique_id(mailbox->account, mailbox_index(mailbox), row, out);
    if (row && unique.p != out)
        memcpy(out, unique.p, unique.n);
    if (row)
        out[unique.n] = '\0';
    account_leave(mailbox->account);
    return row ? (int)unique.n : POSTERN_E_NOT_FOUND;
}

int folder_find(struct postern_mailbox *mailbox, struct postern_span unique_id,
                struct postern_entry *entry_r, uint32_t *uid_r)
{
    const struct index_row *row;
    int err = mailbox_enter_synced(mailbox, 0);

    if (err)
        return err;
    row = mailbox_unique(mailbox->account, mailbox_index(mailbox), unique_id);
    if (row) {
        *entry_r = (struct postern_entry){.size_bytes = row->size_wire,
                                          .uid_length = (uint8_t)unique_id.n,
                                          .flags = entry_flags(row)};
        *uid_r = row->uid;
    }
    account_leave(mailbox->account);
    return row ? 0 : POSTERN_E_NOT_FOUND;
}
