/* SPDX-License-Identifier: MIT */
/* spool - a buffer up to a size, then a file made with O_TMPFILE. */
#include "serve/spool.h"

#include "base/span.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHUNK_BYTES 65536

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

static int file_open(const struct spool *spool)
{
    int fd = open(spool->folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    return fd < 0 ? why_not() : fd;
}

/* move - what is in memory goes to a file. */
static int move(struct spool *spool)
{
    int fd = file_open(spool), err;

    if (fd < 0)
        return fd;
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

/* without_returns - in its place: a CR goes, since none here stands without its LF. */
static struct postern_span without_returns(char *bytes, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        bytes[kept] = bytes[i];
        kept += bytes[i] != '\r';
    }
    return span_make(bytes, kept);
}

int spool_copy(const struct spool *spool, bool line_feeds)
{
    char bytes[CHUNK_BYTES];
    uint64_t at = 0;
    int n = 0, err = 0;
    int fd = spool->file ? file_open(spool) : memfd_create("message", MFD_CLOEXEC);

    if (fd < 0)
        return why_not();
    while (!err && (n = spool_read(spool, at, bytes, sizeof bytes)) > 0) {
        err = file_write(fd, line_feeds ? without_returns(bytes, (size_t)n)
                                        : span_make(bytes, (size_t)n));
        at += (uint64_t)n;
    }
    if (!err && n == 0 && lseek(fd, 0, SEEK_SET) == 0)
        return fd;
    close(fd);
    return err ? err : POSTERN_E_IO;
}

void spool_done(struct spool *spool)
{
    buffer_done(&spool->memory);
    if (spool->file)
        close(spool->file - 1);
    spool->file = 0;
    spool->octets = 0;
}
