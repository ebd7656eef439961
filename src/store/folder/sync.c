/* SPDX-License-Identifier: MIT */
/* sync - the rows of a mailbox brought up to its files, when the folders have changed.
 *
 * Traps. The clock: a change within the same tick as the last look leaves the same change time, so
 * a time younger than two seconds is not trusted. The listing: a file renamed while a folder is
 * read may be missed, so one that is missing is looked for again. Our own renames: a crash may undo
 * one whose flags are in the index already (ROW_PENDING); then the index is right and the file is
 * renamed again. */
#include "store/folder/sync.h"

#include "base/span.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define LISTINGS_MAX 3
#define LOOK_EVERY_MS 1000

static int change_times(struct postern_account *account, const struct index_mailbox *mailbox,
                        struct index_time times_r[FOLDER_SUBS])
{
    const struct folder_kind *kind = account->store->kind;
    char path[FOLDER_PATH_BYTES];
    struct stat facts;

    for (unsigned i = 0; i < kind->sub_count; i++) {
        if (!path_beneath(account, mailbox, i, (struct postern_span){0}, path))
            return POSTERN_E_TOO_LONG;
        if (fstatat(account->base, path, &facts, AT_SYMLINK_NOFOLLOW) < 0)
            return folder_error(errno);
        times_r[i] = folder_time(&facts);
    }
    return 0;
}

static bool same_times(const struct folder_kind *kind, const struct index_time *a,
                       const struct index_time *b)
{
    for (unsigned i = 0; i < kind->sub_count; i++)
        if (!time_is_same(a[i], b[i]))
            return false;
    return true;
}

void row_write(struct buffer *group, uint64_t id, struct index_row *row, struct postern_span name,
               struct postern_span unique)
{
    row->name_n = (uint8_t)name.n;
    row->unique_n = (uint8_t)unique.n;
    row->crc = index_crc(row_crc(row, name), unique); /* as of both in one */
    group_row(group, id, row, name, unique);
}

/* ---- comparing ------------------------------------------------------------------------------- */

static bool is_renamed(const struct sync *sync, const struct index_row *row,
                       const struct found *found)
{
    return found->sub != row_sub(row) ||
           !span_equal(row_name(sync->mailbox, row), found_name(&sync->listing, found));
}

/* is_edited - a file that people may write in does not hold what the row says. */
static bool is_edited(struct sync *sync, const struct index_row *row, const struct found *found)
{
    struct stat facts;

    if (!sync->account->store->kind->mutable_files && !(row->bits & ROW_UNREADABLE))
        return false;
    if (fstatat(place_sub(&sync->place, found->sub), found_name(&sync->listing, found).p, &facts,
                AT_SYMLINK_NOFOLLOW) < 0)
        return false;
    if (row->bits & ROW_UNREADABLE)
        return S_ISREG(facts.st_mode);
    return (uint64_t)facts.st_size != row->size_raw || facts.st_mtim.tv_sec != row->date_s ||
           (uint32_t)facts.st_mtim.tv_nsec != row->mtime_ns;
}

/* match - rows and files that belong together; how many things differ. */
static int match(struct sync *sync, size_t *different_r)
{
    const struct folder_kind *kind = sync->account->store->kind;
    struct index_mailbox *mailbox = sync->mailbox;
    size_t rows = mailbox_rows(mailbox), matched = 0, different = 0;

    free(sync->missing);
    sync->missing = malloc((rows + 1) * sizeof *sync->missing);
    sync->missing_count = 0;
    if (!sync->met)
        sync->met = calloc(rows + 1, sizeof *sync->met);
    if (!sync->missing || !sync->met)
        return POSTERN_E_NOMEM;
    for (size_t i = 0; i < rows; i++) {
        const struct index_row *row = mailbox_row(mailbox, i);
        struct found *found;

        if (row->bits & ROW_GONE)
            continue;
        if (!row_is_whole(mailbox, row))
            return POSTERN_E_CORRUPT;
        found = listing_find(&sync->listing, kind->key_of(row_name(mailbox, row)));
        if (!found || found->place) {
            sync->missing[sync->missing_count++] = (uint32_t)i;
            continue;
        }
        found->place = (uint32_t)i + 1;
        sync->met[i] = true;
        matched++;
        different += is_renamed(sync, row, found) || is_edited(sync, row, found);
    }
    *different_r = different + sync->missing_count + (sync->listing.count - matched);
    return 0;
}

