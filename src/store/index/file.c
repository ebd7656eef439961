/* SPDX-License-Identifier: MIT */
/* file - an index on disk: opened, kept up with, locked, committed to.
 *
 * Traps. The log's end is told by zeros; anything else behind the last whole group is a write that
 * was cut off (torn), or damage, and cannot be told apart: nobody was promised what stood there,
 * but somebody may have seen it, so UIDs and mod-sequences jump before they are given again. A
 * group that another process has written counts only when its lock is free again: before that it
 * may not be on disk. */
#include "store/index/index.h"

#include "base/span.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define INDEX_NAME "index"
#define LOCK_NAME "lock"
#define GROUP_MAX (UINT32_C(1) << 30)
#define RESERVE_BYTES 8192 /* of the log's zeros, for expunging when the disk is full */
#define EXTEND_BYTES 65536
#define CHECKPOINT_BYTES 131072
#define JUMP_UIDS 1000
#define JUMP_MODSEQ (UINT64_C(1) << 20)

struct group_head {
    uint32_t length, crc; /* crc: of sequence and body */
    uint64_t sequence;
};

static uint32_t group_crc(uint64_t sequence, struct postern_span body)
{
    return index_crc(index_crc(4, span_make((const char *)&sequence, sizeof sequence)), body);
}

/* ---- reading --------------------------------------------------------------------------------- */

static int open_error(void)
{
    return errno == EMFILE || errno == ENFILE ? POSTERN_E_AGAIN
           : errno == ENOMEM                  ? POSTERN_E_NOMEM
           : errno == EACCES                  ? POSTERN_E_DENIED
                                              : POSTERN_E_IO;
}

static void forget(struct index *index)
{
    while (index->count)
        index_mailbox_free(index->mailboxes[--index->count]);
    if (index->map)
        munmap(index->map, index->map_n);
    if (index->fd >= 0)
        close(index->fd);
    index->map = NULL;
    index->map_n = 0;
    index->fd = -1;
}

/* read_group - the body of the group at log_end, given: free(). 1 one, 0 none, <0. */
static int read_group(struct index *index, char **body_r, size_t *n_r)
{
    struct group_head head;
    char *body;
    ssize_t n = pread(index->fd, &head, sizeof head, (off_t)index->log_end);

    if (n < 0)
        return POSTERN_E_IO;
    if (n < (ssize_t)sizeof head || (head.length == 0 && head.crc == 0 && head.sequence == 0))
        return 0;
    index->torn = true;
    if (head.length == 0 || head.length > GROUP_MAX || head.sequence != index->sequence + 1 ||
        head.length > index->file_n)
        return 0;
    body = malloc(head.length);
    if (!body)
        return POSTERN_E_NOMEM;
    n = pread(index->fd, body, head.length, (off_t)(index->log_end + sizeof head));
    if (n != (ssize_t)head.length ||
        group_crc(head.sequence, span_make(body, head.length)) != head.crc) {
        free(body);
        return 0;
    }
    index->torn = false;
    *body_r = body;
    *n_r = head.length;
    return 1;
}

/* replay - take in all whole groups from log_end on. */
static int replay(struct index *index)
{
    char *body = NULL;
    size_t n = 0;
    int got;

    while ((got = read_group(index, &body, &n)) == 1) {
        int err = index_take(index, span_make(body, n));

        free(body);
        if (err)
            return err;
        index->log_end += sizeof(struct group_head) + n;
        index->sequence++;
    }
    return got;
}

/* rest_is_zero - whether nothing was ever written behind the log's end, and nothing cut off: there
 * are always zeros. */
static bool rest_is_zero(const struct index *index)
{
    char bytes[8192];
    uint64_t at = index->log_end;
    ssize_t n;

    if (at >= index->file_n)
        return false;
    while ((n = pread(index->fd, bytes, sizeof bytes, (off_t)at)) > 0) {
        for (ssize_t i = 0; i < n; i++)
            if (bytes[i])
                return false;
        at += (uint64_t)n;
    }
    return n == 0;
}

