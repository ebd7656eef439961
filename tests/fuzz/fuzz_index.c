/* SPDX-License-Identifier: MIT */
/* fuzz_index - groups of an index that nobody wrote. The first octet chooses: taken in as they are,
 * or as the log of a file behind a small base. Whatever they say: no access outside, and what is
 * taken in can be written as a base and read again, the same. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/span.h"
#include "store/index/index.h"

static void walk(struct index *index)
{
    for (size_t i = 0; i < index->count; i++) {
        struct index_mailbox *mailbox = index->mailboxes[i];
        uint32_t last = 0;

        for (size_t place = 0; place < mailbox_rows(mailbox); place++) {
            const struct index_row *row = mailbox_row(mailbox, place);

            if (row->uid < last)
                abort();
            last = row->uid;
            (void)mailbox_find(mailbox, row->uid);
            (void)row_is_whole(mailbox, row);
        }
        for (size_t run = 0; run < mailbox->run_count; run++)
            if (mailbox->runs[run].first > mailbox->runs[run].last)
                abort();
    }
}

static int dir_of(void)
{
    char path[] = "/tmp/postern-fuzz-index-XXXXXX";
    int dir;

    if (!mkdtemp(path) || (dir = open(path, O_RDONLY | O_DIRECTORY)) < 0)
        abort();
    rmdir(path); /* it lives as long as it is open, for nothing but memory */
    return dir;
}

/* file - a base, written by us, with octets of the input over it. */
static void file(struct postern_span octets)
{
    char path[] = "/tmp/postern-fuzz-index-XXXXXX", name[64];
    struct index index;
    int dir, fd;

    if (!mkdtemp(path) || (dir = open(path, O_RDONLY | O_DIRECTORY)) < 0)
        abort();
    snprintf(name, sizeof name, "%s/index", path);
    fd = open(name, O_RDWR | O_CREAT, 0600);
    if (fd < 0 || write(fd, octets.p, octets.n) < 0)
        abort();
    close(fd);
    if (index_open(&index, dir) == 0) {
        walk(&index);
        if (index_lock(&index, true) == 0)
            walk(&index);
        index_close(&index);
    }
    unlink(name);
    snprintf(name, sizeof name, "%s/lock", path);
    unlink(name);
    snprintf(name, sizeof name, "%s/index.damaged", path);
    unlink(name);
    rmdir(path);
    close(dir);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int dir = -1;
    struct index index = {.fd = -1, .lock = -1, .cache = -1, .next_id = 1, .read_only = true};
    struct postern_span body;

    if (size < 1)
        return 0;
    body = span_make((const char *)data + 1, size - 1);
    if (data[0] & 1) {
        file(body);
        return 0;
    }
    if (dir < 0)
        dir = dir_of();
    index.dir = dir;
    (void)index_take(&index, body);
    walk(&index);
    (void)index_mend(&index);
    walk(&index);
    index_close(&index);
    return 0;
}

#include "replay.h"
