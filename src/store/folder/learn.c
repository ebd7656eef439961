/* SPDX-License-Identifier: MIT */
/* learn - what is to be known of a file that is new: from its name where that tells, else from its
 * octets. One that cannot be read is listed all the same. */
#include "store/folder/folder.h"

#include "base/span.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HEADER_BYTES 65536

/* NONBLOCK: a FIFO that somebody put there must not hold us up. */
#define READ_FLAGS (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)

/* open_beneath - "DIR/SUB/NAME" in one call where the kernel can refuse symbolic links on the way,
 * else by way of the sub-folder's own descriptor. -1: errno. */
static int open_beneath(struct postern_account *account, const struct index_mailbox *mailbox,
                        unsigned sub, struct postern_span name)
{
    struct open_how how = {.flags = READ_FLAGS, .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH};
    char path[FOLDER_PATH_BYTES];
    struct place place;
    int fd;

    if (!path_beneath(account, mailbox, sub, name, path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = (int)syscall(SYS_openat2, account->base, path, &how, sizeof how);
    if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
        return fd;
    if (place_open(&place, account, mailbox) < 0 || (fd = place_sub(&place, sub)) < 0)
        errno = ENOENT;
    else
        fd = openat(fd,
                    path + mailbox->dir.n + (mailbox->dir.n != 0) +
                        strlen(account->store->kind->subs[sub]) + 1,
                    READ_FLAGS);
    place_close(&place);
    return fd;
}

/* is_ours - a regular file of the account's owner. A second link could lead to another's file, when
 * all belong to one owner; copies that Dovecot made are such links, so they are read where the
 * owner is no more than this account's. */
static bool is_ours(const struct postern_account *account, const struct stat *facts)
{
    if (!S_ISREG(facts->st_mode) ||
        (facts->st_uid != account->owner && facts->st_uid != account->self))
        return false;
    return facts->st_nlink == 1 || (facts->st_uid == account->owner && account->owner != 0);
}

int file_open(struct postern_account *account, const struct index_mailbox *mailbox, unsigned sub,
              struct postern_span name, struct stat *facts_r)
{
    int fd = open_beneath(account, mailbox, sub, name), err;

    if (fd < 0)
        return folder_error(errno);
    err = fstat(fd, facts_r) < 0      ? POSTERN_E_IO
          : is_ours(account, facts_r) ? 0
                                      : POSTERN_E_NOT_FOUND;
    if (err) {
        close(fd);
        return err;
    }
    return fd;
}

int row_open(struct postern_account *account, const struct index_mailbox *mailbox,
             const struct index_row *row, struct stat *facts_r)
{
    return file_open(account, mailbox, row_sub(row), row_name(mailbox, row), facts_r);
}

void row_take_scan(struct index_row *row, const struct scan *scan)
{
    row->size_raw = scan->size_raw;
    row->size_wire = scan->size_wire;
    row->bits &= (uint16_t) ~(ROW_WIRE_CLEAN | ROW_UTF8 | ROW_UNREADABLE);
    row->bits |= ROW_SCANNED;
    if (scan->wire_clean)
        row->bits |= ROW_WIRE_CLEAN;
    if (scan->utf8_header)
        row->bits |= ROW_UTF8;
}

/* read_header - sizes are known by the name; only the header's octets are wanted (R87). */
static void read_header(int fd, struct index_row *row)
{
    char bytes[HEADER_BYTES];
    ssize_t n = pread(fd, bytes, sizeof bytes, 0);
    struct scan scan = {0};

    if (n > 0)
        scan_feed(&scan, span_make(bytes, (size_t)n));
    if (scan.utf8_header)
        row->bits |= ROW_UTF8;
    if (n >= 0 && n < (ssize_t)sizeof bytes) {
        scan_end(&scan);
        row_take_scan(row, &scan); /* that was all of it: more exact than a name */
    }
}

static void learn_file(int fd, const struct stat *facts, struct index_row *row)
{
    struct scan scan;

    row->date_s = facts->st_mtim.tv_sec;
    if (!row->saved_s) /* the nearest that the file tells; from now on the index does */
        row->saved_s = facts->st_ctim.tv_sec;
    row->mtime_ns = (uint32_t)facts->st_mtim.tv_nsec;
    row->bits &= (uint16_t)~ROW_UNREADABLE;
    if (row->size_wire != UINT64_MAX && row->size_raw == (uint64_t)facts->st_size)
        read_header(fd, row);
    else if (scan_fd(fd, &scan) == 0)
        row_take_scan(row, &scan);
}

int row_learn(struct postern_account *account, const struct index_mailbox *mailbox,
              struct index_row *row, struct postern_span name)
{
    struct stat facts;
    int fd = file_open(account, mailbox, row_sub(row), name, &facts);

    if (fd == POSTERN_E_AGAIN || fd == POSTERN_E_NOMEM)
        return fd; /* of us, not of the file */
    if (fd < 0) {
        row->bits |= ROW_UNREADABLE;
    } else {
        learn_file(fd, &facts, row);
        close(fd);
    }
    if (row->size_raw == UINT64_MAX)
        row->size_raw = 0;
    if (row->size_wire == UINT64_MAX)
        row->size_wire = 0;
    return 0;
}
