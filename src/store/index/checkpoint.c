/* SPDX-License-Identifier: MIT */
/* checkpoint - the base of an index: how it is written and mapped again.
 *
 * Layout: the head; for each mailbox its rows and their strings; the directory. The directory is
 * written in the words of group.c - the facts, keywords, ranges and history of each mailbox - with
 * the places of its tables. Behind the base, from a page boundary on, zeros for the log.
 * Trap: fsync once failed may never be asked again, so whatever goes wrong here leaves the old
 * file as it is. */
#include "store/index/index.h"

#include "base/span.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define INDEX_NAME "index"
#define INDEX_NEW "index.new"
#define INDEX_DAMAGED "index.damaged"
#define INDEX_MAGIC UINT64_C(0x32786469746e7370) /* "pstnidx2" on a little-endian machine */
#define PAGE_BYTES 4096
#define LOG_BYTES_LEAST 16384

struct base_head {
    uint64_t magic, made, sequence, next_id;
    uint64_t directory, directory_n; /* offset and octets */
    uint64_t base_n;                 /* where the log begins */
    uint32_t mailboxes, directory_crc;
    uint32_t row_size, crc; /* crc: of all above */
};

/* struct base_box - a mailbox in the directory; its facts, name, keywords, runs, history and doomed
 * files follow in this order. */
