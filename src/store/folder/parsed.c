/* SPDX-License-Identifier: MIT */
/* parsed - the parsed form of a message: from the cache, or made from its file and then kept. Those
 * that are new wait in memory for others, so that a client that asks for ten thousand costs a few
 * commits and not as many. Losing them costs no more than parsing again. */
#include "store/folder/folder.h"
#include "store/structure.h"

#include "base/span.h"
#include <postern/mime.h>
#include <stdlib.h>
#include <unistd.h>

#define FRESH_MAX 256
#define FRESH_BYTES (512u << 10)
#define QUICK_BYTES (64u << 10)
#define RECORD_BYTES 4096u /* most records are shorter */
#define GAP_BYTES 16384u   /* what may lie between two that are read at once */

/* struct fresh - parsed forms that are not in the cache yet, as records. */
struct fresh {
    struct buffer records;
    struct fresh_one {
        uint64_t id, at; /* of its mailbox; in records */
        uint32_t uid;
        struct scan scan;
    } all[FRESH_MAX];
    size_t count;
};

void fresh_free(struct postern_account *account)
{
    if (account->fresh)
        buffer_done(&account->fresh->records);
    free(account->fresh);
    account->fresh = NULL;
}

/* put_one - the row of one message, with where its parsed form begins. */
static void put_one(struct postern_account *account, const struct fresh_one *one, uint64_t base,
                    struct buffer *group)
{
    struct index_mailbox *rows = index_mailbox_of(&account->index, one->id);
    const struct index_row *row = rows ? mailbox_find(rows, one->uid) : NULL;
    struct index_row known;

    if (!row)
        return;
    known = *row;
    known.block = base + one->at;
    if (!(row->bits & ROW_SCANNED))
        row_take_scan(&known, &one->scan);
    row_seal(rows, &known);
    group_row(group, one->id, &known, (struct postern_span){0}, (struct postern_span){0});
}

/* fresh_store - with the mutex and the lock. */
static void fresh_store(struct postern_account *account, const struct fresh *fresh)
{
    struct buffer group = {.plain = true};
    uint64_t base;

    if (fresh->records.error ||
        cache_append(&account->index, buffer_span(&fresh->records), fresh->count, &base) < 0)
        return;
    for (size_t i = 0; i < fresh->count; i++)
        put_one(account, &fresh->all[i], base, &group);
    /* a disk that is full keeps none: the answer that was asked for is given all the same */
    (void)index_commit(&account->index, &group, true, false);
}

void fresh_flush(struct postern_account *account)
{
    if (!account->fresh)
        return;
    if (index_lock(&account->index, false) == 0) {
        fresh_store(account, account->fresh);
        index_unlock(&account->index);
    }
    fresh_free(account);
}

/* keep - with the mutex. */
static void keep(struct postern_account *account, uint64_t id, uint32_t uid,
                 struct postern_span block)
{
    const struct index_mailbox *rows = index_mailbox_of(&account->index, id);
    struct postern_mime_facts facts;
    struct fresh *fresh;

    if (!account->fresh) {
        account->fresh = calloc(1, sizeof *account->fresh);
        if (account->fresh)
            account->fresh->records.plain = true;
    }
    fresh = account->fresh;
    if (rows)
        signature_note(account_kept(account, id), mailbox_place(rows, uid), uid, block);
    if (!fresh || !rows || account->index.read_only || block.n > FRESH_BYTES)
        return;
    postern_mime_facts(block, &facts);
    fresh->all[fresh->count++] =
        (struct fresh_one){.id = id,
                           .at = cache_record(&fresh->records, rows, uid, block),
                           .uid = uid,
                           .scan = {.size_raw = facts.size_raw,
                                    .size_wire = facts.size_wire,
                                    .wire_clean = facts.wire_clean,
                                    .utf8_header = facts.utf8_header}};
    if (fresh->count == FRESH_MAX || buffer_length(&fresh->records) > FRESH_BYTES)
        fresh_flush(account);
}

/* is_quick - a small message is parsed sooner than a worker would have begun to; but what waits is
 * stored by one who may wait. */
static bool is_quick(const struct postern_account *account, const struct index_row *row)
{
    const struct fresh *fresh = account->fresh;

    return row && row->size_raw <= QUICK_BYTES &&
           (!fresh || (fresh->count + 1 < FRESH_MAX &&
                       buffer_length(&fresh->records) + QUICK_BYTES < FRESH_BYTES));
}

