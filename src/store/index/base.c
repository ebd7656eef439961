/* SPDX-License-Identifier: MIT */
/* base - the front of an index file, mapped. What its checksums do not vouch for is not believed.
 */
#include "store/index/base.h"

#include "base/span.h"
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

uint32_t base_head_crc(const struct base_head *head)
{
    return index_crc(3, span_make((const char *)head, offsetof(struct base_head, crc)));
}

uint32_t base_directory_crc(struct postern_span directory)
{
    return index_crc(2, directory);
}

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
    if (pread(index->fd, &head, sizeof head, 0) != sizeof head || head.magic != BASE_MAGIC ||
        head.row_size != sizeof(struct index_row) || head.crc != base_head_crc(&head) ||
        head.base_n > (uint64_t)facts.st_size ||
        !lies_in(head.directory, head.directory_n, head.base_n))
        return POSTERN_E_CORRUPT;
    index->file_n = (uint64_t)facts.st_size;
    index->device = facts.st_dev;
    index->inode = facts.st_ino;
    *head_r = head;
    return 0;
}

void index_base_forget(struct index *index)
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
    index_base_forget(index);
    index->map = map;
    index->map_n = head.base_n;
    index->made = head.made;
    index->sequence = head.sequence;
    index->next_id = head.next_id;
    index->log_end = head.base_n;
    index->torn = index->broken = index->stale = false;
    index->loads++;
    directory = span_make(map + head.directory, head.directory_n);
    if (base_directory_crc(directory) != head.directory_crc)
        err = POSTERN_E_CORRUPT;
    for (uint32_t i = 0; i < head.mailboxes && !err; i++)
        err = load_box(index, &directory);
    if (err)
        index_base_forget(index);
    else
        check_small(index);
    return err;
}
