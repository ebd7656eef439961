/* SPDX-License-Identifier: MIT */
/* metadata - annotations in a file of the account, beside the index: a mark, a checksum, the
 * records. Each change writes it anew and renames: whoever reads sees the one or the other. What
 * cannot be made out is told as damaged and not written over. */
#include "store/metadata.h"

#include "base/span.h"
#include "store/folder/folder.h"
#include "store/quota.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "metadata"
#define FILE_NEW "metadata.new"
#define FILE_OLD "metadata.old"
#define MARK UINT64_C(0x316174656d747370) /* "pstmeta1" on a little-endian machine */

struct head {
    uint64_t mark, checksum;
};

static int read_all(int fd, struct buffer *out)
{
    for (;;) {
        char *room = buffer_room(out, 16384);
        ssize_t n = room ? read(fd, room, 16384) : -1;

        if (!room)
            return POSTERN_E_NOMEM;
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? POSTERN_E_IO : 0;
        buffer_commit(out, (size_t)n);
        if (buffer_length(out) > METADATA_BYTES_MAX * 2)
            return POSTERN_E_CORRUPT;
    }
}

/* load - the records; none when there is no file yet. */
static int load(const struct postern_account *account, struct buffer *records)
{
    int fd =
        account->dir < 0 ? -1 : openat(account->dir, FILE_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    struct head head;
    int err;

    if (fd < 0)
        return account->dir < 0 || errno == ENOENT ? 0 : folder_error(errno);
    err = read_all(fd, records);
    close(fd);
    if (err)
        return err;
    if (buffer_length(records) < sizeof head)
        return POSTERN_E_CORRUPT;
    memcpy(&head, buffer_span(records).p, sizeof head);
    buffer_take(records, sizeof head);
    return head.mark == MARK && head.checksum == span_hash(buffer_span(records))
               ? 0
               : POSTERN_E_CORRUPT;
}

/* exchange - the new file for the old; what cannot be made to last is taken back. */
static int exchange(int dir)
{
    bool had_old;
    int err = 0;

    unlinkat(dir, FILE_OLD, 0);
    had_old = linkat(dir, FILE_NAME, dir, FILE_OLD, 0) == 0;
    if (!had_old && errno != ENOENT)
        return folder_error(errno);
    if (renameat(dir, FILE_NEW, dir, FILE_NAME) < 0)
        err = folder_error(errno);
    else if ((err = folder_sync(dir)) < 0 && had_old)
        (void)renameat(dir, FILE_OLD, dir, FILE_NAME);
    else if (err < 0)
        unlinkat(dir, FILE_NAME, 0);
    unlinkat(dir, FILE_OLD, 0);
    return err;
}

static int save(struct postern_account *account, struct postern_span records)
{
    struct head head = {MARK, span_hash(records)};
    int fd, err;

    if (account->dir < 0)
        return POSTERN_E_READ_ONLY;
    account->limits_inode = 0;
    fd =
        openat(account->dir, FILE_NEW, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return folder_error(errno);
    err = folder_write_all(fd, span_make((const char *)&head, sizeof head));
    if (!err)
        err = folder_write_all(fd, records);
    if (!err)
        err = folder_sync(fd);
    if (close(fd) < 0 && !err)
        err = POSTERN_E_IO;
    if (!err)
        err = exchange(account->dir);
    if (err)
        unlinkat(account->dir, FILE_NEW, 0);
    return err;
}

void account_limits(struct postern_account *account, struct postern_quota *limits)
{
    struct buffer records = {0};
    struct stat facts;

    if (account->dir < 0 || fstatat(account->dir, FILE_NAME, &facts, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    if (account->limits_inode != facts.st_ino || account->limits_of.s != facts.st_mtim.tv_sec ||
        account->limits_of.ns != facts.st_mtim.tv_nsec) {
        account->has_limits =
            load(account, &records) == 0 && quota_read(buffer_span(&records), &account->limits);
        account->limits_inode = facts.st_ino;
        account->limits_of = (struct index_time){facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec};
        buffer_done(&records);
    }
    if (!account->has_limits)
        return;
    limits->bytes_max = account->limits.bytes_max;
    limits->messages_max = account->limits.messages_max;
}

/* check - the mailbox is there; "" is the account. With its lock. */
static int check(struct postern_account *account, struct postern_span *mailbox)
{
    const struct index_mailbox *rows;
    int err = mailbox->n ? name_check(mailbox) : 0;

    if (err || mailbox->n == 0)
        return err;
    err = account_discover(account);
    rows = err ? NULL : index_mailbox_named(&account->index, *mailbox);
    return err ? err : rows && rows->facts.exists ? 0 : POSTERN_E_NOT_FOUND;
}

int folder_metadata(struct postern_account *account, struct postern_span mailbox,
                    int (*each)(void *ctx, const struct postern_metadata *one), void *ctx)
{
    struct buffer records = {0};
    int err = account_enter(account, 0);

    if (err)
        return err;
    err = check(account, &mailbox);
    if (!err)
        err = load(account, &records);
    account_leave(account);
    if (!err)
        err = metadata_each(buffer_span(&records), mailbox, each, ctx);
    buffer_done(&records);
    return err;
}

int folder_set_metadata(struct postern_account *account, struct postern_span mailbox,
                        const struct postern_metadata *changes, size_t count)
{
    struct buffer before = {0}, after = {0};
    int err = account_enter_lock(account, 0);

    if (err)
        return err;
    err = check(account, &mailbox);
    if (!err)
        err = load(account, &before);
    if (!err)
        err = metadata_change(buffer_span(&before), mailbox, changes, count, &after);
    if (!err && !span_equal(buffer_span(&before), buffer_span(&after)))
        err = save(account, buffer_span(&after));
    account_leave(account);
    buffer_done(&before);
    buffer_done(&after);
    return err;
}

void folder_move_metadata(struct postern_account *account, struct postern_span from,
                          struct postern_span to)
{
    struct buffer before = {0}, after = {0};

    if (load(account, &before) == 0 && metadata_move(buffer_span(&before), from, to, &after) == 0 &&
        !span_equal(buffer_span(&before), buffer_span(&after)))
        (void)save(account, buffer_span(&after));
    buffer_done(&before);
    buffer_done(&after);
}
