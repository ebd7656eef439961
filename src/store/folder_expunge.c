/* SPDX-License-Identifier: MIT */
/* folder_expunge - deletes a set of files, all or none, also across a crash.
 *
 * The problem: unlink() takes one file at a time, and a process can die between two. The order:
 *   1. write all names to a journal in the staging folder, with a checksum at the end; sync it;
 *   2. rename it to JOURNAL and sync the folder: from here on the set is deleted;
 *   3. unlink the files; sync their folders; remove the journal.
 * Whoever opens the mailbox next and finds JOURNAL does step 3 again, which harms nothing: a name
 * that is gone stays gone, and names are never used twice. A journal whose checksum is wrong cannot
 * come from step 2 and is removed.
 *
 * When something fails before the rename, nothing is deleted and the caller is told so. When the
 * sync after the rename fails, the journal is taken back and the answer is "none were"; nothing was
 * unlinked, so that is true unless the power fails too before that reaches the disk, and then all
 * are deleted: never half. A journal that cannot be taken back will be carried out by whoever comes
 * next, so it is carried out at once.
 *
 * A failure in step 3 is no failure of the set: the journal stays and the next look goes on. Until
 * then the names in it are not listed (folder_recover runs before every listing), except to one who
 * looks without the lock while another holds it: the journal is that other's work, who may still
 * take it back. */
#include "store/folder.h"

#include "base/buffer.h"
#include "base/span.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define JOURNAL ".postern.expunge"
#define JOURNAL_NEW ".postern.expunge.new"
#define JOURNAL_MAX (256u << 20)
#define RENAMES_MAX 8 /* of one file while it is being deleted */

int folder_write_all(int fd, struct postern_span bytes)
{
    while (bytes.n) {
        ssize_t n = write(fd, bytes.p, bytes.n);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? folder_error(errno) : POSTERN_E_IO;
        bytes = span_from(bytes, (size_t)n);
    }
    return 0;
}

/* the journal: a line "SUB NAME" each, NUL instead of a line end (a name may hold one), then the
 * checksum */
static void journal_row(struct buffer *journal, const struct row *row)
{
    buffer_append_char(journal, (char)('0' + row->sub));
    buffer_append_text(journal, row->name);
    buffer_append_char(journal, '\0');
}

static int journal_write(struct folder *folder, struct buffer *journal)
{
    uint64_t sum = span_hash(buffer_span(journal));
    int staging = folder_staging(folder), fd, err;

    buffer_append_char(journal, '=');
    buffer_append_number(journal, sum);
    buffer_append_char(journal, '\0');
    if (journal->error || staging < 0)
        return journal->error ? journal->error : staging;
    if (buffer_length(journal) > JOURNAL_MAX)
        return POSTERN_E_TOO_LONG; /* it could not be read again */
    fd = openat(staging, JOURNAL_NEW, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return folder_error(errno);
    err = folder_write_all(fd, buffer_span(journal));
    if (!err)
        err = folder_sync(fd);
    if (close(fd) < 0 && !err)
        err = POSTERN_E_IO;
    if (!err && renameat(staging, JOURNAL_NEW, staging, JOURNAL) < 0)
        err = folder_error(errno);
    if (err) {
        unlinkat(staging, JOURNAL_NEW, 0);
        unlinkat(staging, JOURNAL, 0); /* there was none: so says folder_recover() */
    }
    return err;
}

/* commit - make the journal's name durable, or take it back; 0: the set is deleted. */
static int commit(struct folder *folder)
{
    int staging = folder_staging(folder), err = folder_sync(staging);

    if (!err || unlinkat(staging, JOURNAL, 0) < 0)
        return 0;
    (void)!folder_sync(staging);
    return err;
}

/* row_now - where the file with this key is now, when the listing has it under a name that is gone.
 * NULL: there is none, or err_r. */
static const struct row *row_now(struct folder *folder, struct postern_span key, const char *gone,
                                 int *err_r)
{
    const struct row *row = folder_row_of_key(folder, key);

    if (!row || strcmp(row->name, gone) != 0)
        return row;
    *err_r = folder_scan(folder, true);
    return *err_r < 0 ? NULL : folder_row_of_key(folder, key);
}

/* unlink_named - one file of the set, also when its flags have changed since (another program
 * renamed it), or change while we look. A folder of that name is not the message. */
static int unlink_named(struct folder *folder, unsigned sub, const char *name)
{
    struct postern_span key = folder->store->kind->key_of(postern_span_of(name));
    char gone[NAME_MAX + 1];
    int err = 0;

    for (int i = 0; i < RENAMES_MAX; i++) {
        int fd = folder_sub(folder, sub);
        const struct row *row;

        if (fd < 0)
            return fd;
        if (unlinkat(fd, name, 0) == 0 || errno == EISDIR || errno == ENAMETOOLONG)
            return 0;
        if (errno != ENOENT)
            return folder_error(errno);
        snprintf(gone, sizeof gone, "%s", name); /* a scan frees the names of the last one */
        row = row_now(folder, key, gone, &err);
        if (!row)
            return err;
        sub = row->sub;
        name = row->name;
    }
    return POSTERN_E_IO; /* somebody is quicker than we: at the next look */
}

static int sync_sub(struct folder *folder, unsigned sub)
{
    int fd = folder_sub(folder, sub);

    return fd < 0 ? fd : folder_sync(fd);
}

/* carry_out - unlink all that the journal names, then the journal. */
static int carry_out(struct folder *folder, struct postern_span journal)
{
    int err = 0, one;

    while (journal.n && journal.p[0] != '=') {
        struct postern_span line = span_cut(&journal, '\0');
        unsigned sub = (unsigned)(line.p[0] - '0');

        if (sub >= folder->store->kind->sub_count || memchr(line.p, '/', line.n))
            continue; /* not of our writing: a name leads nowhere but into its folder */
        one = unlink_named(folder, sub, line.p + 1);
        err = one < 0 ? one : err;
    }
    for (unsigned i = 0; !err && i < folder->store->kind->sub_count; i++)
        err = sync_sub(folder, i);
    if (!err && unlinkat(folder_staging(folder), JOURNAL, 0) < 0 && errno != ENOENT)
        err = folder_error(errno);
    return err;
}

static int journal_read(int fd, struct buffer *journal)
{
    for (;;) {
        char *room = buffer_room(journal, 65536);
        ssize_t n = room ? read(fd, room, 65536) : 0;

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || buffer_length(journal) > JOURNAL_MAX)
            return n < 0 ? POSTERN_E_IO : journal->error;
        buffer_commit(journal, (size_t)n);
    }
}

