/* SPDX-License-Identifier: MIT */
/* folder_read - opening and reading one message. A file that has been renamed since the listing
 * (another program set a flag) is looked for once more by its key; one that is gone is
 * POSTERN_E_NOT_FOUND. */
#include "store/folder.h"

#include "base/span.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

struct postern_content {
    int fd;
};

/* NONBLOCK: a FIFO that somebody put there must not hold us up. */
#define READ_FLAGS (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)

/* open_beneath - "SUB/NAME" in one call where the kernel can refuse symbolic links on the way, else
 * by way of the sub-folder's own descriptor. -1: errno. */
static int open_beneath(struct folder *folder, const struct row *row)
{
    struct open_how how = {.flags = READ_FLAGS, .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH};
    char path[NAME_MAX + 16];
    int fd;

    snprintf(path, sizeof path, "%s/%s", folder->store->kind->subs[row->sub], row->name);
    fd = (int)syscall(SYS_openat2, folder->base, path, &how, sizeof how);
    if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
        return fd;
    fd = folder_sub(folder, row->sub);
    return fd < 0 ? fd : openat(fd, row->name, READ_FLAGS);
}

int folder_open_row(struct folder *folder, const struct row *row, struct stat *facts_r)
{
    int fd = open_beneath(folder, row), err;

    if (fd < 0)
        return folder_error(errno);
    err = fstat(fd, facts_r) < 0      ? POSTERN_E_IO
          : S_ISREG(facts_r->st_mode) ? 0
                                      : POSTERN_E_NOT_FOUND;
    if (err) {
        close(fd);
        return err;
    }
    return fd;
}

/* open_row - the file behind a unique-id, by the listing, then by a fresh one. With the mutex. */
static int open_row(struct postern_mailbox *mailbox, struct postern_span uid, struct row **row_r,
                    struct stat *facts_r)
{
    struct folder *folder = mailbox->folder;
    struct row *row = folder_row(folder, uid);
    int fd = row ? folder_open_row(folder, row, facts_r) : POSTERN_E_NOT_FOUND;

    if (fd == POSTERN_E_NOT_FOUND) {
        int err = folder_recover(mailbox);

        if (!err)
            err = folder_scan(folder, true);
        if (err < 0)
            return err;
        row = folder_row(folder, uid);
        fd = row ? folder_open_row(folder, row, facts_r) : POSTERN_E_NOT_FOUND;
    }
    *row_r = row;
    return fd;
}

/* know - have the row scanned, so that wire_clean is known: once per message and process. A file
 * that was edited since is scanned again, for a line that begins with a dot must not go out as it
 * is (R20). */
static int know(struct row *row, int fd, const struct stat *facts)
{
    struct scan scan;

    if (row->scanned && row->size_raw == (uint64_t)facts->st_size &&
        row->mtime.tv_sec == facts->st_mtim.tv_sec && row->mtime.tv_nsec == facts->st_mtim.tv_nsec)
        return 0;
    if (scan_fd(fd, &scan) < 0)
        return POSTERN_E_IO;
    row->size_raw = scan.size_raw;
    row->size_wire = scan.size_wire; /* a name may have told another */
    row->mtime = facts->st_mtim;
    row->wire_clean = scan.wire_clean;
    row->scanned = true;
    return 0;
}

int folder_message(struct postern_mailbox *mailbox, struct postern_span uid, unsigned flags,
                   struct postern_content **content_r, struct postern_facts *facts_r)
{
    struct folder *folder = mailbox->folder;
    struct postern_content *content = malloc(sizeof *content);
    struct stat facts;
    struct row *row;
    int err = 0;

    (void)flags;
    if (!content)
        return POSTERN_E_NOMEM;
    folder_enter(folder);
    content->fd = open_row(mailbox, uid, &row, &facts);
    if (content->fd >= 0)
        err = know(row, content->fd, &facts);
    else
        err = content->fd;
    if (!err)
        *facts_r = (struct postern_facts){.size_raw = (uint64_t)facts.st_size,
                                          .size_wire = row->size_wire,
                                          .wire_clean = row->wire_clean,
                                          .fd = content->fd};
    folder_leave(folder);
    if (err) {
        folder_content_close(&content);
        return err;
    }
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
    if ((*content)->fd >= 0)
        close((*content)->fd);
    free(*content);
    *content = NULL;
}
