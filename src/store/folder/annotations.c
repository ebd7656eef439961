/* SPDX-License-Identifier: MIT */
/* annotations - metadata and access rights in a file of the account, beside the index: a mark, a
 * checksum, the records. Each change writes it anew and renames: whoever reads sees the one or the
 * other. What cannot be made out is told as damaged and not written over. */
#include "store/folder/annotations.h"
#include "store/metadata.h"

#include "base/span.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

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

int annotations_load_from(int dir, const char *name, struct buffer *records)
{
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    struct head head;
    int err;

    if (fd < 0)
        return errno == ENOENT ? 0 : folder_error(errno);
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

int annotations_load(const struct postern_account *account, struct buffer *records)
{
    return account->dir < 0 ? 0 : annotations_load_from(account->dir, ANNOTATIONS_FILE, records);
}

/* exchange - the new file for the old; what cannot be made to last is taken back. */
static int exchange(int dir)
{
    bool had_old;
    int err = 0;

    unlinkat(dir, FILE_OLD, 0);
    had_old = linkat(dir, ANNOTATIONS_FILE, dir, FILE_OLD, 0) == 0;
    if (!had_old && errno != ENOENT)
        return folder_error(errno);
    if (renameat(dir, FILE_NEW, dir, ANNOTATIONS_FILE) < 0)
        err = folder_error(errno);
    else if ((err = folder_sync(dir)) < 0 && had_old)
        (void)renameat(dir, FILE_OLD, dir, ANNOTATIONS_FILE);
    else if (err < 0)
        unlinkat(dir, ANNOTATIONS_FILE, 0);
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

void annotations_stamp(const struct postern_account *account, struct postern_status *all,
                       size_t count)
{
    struct buffer records = {0};

    if (annotations_load(account, &records) == 0)
        for (size_t i = 0; buffer_length(&records) && i < count; i++)
            all[i].annotations = metadata_stamp(buffer_span(&records), all[i].name);
    buffer_done(&records);
}

bool annotations_is_level(const struct postern_account *account, struct postern_span name)
{
    for (size_t i = 0; i < account->index.count; i++) {
        const struct index_mailbox *one = account->index.mailboxes[i];

        if (one->facts.exists && name_is_below(one->name, name))
            return true;
    }
    return false;
}

/* check - the mailbox is there; "" is the account. With its lock. */
static int check(struct postern_account *account, struct postern_span *mailbox, bool or_level)
{
    int err = mailbox->n ? name_check(mailbox) : 0;

    if (err || mailbox->n == 0)
        return err;
    err = account_discover(account);
    if (err || mailbox_existing(account, *mailbox))
        return err;
    return or_level && annotations_is_level(account, *mailbox) ? 0 : POSTERN_E_NOT_FOUND;
}

int annotations_look(struct postern_account *account, struct postern_span *mailbox, bool or_level,
                     struct buffer *records)
{
    int err = account_enter(account, 0);

    if (err)
        return err;
    err = check(account, mailbox, or_level);
    if (!err)
        err = annotations_load(account, records);
    account_leave(account);
    return err;
}

int annotations_save_changed(struct postern_account *account, const struct buffer *before,
                             const struct buffer *after)
{
    if (span_equal(buffer_span(before), buffer_span(after)))
        return 0;
    return save(account, buffer_span(after));
}

int annotations_change_begin(struct postern_account *account, struct postern_span *mailbox,
                             bool or_level, struct buffer *before)
{
    int err = account_enter_lock(account, 0);

    if (err)
        return err;
    err = check(account, mailbox, or_level);
    if (!err)
        err = annotations_load(account, before);
    if (err)
        account_leave(account);
    return err;
}

int annotations_change_end(struct postern_account *account, struct postern_span mailbox,
                           struct buffer *before, struct buffer *after, int err)
{
    const struct index_mailbox *rows = index_mailbox_named(&account->index, mailbox);

    if (!err)
        err = annotations_save_changed(account, before, after);
    if (!err && rows)
        watch_news(account, rows->facts.id);
    account_leave(account);
    buffer_done(before);
    buffer_done(after);
    return err;
}