static int load(struct index *index)
{
    int err;

    forget(index);
    index->fd = openat(index->dir, INDEX_NAME, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (index->fd < 0 && (errno == EROFS || errno == EACCES))
        index->fd = openat(index->dir, INDEX_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (index->fd < 0)
        return errno == ENOENT || errno == ELOOP ? POSTERN_E_CORRUPT : open_error();
    err = index_base_load(index);
    if (!err)
        err = replay(index);
    if (!err && !rest_is_zero(index))
        index->torn = true;
    return err;
}

void index_close(struct index *index)
{
    index_unlock(index);
    cache_close(index);
    forget(index);
    free(index->mailboxes);
    index->mailboxes = NULL;
    index->room = 0;
}

/* is_replaced - has another process written a checkpoint? */
static bool is_replaced(const struct index *index)
{
    struct stat now;

    if (index->stale)
        return true;
    if (fstatat(index->dir, INDEX_NAME, &now, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT && index->fd >= 0; /* somebody removed it */
    return index->fd < 0 || now.st_ino != index->inode || now.st_dev != index->device;
}

/* load_or_lose - one that cannot be read is an empty one. */
static int load_or_lose(struct index *index)
{
    int err = load(index);

    index->was_lost = err == POSTERN_E_CORRUPT;
    if (err != POSTERN_E_CORRUPT)
        return err;
    forget(index);
    index->log_end = index->sequence = 0;
    index->torn = index->broken = index->stale = false;
    return 0;
}

int index_open(struct index *index, int dir)
{
    int err;

    *index = (struct index){.dir = dir, .fd = -1, .lock = -1, .cache = -1, .next_id = 1};
    err = load_or_lose(index);
    if (err)
        index_close(index);
    return err;
}

static int catch_up(struct index *index)
{
    struct stat facts;
    int err;

    if (is_replaced(index))
        return load_or_lose(index);
    if (index->fd < 0)
        return 0;
    if (fstat(index->fd, &facts) == 0)
        index->file_n = (uint64_t)facts.st_size;
    err = replay(index);
    return err == POSTERN_E_CORRUPT ? load_or_lose(index) : err;
}

static bool has_news(const struct index *index)
{
    struct group_head head = {0};

    if (is_replaced(index))
        return true;
    return index->fd >= 0 && !index->torn &&
           pread(index->fd, &head, sizeof head, (off_t)index->log_end) > 0 && head.length;
}

/* ---- the lock -------------------------------------------------------------------------------- */

static int take_lock(struct index *index, int operation)
{
    int fd = openat(index->dir, LOCK_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600), r;

    if (fd < 0)
        return errno == EROFS || errno == EACCES ? POSTERN_E_READ_ONLY
               : errno == ENOENT                 ? POSTERN_E_NOT_FOUND /* its folder was removed */
               : errno == ENOSPC                 ? POSTERN_E_FULL
                                                 : open_error();
    do
        r = flock(fd, operation);
    while (r < 0 && errno == EINTR);
    if (r < 0) {
        close(fd);
        return errno == EWOULDBLOCK ? POSTERN_E_AGAIN : POSTERN_E_IO;
    }
    return fd;
}

int index_refresh(struct index *index, bool wait)
{
    int fd, err;

    if (index->lock >= 0 || index->read_only || !has_news(index))
        return 0;
    if (!wait)
        return POSTERN_E_AGAIN;
    fd = take_lock(index, LOCK_SH);
    if (fd < 0 && fd != POSTERN_E_READ_ONLY)
        return fd;
    err = catch_up(index);
    if (fd >= 0)
        close(fd);
    return err;
}

/* jump - what may have been seen of a torn log is passed over. */
static void jump(struct index *index)
{
    for (size_t i = 0; i < index->count; i++) {
        struct index_facts *facts = &index->mailboxes[i]->facts;

        facts->modseq += JUMP_MODSEQ;
        facts->first_modseq = facts->modseq;
        if (facts->uid_next < UINT32_MAX - JUMP_UIDS)
            facts->uid_next += JUMP_UIDS;
        for (unsigned sub = 0; sub < INDEX_SUBS; sub++)
            facts->seen[sub].ns = -1;
    }
}

bool index_is_damaged(const struct index *index)
{
    for (size_t i = 0; i < index->count; i++)
        if (index->mailboxes[i]->damaged)
            return true;
    return false;
}

/* make_good - after a torn log, damage, or a failed write: all that is known is written anew. */
static int make_good(struct index *index)
{
    bool damaged = index_is_damaged(index);

    if (!index->torn && !index->broken && !damaged)
        return 0;
    if (damaged && index_mend(index))
        for (size_t i = 0; i < index->count; i++)
            index->mailboxes[i]->facts.adopt = 1;
    jump(index);
    return index_checkpoint(index);
}

int index_lock(struct index *index, bool wait)
{
    int fd, err;

    if (index->read_only)
        return 0;
    fd = take_lock(index, LOCK_EX | (wait ? 0 : LOCK_NB));
    if (fd == POSTERN_E_READ_ONLY) {
        index->read_only = true;
        return 0;
    }
    if (fd < 0)
        return fd;
    index->lock = fd;
    err = catch_up(index);
    if (!err)
        err = make_good(index);
    if (err)
        index_unlock(index);
    return err;
}

/* tend - a log that has grown long becomes a new base; if that cannot be, the log goes on. */
static void tend(struct index *index)
{
    uint64_t log_n = index->log_end - index->map_n;

    if (!index->broken && !index->stale && index->fd >= 0 && log_n > CHECKPOINT_BYTES &&
        log_n > index->map_n / 2)
        (void)index_checkpoint(index);
}

void index_unlock(struct index *index)
{
    if (index->lock < 0)
        return;
    tend(index);
    close(index->lock);
    index->lock = -1;
}

/* ---- committing ------------------------------------------------------------------------------ */

/* extend - more zeros for the log, so that at least n octets and the reserve are there. */
static int extend(struct index *index, uint64_t n)
{
    static const char zeros[EXTEND_BYTES];
    uint64_t want = index->log_end + n + RESERVE_BYTES;
    int err = 0;

    while (!err && index->file_n < want) {
        err = index_write_at(index->fd, span_make(zeros, sizeof zeros), index->file_n);
        if (!err)
            index->file_n += sizeof zeros;
    }
    if (err && ftruncate(index->fd, (off_t)index->file_n) < 0)
        return POSTERN_E_IO;
    return err;
}

/* take_back - a group that was not promised must not be found by others: without its head it is a
 * torn log. On a disk that takes nothing any more it stays, and whoever comes next will believe it.
 */
static void take_back(struct index *index)
{
    static const char zeros[sizeof(struct group_head)];

    (void)index_write_at(index->fd, span_make(zeros, sizeof zeros), index->log_end);
}

static int write_group(struct index *index, struct postern_span body, bool sync, bool reserve)
{
    struct group_head head = {.length = (uint32_t)body.n, .sequence = index->sequence + 1};
    uint64_t whole = sizeof head + body.n;
    struct buffer bytes = {0};
    int err = 0;

    if (index->log_end + whole + RESERVE_BYTES > index->file_n)
        err = extend(index, whole);
    if (err && !(reserve && index->log_end + whole <= index->file_n))
        return err;
    head.crc = group_crc(head.sequence, body);
    buffer_append(&bytes, span_make((const char *)&head, sizeof head));
    buffer_append(&bytes, body);
    err =
        bytes.error ? bytes.error : index_write_at(index->fd, buffer_span(&bytes), index->log_end);
    buffer_done(&bytes);
    if (!err && sync && !index->unsynced)
        err = index_sync_fd(index->fd);
    if (err) {
        index->broken = true; /* it may be there or not: never build on it */
        take_back(index);
    }
    return err;
}

/* first_file - the index of an account that had none. */
static int first_file(struct index *index)
{
    return index->fd < 0 ? index_checkpoint(index) : 0;
}

int index_commit(struct index *index, struct buffer *group, bool sync, bool reserve)
{
    struct postern_span body = buffer_span(group);
    int err = group->error;

    if (!err && body.n > GROUP_MAX)
        err = POSTERN_E_TOO_LONG;
    if (!err && body.n && !index->read_only) {
        err = first_file(index);
        if (!err && index->broken)
            err = POSTERN_E_IO;
        if (!err)
            err = write_group(index, body, sync, reserve);
    }
    if (!err && body.n) {
        err = index_take(index, body);
        index->log_end += index->read_only ? 0 : sizeof(struct group_head) + body.n;
        index->sequence += !index->read_only;
        if (err) {
            index->stale = true; /* it stands in the file, so it is done: read it anew */
            err = 0;
        }
    }
    buffer_done(group);
    group->error = 0;
    return err;
}
