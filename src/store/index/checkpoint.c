/* SPDX-License-Identifier: MIT */
/* checkpoint - the base of an index written anew, beside, and renamed; base.h has its layout.
 * Trap: fsync once failed may never be asked again, so whatever goes wrong here leaves the old
 * file as it is. */
#include "store/index/base.h"

#include "base/span.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define INDEX_NAME "index"
#define INDEX_NEW "index.new"
#define INDEX_DAMAGED "index.damaged"
#define PAGE_BYTES 4096
#define LOG_BYTES_LEAST 16384

int index_sync_fd(int fd)
{
    int result;

    do
        result = fdatasync(fd);
    while (result < 0 && errno == EINTR);
    return result < 0 ? POSTERN_E_IO : 0;
}

int index_write_at(int fd, struct postern_span bytes, uint64_t offset)
{
    while (bytes.n) {
        ssize_t n = pwrite(fd, bytes.p, bytes.n, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 && errno != ENOSPC && errno != EDQUOT ? POSTERN_E_IO : POSTERN_E_FULL;
        bytes = span_from(bytes, (size_t)n);
        offset += (size_t)n;
    }
    return 0;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* struct sink - a file being written from front to end. */
struct sink {
    int fd, error;
    uint64_t offset; /* of what is in the buffer */
    struct buffer pending;
};

static void sink_flush(struct sink *sink)
{
    struct postern_span bytes = buffer_span(&sink->pending);

    if (!sink->error && sink->pending.error)
        sink->error = POSTERN_E_NOMEM;
    if (!sink->error)
        sink->error = index_write_at(sink->fd, bytes, sink->offset);
    sink->offset += bytes.n;
    buffer_take(&sink->pending, bytes.n);
}

static void sink_put(struct sink *sink, const void *p, size_t n)
{
    if (n == 0)
        return;
    buffer_append(&sink->pending, span_make(p, n));
    if (buffer_length(&sink->pending) >= 1 << 18)
        sink_flush(sink);
}

static uint64_t sink_at(const struct sink *sink)
{
    return sink->offset + buffer_length(&sink->pending);
}

static void sink_zeros(struct sink *sink, uint64_t n)
{
    static const char zeros[PAGE_BYTES];

    for (; n > sizeof zeros; n -= sizeof zeros)
        sink_put(sink, zeros, sizeof zeros);
    sink_put(sink, zeros, n);
}

static void put_rows(struct sink *sink, const struct index_mailbox *mailbox, struct base_box *box)
{
    uint32_t name = 0;

    sink_zeros(sink, -sink_at(sink) % 8);
    box->rows = sink_at(sink);
    for (size_t i = 0; i < mailbox_rows(mailbox); i++) {
        struct index_row row = *mailbox_row(mailbox, i);

        if (row.bits & ROW_GONE)
            continue;
        row.name = name;
        name += (uint32_t)row.name_n + row.unique_n;
        sink_put(sink, &row, sizeof row);
        box->row_n++;
    }
    box->strings = sink_at(sink);
    box->strings_n = name;
    for (size_t i = 0; i < mailbox_rows(mailbox); i++) {
        const struct index_row *row = mailbox_row(mailbox, i);
        struct postern_span text = row_name(mailbox, row);

        if (!(row->bits & ROW_GONE) && text.p)
            sink_put(sink, text.p, (size_t)row->name_n + row->unique_n);
        else if (!(row->bits & ROW_GONE))
            sink_zeros(sink, (size_t)row->name_n + row->unique_n);
    }
}

static void describe(struct buffer *directory, const struct index_mailbox *mailbox,
                     struct base_box *box)
{
    box->facts = mailbox->facts;
    box->history_floor = mailbox->history_floor;
    box->size_bytes = mailbox->size_bytes;
    box->name_n = (uint32_t)(mailbox->name.n + 1 + mailbox->dir.n);
    box->keyword_n = mailbox->keyword_count;
    box->run_n = (uint32_t)mailbox->run_count;
    box->history_n = (uint32_t)mailbox->history_count;
    box->doomed_n = (uint32_t)buffer_length(&mailbox->doomed);
    box->messages = mailbox->messages;
    box->unseen = mailbox->unseen;
    box->deleted = mailbox->deleted;
    box->pending = mailbox->pending;
    buffer_append(directory, span_make((const char *)box, sizeof *box));
    buffer_append(directory, span_make(mailbox->name.p, box->name_n));
    for (unsigned i = 0; i < mailbox->keyword_count; i++) {
        buffer_append_char(directory, (char)mailbox->keywords[i].n);
        buffer_append(directory, mailbox->keywords[i]);
    }
    buffer_append(directory, span_make((const char *)mailbox->runs,
                                       mailbox->run_count * sizeof *mailbox->runs));
    buffer_append(directory, span_make((const char *)mailbox->history,
                                       mailbox->history_count * sizeof *mailbox->history));
    buffer_append(directory, buffer_span(&mailbox->doomed));
}

static uint64_t made_now(uint64_t before)
{
    struct timespec now;
    uint64_t made;

    clock_gettime(CLOCK_REALTIME, &now);
    made = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    return made > before ? made : before + 1;
}

static int write_base(struct index *index, int fd)
{
    struct base_head head = {.magic = BASE_MAGIC,
                             .made = made_now(index->made),
                             .sequence = index->sequence,
                             .next_id = index->next_id,
                             .row_size = sizeof(struct index_row),
                             .mailboxes = (uint32_t)index->count};
    struct sink sink = {.fd = fd};
    struct buffer directory = {0};

    sink_zeros(&sink, sizeof head);
    for (size_t i = 0; i < index->count; i++) {
        struct base_box box = {0};

        put_rows(&sink, index->mailboxes[i], &box);
        describe(&directory, index->mailboxes[i], &box);
    }
    head.directory = sink_at(&sink);
    head.directory_n = buffer_length(&directory);
    head.directory_crc = base_directory_crc(buffer_span(&directory));
    sink_put(&sink, buffer_span(&directory).p, head.directory_n);
    sink_zeros(&sink, -sink_at(&sink) % PAGE_BYTES);
    head.base_n = sink_at(&sink);
    head.crc = base_head_crc(&head);
    sink_zeros(&sink, head.base_n / 4 > LOG_BYTES_LEAST ? head.base_n / 4 : LOG_BYTES_LEAST);
    sink_flush(&sink);
    if (!sink.error && directory.error)
        sink.error = POSTERN_E_NOMEM;
    if (!sink.error)
        sink.error = index_write_at(fd, span_make((const char *)&head, sizeof head), 0);
    buffer_done(&sink.pending);
    buffer_done(&directory);
    return sink.error;
}

static int sync_dir(int dir)
{
    int result;

    do
        result = fsync(dir);
    while (result < 0 && errno == EINTR);
    return result < 0 ? POSTERN_E_IO : 0;
}

/* replace - the new file becomes the index. */
static int replace(struct index *index, int fd)
{
    int err = index_sync_fd(fd);

    if (!err && index->fd < 0) /* one that could not be read: for whoever wants to know why */
        (void)renameat(index->dir, INDEX_NAME, index->dir, INDEX_DAMAGED);
    if (!err && renameat(index->dir, INDEX_NEW, index->dir, INDEX_NAME) < 0)
        err = POSTERN_E_IO;
    return err ? err : sync_dir(index->dir);
}

int index_checkpoint(struct index *index)
{
    int fd, err;

    cache_compact(index);
    fd = openat(index->dir, INDEX_NEW, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == ENOSPC || errno == EDQUOT ? POSTERN_E_FULL : POSTERN_E_IO;
    err = write_base(index, fd);
    if (!err)
        err = replace(index, fd);
    if (err) {
        unlinkat(index->dir, INDEX_NEW, 0);
        close(fd);
        return err;
    }
    if (index->fd >= 0)
        close(index->fd);
    index->fd = fd;
    return index_base_load(index);
}
