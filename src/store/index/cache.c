/* SPDX-License-Identifier: MIT */
/* cache - parsed forms of messages, in a file beside the index: records that are only added, each
 * with its mailbox and UID in front. A row has the offset of its message's; 0 is none.
 *
 * It is never synced, and nobody has to believe it: a record that is not the row's, or not whole,
 * is as good as none, and is made again from the message. So losing it costs time only. When more
 * of it is dead than alive, a checkpoint writes it anew. */
#include "store/index/index.h"

#include "base/span.h"
#include <errno.h>
#include <fcntl.h>
#include <postern/mime.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define CACHE_NAME "cache"
#define CACHE_NEW "cache.new"
#define CACHE_MAGIC UINT64_C(0x31636863746e7370) /* "psntchc1" on a little-endian machine */
#define RECORD_MAGIC 0x6b6c6221u
#define FIRST_BYTES 4096  /* read at once; most records are shorter */
#define COMPACT_ROWS 1000 /* below so many dead ones it is left alone */
#define FLUSH_BYTES (1u << 20)

struct cache_head {
    uint64_t magic, records;
};

struct cache_record {
    uint32_t magic, length; /* of the block behind it */
    uint64_t mailbox;
    uint32_t uid_validity, uid;
};

static uint64_t aligned(uint64_t n)
{
    return (n + 7) & ~UINT64_C(7);
}

void cache_close(struct index *index)
{
    if (index->cache >= 0)
        close(index->cache);
    index->cache = -1;
}

/* ---- reading --------------------------------------------------------------------------------- */

static bool is_for(const struct cache_record *record, const struct index_mailbox *mailbox,
                   uint32_t uid)
{
    return record->magic == RECORD_MAGIC && record->mailbox == mailbox->facts.id &&
           record->uid == uid && record->uid_validity == mailbox->facts.uid_validity;
}

static bool read_all(int fd, char *out, size_t n, uint64_t offset)
{
    return n == 0 || pread(fd, out, n, (off_t)offset) == (ssize_t)n;
}

/* read_record - the block of one; 0, POSTERN_E_NOT_FOUND (it is none), _NOMEM. */
static int read_record(int fd, const struct index_mailbox *mailbox, uint32_t uid, uint64_t offset,
                       struct postern_span *block_r)
{
    char first[FIRST_BYTES], *block;
    ssize_t n = pread(fd, first, sizeof first, (off_t)offset);
    struct cache_record record;
    size_t have;

    if (n < (ssize_t)sizeof record)
        return POSTERN_E_NOT_FOUND;
    memcpy(&record, first, sizeof record);
    if (!is_for(&record, mailbox, uid) || record.length > CACHE_BLOCK_MAX)
        return POSTERN_E_NOT_FOUND;
    block = malloc(record.length ? record.length : 1);
    if (!block)
        return POSTERN_E_NOMEM;
    have = (size_t)n - sizeof record < record.length ? (size_t)n - sizeof record : record.length;
    memcpy(block, first + sizeof record, have);
    if (!read_all(fd, block + have, record.length - have, offset + sizeof record + have) ||
        !postern_mime_check(span_make(block, record.length))) {
        free(block);
        return POSTERN_E_NOT_FOUND;
    }
    *block_r = span_make(block, record.length);
    return 0;
}

static int cache_open(struct index *index, int flags)
{
    if (index->cache < 0 && index->dir >= 0)
        index->cache =
            openat(index->dir, CACHE_NAME, O_RDWR | O_NOFOLLOW | O_CLOEXEC | flags, 0600);
    return index->cache;
}