/* spare_met - what any listing had is not missing, though the last one passed it by: it was moved
 * meanwhile, or is gone now. The next look tells, so the times of this one are worth nothing. */
static void spare_met(struct sync *sync, size_t *different)
{
    size_t kept = 0;

    for (size_t i = 0; i < sync->missing_count; i++)
        if (!sync->met[sync->missing[i]])
            sync->missing[kept++] = sync->missing[i];
    if (kept == sync->missing_count)
        return;
    *different -= sync->missing_count - kept;
    sync->missing_count = kept;
    for (unsigned i = 0; i < FOLDER_SUBS; i++)
        sync->times[i] = (struct index_time){0, -1};
}

/* look - list and match, again while something is missing that may only have been moved. */
static int look(struct sync *sync, size_t *different_r)
{
    struct index_time after[FOLDER_SUBS];
    int err = 0;

    for (unsigned tries = 0; tries < LISTINGS_MAX; tries++) {
        listing_done(&sync->listing);
        err = change_times(sync->account, sync->mailbox, sync->times);
        if (!err)
            err = listing_read(&sync->listing, &sync->place);
        if (!err)
            err = match(sync, different_r);
        if (!err)
            err = change_times(sync->account, sync->mailbox, after);
        if (err || sync->missing_count == 0)
            return err;
        if (same_times(sync->account->store->kind, sync->times, after) &&
            time_settled(after[0]).ns >= 0 && time_settled(after[1]).ns >= 0)
            return 0;
    }
    spare_met(sync, different_r);
    return err;
}

/* ---- writing --------------------------------------------------------------------------------- */

static void write_missing(struct sync *sync)
{
    for (size_t i = 0; i < sync->missing_count; i++) {
        struct postern_uid_range range;
        size_t first = i;

        while (i + 1 < sync->missing_count && sync->missing[i + 1] == sync->missing[i] + 1)
            i++;
        range.first = mailbox_row(sync->mailbox, sync->missing[first])->uid;
        range.last = mailbox_row(sync->mailbox, sync->missing[i])->uid;
        group_expunge(&sync->group, sync->facts.id, range, sync->modseq, true);
    }
}

/* put_back - rename a file as its row says. */
static void put_back(struct sync *sync, const struct index_row *row, const struct found *found)
{
    char to[FOLDER_NAME_BYTES];
    struct postern_span name = row_name(sync->mailbox, row);

    memcpy(to, name.p, name.n);
    to[name.n] = '\0';
    (void)renameat2(place_sub(&sync->place, found->sub), found_name(&sync->listing, found).p,
                    place_sub(&sync->place, row_sub(row)), to, RENAME_NOREPLACE);
}

static void write_renamed(struct sync *sync, const struct index_row *old, const struct found *found)
{
    struct postern_span name = found_name(&sync->listing, found);
    struct index_row row = *old;
    struct file_facts facts;

    sync->account->store->kind->read_name(name, &facts);
    if (old->bits & ROW_PENDING && old->may_be >> facts.flags & 1) {
        put_back(sync, old, found);
        return;
    }
    row.bits &= (uint16_t) ~(ROW_SECOND_SUB | ROW_PENDING);
    row.may_be = 0;
    if (found->sub)
        row.bits |= ROW_SECOND_SUB;
    if (facts.has_flags) {
        row.bits = (uint16_t)((row.bits & ~POSTERN_FLAGS_ALL) | facts.flags);
        row.keywords = letters_to_keywords(&sync->place, sync->mailbox, facts.letters, row.keywords,
                                           &sync->maker);
    }
    if ((row.bits ^ old->bits) & POSTERN_FLAGS_ALL || row.keywords != old->keywords)
        row.modseq = sync->modseq;
    row_write(&sync->group, sync->facts.id, &row, name, row_unique(sync->mailbox, old));
}

