/* SPDX-License-Identifier: MIT */
/* read - opening and reading one message. A file that has been renamed since the last look (another
 * program set a flag) is looked for once more; one that is gone, or holds other octets than the row
 * was given for, is POSTERN_E_NOT_FOUND. */
#include "store/folder/folder.h"

#include "base/span.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#define OPEN_TRIES 4 /* of a file that is renamed under us */

/* is_same - the file is the one that the row was made for. A size that a name told is no proof. */
static bool is_same(const struct postern_account *account, const struct index_row *row,
                    const struct stat *facts)
{
    if (row->bits & ROW_UNREADABLE)
        return false;
    if (account->store->kind->mutable_files &&
        (row->date_s != facts->st_mtim.tv_sec || row->mtime_ns != facts->st_mtim.tv_nsec))
        return false;
    return !(row->bits & ROW_SCANNED) || row->size_raw == (uint64_t)facts->st_size;
}

static int open_same(struct postern_account *account, uint64_t id, uint32_t uid,
                     struct stat *facts_r)
{
    struct index_mailbox *rows = index_mailbox_of(&account->index, id);
    const struct index_row *row = rows ? mailbox_find(rows, uid) : NULL;
    int fd = row ? row_open(account, rows, row, facts_r) : POSTERN_E_NOT_FOUND;

    if (fd < 0 || is_same(account, row, facts_r))
        return fd;
    close(fd);
    return POSTERN_E_NOT_FOUND;
}

/* Somebody may rename it again while we look. */
int message_open(struct postern_mailbox *mailbox, uint32_t uid, struct stat *facts_r)
{
    struct postern_account *account = mailbox->account;
    int fd = open_same(account, mailbox->id, uid, facts_r), err = 0;

    for (unsigned tries = 0; fd == POSTERN_E_NOT_FOUND && tries < OPEN_TRIES; tries++) {
        struct index_mailbox *rows;

        err = index_refresh(&account->index, true);
        if (!err)
            err = mailbox_sync(account, mailbox->id, 0, true);
        if (err)
            return err;
        rows = index_mailbox_of(&account->index, mailbox->id);
        if (!rows || !mailbox_find(rows, uid))
            return POSTERN_E_NOT_FOUND;
        fd = open_same(account, mailbox->id, uid, facts_r);
    }
    return fd;
}

/* know - have the octets scanned, so that wire_clean is known: once per message. */
static int know(struct index_mailbox *rows, uint32_t uid, int fd)
{
    const struct index_row *row = mailbox_find(rows, uid);
    struct index_row known;
    struct scan scan;

    if (row->bits & ROW_SCANNED)
        return 0;
    if (scan_fd(fd, &scan) < 0)
        return POSTERN_E_IO;
    known = *row;
    row_take_scan(&known, &scan);
    row_seal(rows, &known);
    return mailbox_put_row(rows, &known, (struct postern_span){0}, true);
}

static void tell(const struct index_row *row, int fd, struct postern_facts *facts_r)
{
    *facts_r = (struct postern_facts){.size_raw = row->size_raw,
                                      .size_wire = row->size_wire,
                                      .wire_clean = row->bits & ROW_WIRE_CLEAN,
                                      .fd = fd};
}

int folder_message(struct postern_mailbox *mailbox, uint32_t uid, unsigned flags,
                   struct postern_content **content_r, struct postern_facts *facts_r)
{
    struct postern_account *account = mailbox->account;
    struct postern_content *content;
    struct index_mailbox *rows;
    struct stat facts;
    int fd, err = account_take(account, flags);

    if (err)
        return err;
    content = malloc(sizeof *content);
    fd = content ? message_open(mailbox, uid, &facts) : POSTERN_E_NOMEM;
    if (fd >= 0) {
        rows = index_mailbox_of(&account->index, mailbox->id);
        err = know(rows, uid, fd);
        if (!err)
            tell(mailbox_find(rows, uid), fd, facts_r);
    }
    account_leave(account);
    if (fd < 0 || err) {
        if (fd >= 0)
            close(fd);
        free(content);
        return err ? err : fd;
    }
    content->fd = fd;
    *content_r = content;
    return 0;
}

int folder_read(struct postern_content *content, uint64_t offset, char *out, size_t n)
{
    ssize_t got;

    if (offset > INT64_MAX)
        return 0;
    do
        got = pread(content->fd, out, n < INT_MAX ? n : INT_MAX, (off_t)offset);
    while (got < 0 && errno == EINTR);
    return got < 0 ? POSTERN_E_IO : (int)got;
}

void folder_content_close(struct postern_content **content)
{
    if (!content || !*content)
        return;
    close((*content)->fd);
    free(*content);
    *content = NULL;
}