/* is_current - nobody has put another file in the place of ours. */
static bool is_current(const struct index *index)
{
    struct stat ours, there;

    return fstat(index->cache, &ours) == 0 &&
           fstatat(index->dir, CACHE_NAME, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
           ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

/* open_current - as cache_open(), and the file that is there now. */
static int open_current(struct index *index, int flags)
{
    if (index->cache >= 0 && !is_current(index))
        cache_close(index);
    return cache_open(index, flags);
}

int cache_read(struct index *index, const struct index_mailbox *mailbox,
               const struct index_row *row, struct postern_span *block_r)
{
    int err = POSTERN_E_NOT_FOUND;

    /* once more with a fresh descriptor: another process may have written the file anew */
    for (unsigned tries = 0; row->block && tries < 2 && err == POSTERN_E_NOT_FOUND; tries++) {
        if (tries)
            cache_close(index);
        if (cache_open(index, 0) < 0)
            return POSTERN_E_NOT_FOUND;
        err = read_record(index->cache, mailbox, row->uid, row->block, block_r);
    }
    return err;
}

size_t cache_window(struct index *index, uint64_t offset, char *out, size_t n)
{
    ssize_t got = cache_open(index, 0) < 0 ? 0 : pread(index->cache, out, n, (off_t)offset);

    return got < 0 ? 0 : (size_t)got;
}

struct postern_span cache_find(const struct index_mailbox *mailbox, const struct index_row *row,
                               struct postern_span window, uint64_t offset)
{
    struct postern_span rest = span_from(window, row->block - offset), block;
    struct cache_record record;

    if (row->block < offset || rest.n < sizeof record)
        return (struct postern_span){0};
    memcpy(&record, rest.p, sizeof record);
    block = span_from(rest, sizeof record);
    if (!is_for(&record, mailbox, row->uid) || record.length > block.n)
        return (struct postern_span){0};
    block.n = record.length;
    return postern_mime_check(block) ? block : (struct postern_span){0};
}

/* ---- writing --------------------------------------------------------------------------------- */

uint64_t cache_record(struct buffer *records, const struct index_mailbox *mailbox, uint32_t uid,
                      struct postern_span block)
{
    struct cache_record record = {.magic = RECORD_MAGIC,
                                  .length = (uint32_t)block.n,
                                  .mailbox = mailbox->facts.id,
                                  .uid_validity = mailbox->facts.uid_validity,
                                  .uid = uid};
    uint64_t at = buffer_length(records);

    buffer_append(records, span_make((const char *)&record, sizeof record));
    buffer_append(records, block);
    buffer_append(records, span_make("\0\0\0\0\0\0\0", aligned(block.n) - block.n));
    return at;
}

/* head_of - of the cache as it is; one that is none is emptied. */
static int head_of(int fd, struct cache_head *head_r, uint64_t *end_r)
{
    struct stat facts;

    if (fstat(fd, &facts) < 0)
        return POSTERN_E_IO;
    *end_r = aligned((uint64_t)facts.st_size);
    if (*end_r >= sizeof *head_r && read_all(fd, (char *)head_r, sizeof *head_r, 0) &&
        head_r->magic == CACHE_MAGIC)
        return 0;
    *head_r = (struct cache_head){.magic = CACHE_MAGIC};
    *end_r = sizeof *head_r;
    return ftruncate(fd, 0) < 0 ? POSTERN_E_IO : 0;
}

int cache_append(struct index *index, struct postern_span records, size_t count, uint64_t *offset_r)
{
    struct cache_head head;
    uint64_t end = 0;
    int err;

    if (index->read_only || open_current(index, O_CREAT) < 0)
        return POSTERN_E_READ_ONLY;
    err = head_of(index->cache, &head, &end);
    if (err)
        return err;
    head.records += count;
    *offset_r = end;
    err = index_write_at(index->cache, records, end);
    return err ? err : index_write_at(index->cache, span_make((const char *)&head, sizeof head), 0);
}

/* ---- written anew ---------------------------------------------------------------------------- */

static uint64_t count_live(const struct index *index)
{
    uint64_t live = 0;

    for (size_t i = 0; i < index->count; i++)
        for (size_t place = 0; place < mailbox_rows(index->mailboxes[i]); place++) {
            const struct index_row *row = mailbox_row(index->mailboxes[i], place);

            live += !(row->bits & ROW_GONE) && row->block;
        }
    return live;
}

/* struct compaction - the new file, as far as it is. */
struct compaction {
    int fd, error;
    struct cache_head head;
    uint64_t end; /* of what is written */
    struct buffer pending;
};

static void compaction_flush(struct compaction *to)
{
    struct postern_span records = buffer_span(&to->pending);

    if (to->pending.error)
        to->error = to->pending.error;
    if (!to->error)
        to->error = index_write_at(to->fd, records, to->end);
    to->end += records.n;
    buffer_take(&to->pending, records.n);
}

/* move_record - a row's record to the new file; one that is not whole is left behind. */
static void move_record(struct index *index, struct index_mailbox *mailbox, struct index_row *row,
                        struct compaction *to)
{
    struct postern_span block;

    if (row->bits & ROW_GONE || !row->block || !row_is_whole(mailbox, row))
        return;
    if (read_record(index->cache, mailbox, row->uid, row->block, &block) < 0) {
        row->block = 0;
    } else {
        row->block = to->end + cache_record(&to->pending, mailbox, row->uid, block);
        to->head.records++;
        free((char *)(uintptr_t)block.p);
    }
    row_seal(mailbox, row);
    if (buffer_length(&to->pending) > FLUSH_BYTES)
        compaction_flush(to);
}

static void move_all(struct index *index, struct compaction *to)
{
    to->end = sizeof to->head;
    for (size_t i = 0; i < index->count; i++)
        for (size_t place = 0; place < mailbox_rows(index->mailboxes[i]); place++)
            move_record(index, index->mailboxes[i], mailbox_row(index->mailboxes[i], place), to);
    compaction_flush(to);
    if (!to->error)
        to->error = index_write_at(to->fd, span_make((const char *)&to->head, sizeof to->head), 0);
    if (!to->error && renameat(index->dir, CACHE_NEW, index->dir, CACHE_NAME) < 0)
        to->error = POSTERN_E_IO;
}

void cache_compact(struct index *index)
{
    struct compaction to = {.head = {.magic = CACHE_MAGIC}};
    struct cache_head head;
    uint64_t end;

    if (index->read_only || open_current(index, 0) < 0 || head_of(index->cache, &head, &end) < 0 ||
        head.records < 2 * count_live(index) + COMPACT_ROWS)
        return;
    to.fd =
        openat(index->dir, CACHE_NEW, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (to.fd < 0)
        return;
    move_all(index, &to);
    buffer_done(&to.pending);
    close(to.fd);
    cache_close(index);
    if (to.error) /* rows point into a file that is not there: their messages are parsed anew */
        unlinkat(index->dir, CACHE_NEW, 0);
}