/* find_parsed - in the cache; else its file, for parsing. With the mutex. */
static int find_parsed(struct postern_mailbox *mailbox, uint32_t uid, unsigned flags, int *fd_r,
                       struct stat *facts_r, struct postern_span *block_r)
{
    struct postern_account *account = mailbox->account;
    struct index_mailbox *rows = index_mailbox_of(&account->index, mailbox->id);
    size_t place = rows ? mailbox_place(rows, uid) : 0;
    const struct index_row *row =
        rows && place < mailbox_rows(rows) ? mailbox_row(rows, place) : NULL;

    *fd_r = -1;
    if (row && (row->uid != uid || row->bits & ROW_GONE))
        row = NULL;
    /* the row's own checksum can wait: a record tells whose it is, and whether it is whole */
    if (row && cache_read(&account->index, rows, row, block_r) == 0) {
        signature_note(account_kept(account, mailbox->id), place, uid, *block_r);
        return 0;
    }
    if (flags & POSTERN_STORE_NO_WAIT && !is_quick(account, row))
        return POSTERN_E_AGAIN;
    *fd_r = message_open(mailbox, uid, facts_r);
    return *fd_r < 0 ? *fd_r : 0;
}

int folder_structure(struct postern_mailbox *mailbox, uint32_t uid, unsigned flags,
                     struct postern_span *block_r)
{
    struct postern_account *account = mailbox->account;
    struct postern_content content = {.fd = -1};
    struct stat facts;
    int err = account_take(account, flags);

    if (err)
        return err;
    err = find_parsed(mailbox, uid, flags, &content.fd, &facts, block_r);
    account_leave(account);
    if (err || content.fd < 0)
        return err;
    err = structure_of(&content, folder_read, (uint64_t)facts.st_size, block_r);
    close(content.fd);
    /* a file that may be edited is another message tomorrow */
    if (err || account->store->kind->mutable_files)
        return err;
    pthread_mutex_lock(&account->mutex);
    keep(account, mailbox->id, uid, *block_r);
    account_leave(account);
    return 0;
}

/* ---- several --------------------------------------------------------------------------------- */

/* row_behind - the live row of a UID, which is likely the next; *place: of the last. NULL. */
static const struct index_row *row_behind(const struct index_mailbox *rows, size_t *place,
                                          uint32_t uid)
{
    if (*place >= mailbox_rows(rows) || mailbox_row(rows, *place)->uid != uid)
        *place = mailbox_place(rows, uid);
    if (*place >= mailbox_rows(rows))
        return NULL;
    return mailbox_row(rows, *place)->uid == uid && !(mailbox_row(rows, *place)->bits & ROW_GONE)
               ? mailbox_row(rows, (*place)++)
               : NULL;
}

/* window_of - how many octets of the cache are worth to be read at once: the records of these
 * messages stand one behind the other if they were asked for in this order. */
static size_t window_of(const struct index_mailbox *rows, const uint32_t *uids, size_t count,
                        size_t size, uint64_t *offset_r)
{
    size_t place = 0;
    const struct index_row *row = row_behind(rows, &place, uids[0]);
    uint64_t first = row ? row->block : 0, last = first;

    if (first == 0)
        return 0;
    for (size_t i = 1; i < count && last - first + RECORD_BYTES < size; i++) {
        row = row_behind(rows, &place, uids[i]);
        if (!row || row->block < last || row->block - last > GAP_BYTES)
            break;
        last = row->block;
    }
    *offset_r = first;
    return last - first + RECORD_BYTES < size ? (size_t)(last - first) + RECORD_BYTES : size;
}

int folder_structures(struct postern_mailbox *mailbox, const uint32_t *uids, size_t count,
                      unsigned flags, char *room, size_t size, struct postern_structure *all_r)
{
    struct postern_account *account = mailbox->account;
    const struct index_mailbox *rows;
    struct postern_span window = {room, 0};
    const struct kept *kept;
    size_t place = 0, n = 0;
    uint64_t offset;
    int err = account_take(account, flags);

    if (err)
        return err;
    rows = index_mailbox_of(&account->index, mailbox->id);
    kept = account_kept(account, mailbox->id);
    if (rows && count)
        window.n = window_of(rows, uids, count, size, &offset);
    if (window.n)
        window.n = cache_window(&account->index, offset, room, window.n);
    while (n < count && window.n) {
        const struct index_row *row = row_behind(rows, &place, uids[n]);

        all_r[n].uid = uids[n];
        all_r[n].block =
            row && row->block ? cache_find(rows, row, window, offset) : (struct postern_span){0};
        if (!all_r[n].block.p)
            break;
        signature_note(kept, place - 1, uids[n], all_r[n].block);
        n++;
    }
    account_leave(account);
    return (int)n;
}
