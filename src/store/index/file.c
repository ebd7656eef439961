/* SPDX-License-Identifier: MIT */
/* file - an index on disk: opened, kept up with, locked, committed to.
 *
 * Traps. Nobody was promised what stood in a torn log (log.c), but somebody may have seen it, so
 * UIDs and mod-sequences jump before they are given again. A group that another process has written
 * counts only when its lock is free again: before that it may not be on disk. */
#include "store/index/index.h"

#include "base/span.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define INDEX_NAME "index"
#define LOCK_NAME "lock"
#define CHECKPOINT_BYTES 131072
#define JUMP_UIDS 1000
#define JUMP_MODSEQ (UINT64_C(1) << 20)

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
    index_base_forget(index);
    if (index->fd >= 0)
        close(index->fd);
    index->fd = -1;
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
        err = log_replay(index);
    if (!err && !log_rest_is_zero(index))
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
    err = log_replay(index);
    return err == POSTERN_E_CORRUPT ? load_or_lose(index) : err;
}

static bool has_news(const struct index *index)
{
    return is_replaced(index) || (index->fd >= 0 && log_has_more(index));
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

/* first_file - the index of an account that had none. */
static int first_file(struct index *index)
{
    return index->fd < 0 ? index_checkpoint(index) : 0;
}

int index_commit(struct index *index, struct buffer *group, bool sync, bool reserve)
{
    struct postern_span body = buffer_span(group);
    int err = group->error;

    if (!err && body.n > LOG_GROUP_MAX)
        err = POSTERN_E_TOO_LONG;
    if (!err && body.n && !index->read_only) {
        err = first_file(index);
        if (!err && index->broken)
            err = POSTERN_E_IO;
        if (!err)
            err = log_write(index, body, sync, reserve);
    }
    if (!err && body.n) {
        err = index_take(index, body);
        if (!index->read_only)
            log_advance(index, body.n);
        if (err) {
            index->stale = true; /* it stands in the file, so it is done: read it anew */
            err = 0;
        }
    }
    buffer_done(group);
    group->error = 0;
    return err;
}
