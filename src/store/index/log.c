/* SPDX-License-Identifier: MIT */
/* log - the groups behind the base of an index: read, and written over zeros.
 *
 * Trap: the log's end is told by zeros; anything else behind the last whole group is a write that
 * was cut off (torn), or damage, and cannot be told apart. */
#include "store/index/index.h"

#include "base/span.h"
#include <stdlib.h>
#include <unistd.h>

#define RESERVE_BYTES 8192 /* of the log's zeros, for expunging when the disk is full */
#define EXTEND_BYTES 65536

struct group_head {
    uint32_t length, crc; /* crc: of sequence and body */
    uint64_t sequence;
};

static uint32_t group_crc(uint64_t sequence, struct postern_span body)
{
    return index_crc(index_crc(4, span_make((const char *)&sequence, sizeof sequence)), body);
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
    if (head.length == 0 || head.length > LOG_GROUP_MAX || head.sequence != index->sequence + 1 ||
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

void log_advance(struct index *index, size_t body_n)
{
    index->log_end += sizeof(struct group_head) + body_n;
    index->sequence++;
}

int log_replay(struct index *index)
{
    char *body = NULL;
    size_t n = 0;
    int got;

    while ((got = read_group(index, &body, &n)) == 1) {
        int err = index_take(index, span_make(body, n));

        free(body);
        if (err)
            return err;
        log_advance(index, n);
    }
    return got;
}

bool log_rest_is_zero(const struct index *index)
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

bool log_has_more(const struct index *index)
{
    struct group_head head = {0};

    return !index->torn && pread(index->fd, &head, sizeof head, (off_t)index->log_end) > 0 &&
           head.length;
}

/* ---- writing --------------------------------------------------------------------------------- */

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

int log_write(struct index *index, struct postern_span body, bool sync, bool reserve)
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
