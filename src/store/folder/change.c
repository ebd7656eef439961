/* SPDX-License-Identifier: MIT */
/* change - flags and expunges: the index first, durably; the files after.
 *
 * A set of deletions is one group of the index: from then on they are gone, whatever happens. The
 * files are doomed, and removed by tidy(), or by whoever looks next. The names in the index of
 * changed flags are those that the files will have; ROW_PENDING tells that a crash may have left
 * the old one. */
#include "store/folder/folder.h"
#include "store/folder/sync.h"

#include "base/span.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct index_mailbox *rows_of(const struct postern_mailbox *mailbox)
{
    return index_mailbox_of(&mailbox->account->index, mailbox->id);
}

/* enter_to_change - the only writer, the rows as the files are now. */
static int enter_to_change(struct postern_mailbox *mailbox)
{
    int err = account_enter_lock(mailbox->account, 0);

    if (err)
        return err;
    err = mailbox_sync(mailbox->account, mailbox->id, 0, false);
    if (err)
        account_leave(mailbox->account);
    return err;
}

/* ---- flags ----------------------------------------------------------------------------------- */

/* struct flagging - a change of flags under way. */
struct flagging {
    struct postern_mailbox *mailbox;
    const struct postern_flags_change *change;
    struct place place;
    uint64_t modseq;
    struct buffer group;
    struct buffer renames; /* of files: old sub, its name; new sub, its name; NULs between */
};

/* change_row - whether it is another then. */
static bool change_row(const struct postern_flags_change *change, struct index_row *row)
{
    uint32_t flags = row->bits & POSTERN_FLAGS_ALL;

    if (!flags_changed(change, &flags, &row->keywords))
        return false;
    row->bits = (uint16_t)((row->bits & ~POSTERN_FLAGS_ALL) | flags);
    return true;
}

static void note_rename(struct buffer *renames, unsigned from, struct postern_span old, unsigned to,
                        const char *name)
{
    buffer_append_char(renames, (char)('0' + from));
    buffer_append(renames, old);
    buffer_append_char(renames, '\0');
    buffer_append_char(renames, (char)('0' + to));
    buffer_append_text(renames, name);
    buffer_append_char(renames, '\0');
}

/* rename_row - the name that the row's flags ask for; the rename itself comes later. */
static struct postern_span rename_row(struct flagging *flagging, const struct index_mailbox *rows,
                                      struct index_row *row, char name[FOLDER_NAME_BYTES])
{
    const struct folder_kind *kind = flagging->mailbox->account->store->kind;
    struct postern_span old = row_name(rows, row);
    struct file_facts facts;
    unsigned sub = row_sub(row);

    if (!kind->flag_name(old, row->bits & POSTERN_FLAGS_ALL,
                         keywords_to_letters(&flagging->place, rows, row->keywords), name,
                         FOLDER_NAME_BYTES))
        return old;
    if (sub == 1 && span_equal(postern_span_of(name), old))
        return old;
    kind->read_name(old, &facts);
    row->may_be |= UINT32_C(1) << facts.flags;
    row->bits |= ROW_PENDING | ROW_SECOND_SUB;
    note_rename(&flagging->renames, sub, old, 1, name);
    return postern_span_of(name);
}

/* flag_one - into the group. 0 done, 1 to be told as skipped. */
static int flag_one(struct flagging *flagging, uint32_t uid)
{
    struct index_mailbox *rows = rows_of(flagging->mailbox);
    const struct index_row *old = mailbox_find(rows, uid);
    char name[FOLDER_NAME_BYTES];
    struct index_row row;

    if (!old)
        return 0;
    if (flagging->change->conditional && old->modseq > flagging->change->unchanged_since)
        return 1;
    row = *old;
    if (!change_row(flagging->change, &row))
        return 0;
    row.modseq = flagging->modseq;
    row_write(&flagging->group, rows->facts.id, &row, rename_row(flagging, rows, &row, name),
              row_unique(rows, old));
    return 0;
}