/* journal_is_whole - it ends with its own checksum. */
static bool journal_is_whole(struct postern_span journal)
{
    size_t at = journal.n;
    struct postern_span sum;
    uint64_t number;

    if (journal.n < 3 || journal.p[journal.n - 1] != '\0')
        return false;
    for (at = journal.n - 1; at > 0 && journal.p[at - 1] != '\0'; at--)
        continue;
    sum = span_make(journal.p + at, journal.n - at - 1);
    return sum.n > 1 && sum.p[0] == '=' && span_number(span_from(sum, 1), UINT64_MAX, &number) &&
           number == span_hash(span_make(journal.p, at));
}

/* A look, without opening anything: it comes with every login. */
static bool journal_exists(const struct folder *folder)
{
    char path[64];
    struct stat facts;

    snprintf(path, sizeof path, "%s/%s", folder->store->kind->staging, JOURNAL);
    return fstatat(folder->base, path, &facts, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

/* carry_on - the same, and the listing after it; until that works, none. */
static int carry_on(struct folder *folder, struct postern_span journal)
{
    int err = carry_out(folder, journal);

    if (!err)
        err = folder_scan(folder, true);
    folder->stale = folder->stale || err;
    return err;
}

/* finish - do what the journal says, if it is there. */
static int finish(struct folder *folder)
{
    struct buffer journal = {0};
    int staging = folder_staging(folder), fd, err;

    if (staging == POSTERN_E_NOT_FOUND || staging == POSTERN_E_DENIED)
        return 0; /* so nothing was ever begun here */
    if (staging < 0)
        return staging;
    fd = openat(staging, JOURNAL, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : folder_error(errno);
    err = journal_read(fd, &journal);
    close(fd);
    if (!err && !journal_is_whole(buffer_span(&journal)))
        err = unlinkat(staging, JOURNAL, 0) < 0 ? folder_error(errno) : 0;
    else if (!err) {
        err = folder_scan(folder, true); /* names may have changed since */
        if (!err)
            err = carry_on(folder, buffer_span(&journal));
    }
    buffer_done(&journal);
    return err;
}

int folder_recover(struct postern_mailbox *mailbox)
{
    struct folder *folder = mailbox->folder;
    int lock = -1, err;

    if (!journal_exists(folder))
        return 0;
    if (mailbox->lock_fd < 0) {
        lock = folder_lock_take(folder);
        if (lock < 0)
            return 0;
    }
    err = finish(folder);
    folder_fd_close(&lock);
    return err;
}

/* gather - the journal of those that exist; how many, or <0. */
static int gather(struct folder *folder, const struct postern_span *uids, size_t count,
                  struct buffer *journal)
{
    int found = 0, err = folder_scan(folder, true); /* names change with every flag that is set */

    if (err < 0)
        return err;
    for (size_t i = 0; i < count; i++) {
        const struct row *row = folder_row(folder, uids[i]);

        if (!row)
            continue; /* gone already: as good as deleted */
        journal_row(journal, row);
        found++;
    }
    return journal->error ? journal->error : found;
}

int folder_expunge(struct postern_mailbox *mailbox, const struct postern_span *uids, size_t count)
{
    struct folder *folder = mailbox->folder;
    struct buffer journal = {0};
    int err;

    folder_enter(folder);
    err = folder_staging(folder);
    if (err == POSTERN_E_NOT_FOUND)
        err = POSTERN_E_DENIED;
    if (err >= 0)
        err = finish(folder);
    if (!err)
        err = gather(folder, uids, count, &journal);
    if (err > 0) {
        err = journal_write(folder, &journal);
        if (!err)
            err = commit(folder);
        if (!err)
            (void)!carry_on(folder, buffer_span(&journal));
    }
    folder_leave(folder);
    buffer_done(&journal);
    return err < 0 ? err : 0;
}