struct base_box {
    struct index_facts facts;
    uint64_t rows, row_n, strings, strings_n; /* offsets in the file, and how many */
    uint64_t history_floor, size_bytes;
    uint32_t name_n, keyword_n, run_n, history_n, doomed_n;
    uint32_t messages, unseen, deleted, pending;
    uint32_t zero;
};

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
    struct base_head head = {.magic = INDEX_MAGIC,
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
    head.directory_crc = index_crc(2, buffer_span(&directory));
    sink_put(&sink, buffer_span(&directory).p, head.directory_n);
    sink_zeros(&sink, -sink_at(&sink) % PAGE_BYTES);
    head.base_n = sink_at(&sink);
    head.crc = index_crc(3, span_make((const char *)&head, offsetof(struct base_head, crc)));
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

/* ---- mapping --------------------------------------------------------------------------------- */

/* part - the next n octets of the directory; absent when there are not as many. */
static struct postern_span part(struct postern_span *rest, uint64_t n)
{
    struct postern_span taken = {0};

    if (n > rest->n)
        return taken;
    taken = span_make(rest->p, (size_t)n);
    *rest = span_from(*rest, (size_t)n);
    return taken;
}

static void *copy_of(struct postern_span bytes)
{
    void *copy = malloc(bytes.n ? bytes.n : 1);

    if (copy)
        memcpy(copy, bytes.p, bytes.n);
    return copy;
}

static int load_keywords(struct index *index, uint64_t id, uint32_t count,
                         struct postern_span *rest)
{
    struct buffer group = {0};
    int err = 0;

    for (uint32_t i = 0; i < count && !err; i++) {
        struct postern_span length = part(rest, 1), text = {0};

        if (length.p)
            text = part(rest, (unsigned char)length.p[0]);
        if (!text.p)
            err = POSTERN_E_CORRUPT;
        group_keyword(&group, id, text);
    }
    if (!err)
        err = group.error ? group.error : index_take(index, buffer_span(&group));
    buffer_done(&group);
    return err;
}

/* load_lists - name, keywords, runs, history, doomed. */
static int load_lists(struct index *index, struct index_mailbox *mailbox,
                      const struct base_box *box, struct postern_span *rest)
{
    struct postern_span dir = part(rest, box->name_n), name, runs, history, doomed;
    struct buffer group = {0};
    int err;

    if (!dir.p || box->keyword_n > POSTERN_KEYWORDS_MAX)
        return POSTERN_E_CORRUPT;
    name = span_cut(&dir, '\0');
    group_facts(&group, &box->facts, name, dir);
    err = group.error ? group.error : index_take(index, buffer_span(&group));
    buffer_done(&group);
    if (!err)
        err = load_keywords(index, box->facts.id, box->keyword_n, rest);
    if (err)
        return err;
    runs = part(rest, (uint64_t)box->run_n * sizeof *mailbox->runs);
    history = part(rest, (uint64_t)box->history_n * sizeof *mailbox->history);
    doomed = part(rest, box->doomed_n);
    if (!runs.p || !history.p || !doomed.p)
        return POSTERN_E_CORRUPT;
    mailbox->runs = copy_of(runs);
    mailbox->history = copy_of(history);
    buffer_append(&mailbox->doomed, doomed);
    if (!mailbox->runs || !mailbox->history || mailbox->doomed.error)
        return POSTERN_E_NOMEM;
    mailbox->run_count = mailbox->run_room = box->run_n;
    mailbox->history_count = mailbox->history_room = box->history_n;
    return 0;
}

static bool lies_in(uint64_t offset, uint64_t n, uint64_t size)
{
    return offset <= size && n <= size - offset;
}

static int load_box(struct index *index, struct postern_span *rest)
{
    struct postern_span fixed = part(rest, sizeof(struct base_box));
    struct index_mailbox *mailbox;
    struct base_box box;

    if (!fixed.p)
        return POSTERN_E_CORRUPT;
    memcpy(&box, fixed.p, sizeof box);
    if (box.row_n > index->map_n / sizeof(struct index_row) || box.rows % 8 ||
        !lies_in(box.rows, box.row_n * sizeof(struct index_row), index->map_n) ||
        !lies_in(box.strings, box.strings_n, index->map_n) || index_mailbox_of(index, box.facts.id))
        return POSTERN_E_CORRUPT;
    mailbox = index_mailbox_add(index, box.facts.id);
    if (!mailbox)
        return POSTERN_E_NOMEM;
    mailbox->base = (struct index_row *)(void *)(index->map + box.rows);
    mailbox->base_n = box.row_n;
    mailbox->strings = index->map + box.strings;
    mailbox->strings_n = box.strings_n;
    mailbox->history_floor = box.history_floor;
    mailbox->size_bytes = box.size_bytes;
    mailbox->messages = box.messages;
    mailbox->unseen = box.unseen;
    mailbox->deleted = box.deleted;
    mailbox->deleted_bytes_due = box.deleted > 0;
    mailbox->pending = box.pending;
    return load_lists(index, mailbox, &box, rest);
}

static int read_head(struct index *index, struct base_head *head_r)
{
    struct base_head head;
    struct stat facts;

    if (fstat(index->fd, &facts) < 0)
        return POSTERN_E_IO;
    if (pread(index->fd, &head, sizeof head, 0) != sizeof head || head.magic != INDEX_MAGIC ||
        head.row_size != sizeof(struct index_row) ||
        head.crc != index_crc(3, span_make((const char *)&head, offsetof(struct base_head, crc))) ||
        head.base_n > (uint64_t)facts.st_size ||
        !lies_in(head.directory, head.directory_n, head.base_n))
        return POSTERN_E_CORRUPT;
    index->file_n = (uint64_t)facts.st_size;
    index->device = facts.st_dev;
    index->inode = facts.st_ino;
    *head_r = head;
    return 0;
}

static void forget_all(struct index *index)
{
    while (index->count)
        index_mailbox_free(index->mailboxes[--index->count]);
    if (index->map)
        munmap(index->map, index->map_n);
    index->map = NULL;
    index->map_n = 0;
}

/* check_small - a small base is checked row by row when it is opened; of a large one each row when
 * it is used. */
static void check_small(struct index *index)
{
    if (index->map_n > 1 << 18)
        return;
    for (size_t i = 0; i < index->count; i++) {
        struct index_mailbox *mailbox = index->mailboxes[i];

        for (size_t place = 0; place < mailbox->base_n; place++)
            row_is_whole(mailbox, mailbox->base + place);
    }
}

int index_base_load(struct index *index)
{
    struct postern_span directory;
    struct base_head head;
    int err = read_head(index, &head);
    char *map;

    if (err)
        return err;
    map = mmap(NULL, head.base_n, PROT_READ | PROT_WRITE, MAP_PRIVATE, index->fd, 0);
    if (map == MAP_FAILED)
        return POSTERN_E_NOMEM;
    forget_all(index);
    index->map = map;
    index->map_n = head.base_n;
    index->made = head.made;
    index->sequence = head.sequence;
    index->next_id = head.next_id;
    index->log_end = head.base_n;
    index->torn = index->broken = index->stale = false;
    index->loads++;
    directory = span_make(map + head.directory, head.directory_n);
    if (index_crc(2, directory) != head.directory_crc)
        err = POSTERN_E_CORRUPT;
    for (uint32_t i = 0; i < head.mailboxes && !err; i++)
        err = load_box(index, &directory);
    if (err)
        forget_all(index);
    else
        check_small(index);
    return err;
}