/* rename_files - as the index says already. One that is gone or renamed by somebody else is found
 * by the next look. */
static void rename_files(struct flagging *flagging)
{
    struct postern_span rest = buffer_span(&flagging->renames);

    while (rest.n) {
        struct postern_span from = span_cut(&rest, '\0'), to = span_cut(&rest, '\0');

        (void)renameat2(place_sub(&flagging->place, (unsigned)(from.p[0] - '0')), from.p + 1,
                        place_sub(&flagging->place, (unsigned)(to.p[0] - '0')), to.p + 1,
                        RENAME_NOREPLACE);
    }
}

int folder_flags(struct postern_mailbox *mailbox, const uint32_t *uids, size_t count,
                 const struct postern_flags_change *change, uint32_t *skipped_r)
{
    struct flagging flagging = {.mailbox = mailbox, .change = change};
    uint32_t *each = uids_sorted(uids, &count);
    int err = each ? enter_to_change(mailbox) : POSTERN_E_NOMEM, skipped = 0;

    if (err) {
        free(each);
        return err;
    }
    flagging.modseq = rows_of(mailbox)->facts.modseq + 1;
    err = place_open(&flagging.place, mailbox->account, rows_of(mailbox));
    for (size_t i = 0; i < count && !err; i++)
        if (flag_one(&flagging, each[i])) {
            if (skipped_r)
                skipped_r[skipped] = each[i];
            skipped++;
        }
    if (!err && flagging.renames.error)
        err = POSTERN_E_NOMEM;
    if (!err && buffer_length(&flagging.group)) {
        err = index_commit(&mailbox->account->index, &flagging.group, true, false);
        if (!err) {
            bool known = own_begin(mailbox->account, mailbox->id);

            rename_files(&flagging);
            own_end(mailbox->account, mailbox->id, known);
            watch_news(mailbox->account, mailbox->id);
        }
    }
    place_close(&flagging.place);
    buffer_done(&flagging.group);
    buffer_done(&flagging.renames);
    account_leave(mailbox->account);
    free(each);
    return err ? err : skipped;
}

/* ---- expunging ------------------------------------------------------------------------------- */

size_t group_expunge_set(struct buffer *group, struct index_mailbox *rows, const uint32_t *uids,
                         size_t count, uint64_t modseq)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++) {
        struct postern_uid_range range = {uids[i], uids[i]};

        if (!mailbox_find(rows, uids[i]))
            continue;
        found++;
        while (i + 1 < count && uids[i + 1] == range.last + 1 && mailbox_find(rows, uids[i + 1])) {
            range.last = uids[++i];
            found++;
        }
        group_expunge(group, rows->facts.id, range, modseq, false);
    }
    return found;
}

int folder_expunge(struct postern_mailbox *mailbox, const uint32_t *uids, size_t count)
{
    struct buffer group = {0};
    uint32_t *each = uids_sorted(uids, &count);
    int err = each ? enter_to_change(mailbox) : POSTERN_E_NOMEM;
    struct index_mailbox *rows;

    if (err) {
        free(each);
        return err;
    }
    rows = rows_of(mailbox);
    group_expunge_set(&group, rows, each, count, rows->facts.modseq + 1);
    if (buffer_length(&group)) {
        err = index_commit(&mailbox->account->index, &group, true, true);
        if (!err)
            watch_news(mailbox->account, mailbox->id);
    }
    buffer_done(&group);
    account_leave(mailbox->account);
    free(each);
    return err;
}

/* ---- what is left over ----------------------------------------------------------------------- */

static bool remove_file(struct place *place, unsigned sub, struct postern_span name)
{
    char path[FOLDER_NAME_BYTES];

    memcpy(path, name.p, name.n);
    path[name.n] = '\0';
    return unlinkat(place_sub(place, sub), path, 0) == 0;
}