/* write_edited - other octets are another message; one that could not be read until now is the
 * same. */
static void write_edited(struct sync *sync, const struct index_row *old, struct found *found)
{
    struct postern_span name = found_name(&sync->listing, found);
    struct index_row row = *old;
    struct file_facts facts;

    if (!(old->bits & ROW_UNREADABLE)) {
        group_expunge(&sync->group, sync->facts.id, (struct postern_uid_range){old->uid, old->uid},
                      sync->modseq, true);
        found->place = 0;
        return;
    }
    sync->account->store->kind->read_name(name, &facts);
    row.size_raw = facts.size_raw;
    row.size_wire = facts.size_wire;
    if (row_learn(sync->account, sync->mailbox, &row, name) < 0)
        return; /* the next look tries again */
    row.modseq = sync->modseq;
    if (!(row.bits & ROW_UNREADABLE))
        row_write(&sync->group, sync->facts.id, &row, name, row_unique(sync->mailbox, old));
}

static int write_all(struct sync *sync)
{
    int err;

    for (size_t i = 0; i < sync->listing.count; i++) {
        struct found *found = &sync->listing.all[i];
        const struct index_row *row =
            found->place ? mailbox_row(sync->mailbox, found->place - 1) : NULL;

        if (row && is_edited(sync, row, found))
            write_edited(sync, row, found);
        else if (row && is_renamed(sync, row, found))
            write_renamed(sync, row, found);
    }
    write_missing(sync);
    err = sync_newcomers(sync);
    for (unsigned i = 0; i < FOLDER_SUBS; i++)
        sync->facts.seen[i] = time_settled(sync->times[i]);
    sync->facts.adopt = 0;
    sync->facts.modseq = sync->modseq;
    group_facts(&sync->group, &sync->facts, sync->mailbox->name, sync->mailbox->dir);
    return err ? err : sync->group.error;
}

static int64_t monotonic_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void remember_times(struct sync *sync)
{
    struct kept *kept = account_kept(sync->account, sync->mailbox->facts.id);

    for (unsigned i = 0; kept && i < FOLDER_SUBS; i++) {
        kept->seen[i] = time_settled(sync->times[i]);
        kept->young[i] = sync->times[i];
    }
    if (!kept)
        return;
    kept->looked_ms = monotonic_ms();
    kept->looked_touches = sync->touches;
}

static void sync_done(struct sync *sync)
{
    listing_done(&sync->listing);
    buffer_done(&sync->group);
    buffer_done(&sync->maker.made);
    free(sync->missing);
    free(sync->met);
    place_close(&sync->place);
}

/* sync_once - look; and if something differs and `write`, commit it. */
static int sync_once(struct postern_account *account, uint64_t id, bool write, bool *different_r)
{
    struct index_mailbox *mailbox = index_mailbox_of(&account->index, id);
    struct sync sync = {.account = account,
                        .mailbox = mailbox,
                        .touches = atomic_load(&account->touches),
                        .group.plain = true};
    size_t different = 0;
    int err = 0;

    if (!mailbox || !mailbox->facts.exists)
        return POSTERN_E_NOT_FOUND;
    sync.place = (struct place){.base = -1, .subs = {-1, -1}, .staging = -1};
    sync.maker.group = &sync.group;
    sync.facts = mailbox->facts;
    sync.modseq = mailbox->facts.modseq + 1;
    if (write)
        err = account_tidy(account, mailbox);
    if (!err)
        err = place_open(&sync.place, account, mailbox);
    if (!err)
        err = look(&sync, &different);
    *different_r = different > 0 || mailbox->facts.adopt || mailbox->facts.uid_validity == 0;
    if (!err && write && *different_r) {
        err = write_all(&sync);
        if (!err)
            err = index_commit(&account->index, &sync.group, true, true);
        if (!err)
            watch_news(account, id);
    }
    if (!err)
        remember_times(&sync);
    sync_done(&sync);
    return err;
}

