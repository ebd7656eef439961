/* SPDX-License-Identifier: MIT */
#include "serve/spool.h"

#include "base/span.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int why_not(void)
{
    return errno == ENOSPC || errno == EDQUOT ? POSTERN_E_FULL : POSTERN_E_IO;
}

static int file_write(int fd, struct postern_span bytes)
{
    while (bytes.n) {
        ssize_t n = write(fd, bytes.p, bytes.n);

        if (n < 0 && errno != EINTR)
            return why_not();
        if (n > 0)
            bytes = span_from(bytes, (size_t)n);
    }
    return 0;
}

/* move - what is in memory goes to a file. */
static int move(struct spool *spool)
{
    int fd = open(spool->folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), err;

    if (fd < 0)
        return why_not();
    spool->file = fd + 1;
    err = file_write(fd, buffer_span(&spool->memory));
    buffer_done(&spool->memory);
    return err;
}

int spool_write(struct spool *spool, struct postern_span bytes)
{
    int err = 0;

    spool->octets += bytes.n;
    if (!spool->file && spool->octets <= SPOOL_MEMORY) {
        buffer_append(&spool->memory, bytes);
        return spool->memory.error;
    }
    if (!spool->file)
        err = move(spool);
    return err ? err : file_write(spool->file - 1, bytes);
}

int spool_read(const struct spool *spool, uint64_t offset, char *out, size_t n)
{
    struct postern_span rest;
    ssize_t got;

    if (spool->file) {
        do
            got = pread(spool->file - 1, out, n, (off_t)offset);
        while (got < 0 && errno == EINTR);
        return got < 0 ? POSTERN_E_IO : (int)got;
    }
    rest = span_from(buffer_span(&spool->memory), offset);
    n = rest.n < n ? rest.n : n;
    if (n)
        memcpy(out, rest.p, n);
    return (int)n;
}

void spool_done(struct spool *spool)
{
    buffer_done(&spool->memory);
    if (spool->file)
        close(spool->file - 1);
    spool->file = 0;
    spool->octets = 0;
}