/* remove_renamed - doomed files that have got other names since. */
static int remove_renamed(struct place *place, const struct buffer *doomed)
{
    const struct folder_kind *kind = place->account->store->kind;
    struct listing listing;
    struct postern_span name;
    int err = listing_read(&listing, place);
    size_t at = 0;
    unsigned sub;

    while (!err && doomed_next(doomed, &at, &sub, &name)) {
        const struct found *found = listing_find(&listing, kind->key_of(name));

        if (found && !remove_file(place, found->sub, found_name(&listing, found)) &&
            errno != ENOENT)
            err = folder_error(errno);
    }
    listing_done(&listing);
    return err;
}

static int remove_doomed(struct place *place, const struct buffer *doomed)
{
    const struct folder_kind *kind = place->account->store->kind;
    struct postern_span name;
    bool missed = false;
    size_t at = 0;
    unsigned sub;
    int err = 0;

    while (doomed_next(doomed, &at, &sub, &name))
        if (!remove_file(place, sub, name)) {
            if (errno != ENOENT)
                return folder_error(errno);
            missed = true;
        }
    if (missed)
        err = remove_renamed(place, doomed);
    for (unsigned i = 0; i < kind->sub_count && !err; i++)
        err = place_sub(place, i) < 0
                  ? place_sub(place, i)
                  : folder_sync_mail(place->account->store, place_sub(place, i));
    return err;
}

int account_tidy(struct postern_account *account, struct index_mailbox *rows)
{
    struct buffer group = {0};
    struct place place;
    bool known;
    int err;

    if (buffer_length(&rows->doomed) == 0)
        return 0;
    err = place_open(&place, account, rows);
    known = own_begin(account, rows->facts.id);
    if (!err)
        err = remove_doomed(&place, &rows->doomed);
    own_end(account, rows->facts.id, known);
    if (!err) {
        group_clear(&group, rows->facts.id);
        err = index_commit(&account->index, &group, false, true);
    }
    buffer_done(&group);
    place_close(&place);
    return err;
}

/* settle_names - the folders with the names that flags gave are synced: no crash brings the old
 * ones back, and another name is somebody else's doing. */
static int settle_names(struct postern_account *account, struct index_mailbox *rows)
{
    struct buffer group = {0};
    struct place place;
    int err = rows->pending ? place_open(&place, account, rows) : 0;

    if (!rows->pending)
        return 0;
    for (unsigned i = 0; i < account->store->kind->sub_count && !err; i++)
        err = place_sub(&place, i) < 0 ? place_sub(&place, i)
                                       : folder_sync_mail(account->store, place_sub(&place, i));
    for (size_t i = 0; i < mailbox_rows(rows) && !err; i++) {
        struct index_row row = *mailbox_row(rows, i);

        if ((row.bits & (ROW_GONE | ROW_PENDING)) != ROW_PENDING)
            continue;
        row.bits &= (uint16_t)~ROW_PENDING;
        row.may_be = 0;
        row_write(&group, rows->facts.id, &row, row_name(rows, mailbox_row(rows, i)),
                  row_unique(rows, mailbox_row(rows, i)));
    }
    if (!err)
        err = index_commit(&account->index, &group, false, true);
    buffer_done(&group);
    place_close(&place);
    return err;
}

void folder_tidy(struct postern_mailbox *mailbox)
{
    struct index_mailbox *rows;

    if (account_enter(mailbox->account, 0) < 0)
        return;
    rows = rows_of(mailbox);
    if (rows && (buffer_length(&rows->doomed) || rows->pending) &&
        index_lock(&mailbox->account->index, true) == 0 && (rows = rows_of(mailbox))) {
        (void)account_tidy(mailbox->account, rows); /* not done, it is done with the next look */
        (void)settle_names(mailbox->account, rows);
    }
    account_leave(mailbox->account);
}