/* are_known - a time that is younger than two seconds may hide a second change in the same tick. It
 * is believed for a second all the same: whoever changes flags one by one must not have the folder
 * listed for each, and the look that follows finds what was hidden. */
static bool are_known(struct postern_account *account, const struct index_mailbox *mailbox,
                      const struct index_time times[FOLDER_SUBS])
{
    const struct folder_kind *kind = account->store->kind;
    const struct kept *kept = account_kept(account, mailbox->facts.id);

    if (same_times(kind, times, mailbox->facts.seen) ||
        (kept && same_times(kind, times, kept->seen)))
        return true;
    return kept && same_times(kind, times, kept->young) &&
           kept->looked_touches == atomic_load(&account->touches) &&
           monotonic_ms() - kept->looked_ms < LOOK_EVERY_MS;
}

bool own_begin(struct postern_account *account, uint64_t id)
{
    const struct index_mailbox *mailbox = index_mailbox_of(&account->index, id);
    struct index_time times[FOLDER_SUBS] = {{0, 0}, {0, 0}};

    return mailbox && change_times(account, mailbox, times) == 0 &&
           are_known(account, mailbox, times);
}

void own_end(struct postern_account *account, uint64_t id, bool known)
{
    const struct index_mailbox *mailbox = index_mailbox_of(&account->index, id);
    struct kept *kept = account_kept(account, id);

    if (known && mailbox && kept)
        (void)change_times(account, mailbox, kept->young); /* else the next look finds out */
}

static bool needs_look(struct postern_account *account, const struct index_mailbox *mailbox,
                       const struct index_time times[FOLDER_SUBS])
{
    if (account->store->kind->mutable_files || mailbox->facts.adopt ||
        mailbox->facts.uid_validity == 0 || buffer_length(&mailbox->doomed))
        return true;
    return !are_known(account, mailbox, times);
}

/* sync_locked - the same as the only writer: the index may be another one by then. */
static int sync_locked(struct postern_account *account, uint64_t id)
{
    bool had_lock = account->index.lock >= 0, different;
    int err = had_lock ? 0 : index_lock(&account->index, true);

    if (err)
        return err;
    err = sync_once(account, id, true, &different);
    if (err == POSTERN_E_CORRUPT && !had_lock) {
        /* a row failed its checksum: let go and lock again, which mends */
        index_unlock(&account->index);
        err = index_lock(&account->index, true);
        if (!err)
            err = sync_once(account, id, true, &different);
    }
    if (!had_lock)
        index_unlock(&account->index);
    return err;
}

int mailbox_sync(struct postern_account *account, uint64_t id, unsigned flags, bool always)
{
    const struct index_mailbox *mailbox = index_mailbox_of(&account->index, id);
    struct index_time times[FOLDER_SUBS] = {{0, 0}, {0, 0}};
    bool different = false;
    int err;

    if (!mailbox || !mailbox->facts.exists)
        return mailbox && flags & POSTERN_STORE_NO_WAIT ? POSTERN_E_AGAIN : POSTERN_E_NOT_FOUND;
    err = change_times(account, mailbox, times);
    if (err || (!always && !needs_look(account, mailbox, times)))
        return err;
    if (flags & POSTERN_STORE_NO_WAIT)
        return POSTERN_E_AGAIN;
    err = sync_once(account, id, false, &different);
    if (err == POSTERN_E_CORRUPT || (!err && different))
        err = sync_locked(account, id);
    return err;
}
