/* SPDX-License-Identifier: MIT */
/* preload_fail - an LD_PRELOAD object that lets one file-system call of a process fail, or its
 * process die there. Only calls that change something, and opening, are counted.
 *
 * FAIL_AT: the number of the call, from 1 on. Counting begins when fail_arm() is called, or when a
 * path that contains FAIL_MARK is made; that call is number 1.
 *
 * FAIL_HOW is one of
 * - kill, ENOSPC, EDQUOT, EMFILE (opening only), EIO, EINTR: that call.
 * - dead: that call and all that follow, with EIO.
 * - short: a write of half the octets. short+kill: so, and LATER calls after it the process dies.
 * - fsync: the first fsync from there on, with EIO. fsyncs: every one from there on.
 *
 * FAIL_COUNT: a file that is told, at the end of the process, the number of calls and the number of
 * the last fsync among them. */
#undef _FILE_OFFSET_BITS /* both names of openat() are defined here */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define LATER 60 /* in the midst of the unlinking */

enum call { CALL_OPEN, CALL_WRITE, CALL_FSYNC, CALL_OTHER };

static bool armed, done;
static long count, last_fsync;

#pragma GCC visibility push(default) /* what the program, and its libraries, shall call */
void fail_arm(void);
int open(const char *path, int flags, ...);
int open64(const char *path, int flags, ...);
int openat(int base, const char *path, int flags, ...);
int openat64(int base, const char *path, int flags, ...);
ssize_t write(int fd, const void *bytes, size_t n);
ssize_t writev(int fd, const struct iovec *parts, int n);
int fsync(int fd);
int fdatasync(int fd);
int ftruncate(int fd, off_t size);
int ftruncate64(int fd, off64_t size);
int rename(const char *old, const char *new);
int renameat(int from, const char *old, int to, const char *new);
int link(const char *old, const char *new);
int linkat(int from, const char *old, int to, const char *new, int flags);
int renameat2(int from, const char *old, int to, const char *new, unsigned flags);
ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at);
ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at);
int mkdirat(int base, const char *path, mode_t mode);
int futimens(int fd, const struct timespec times[2]);
long syscall(long number, ...);
int unlink(const char *path);
int unlinkat(int base, const char *path, int flags);
int close(int fd);
#pragma GCC visibility pop

void fail_arm(void)
{
    armed = true;
}

static bool how_is(const char *name)
{
    const char *how = getenv("FAIL_HOW");

    return how && strcmp(how, name) == 0;
}

static bool can_be_interrupted(enum call call)
{
    return call != CALL_OTHER;
}

/* The error that this call gets, 0 none, -1 a short write. */
static int verdict(enum call call)
{
    const char *at = getenv("FAIL_AT");
    bool here;

    if (!armed || !at)
        return 0;
    count++;
    if (call == CALL_FSYNC)
        last_fsync = count;
    here = count == atol(at);
    if (how_is("short+kill") && count == atol(at) + LATER)
        raise(SIGKILL);
    if (how_is("dead"))
        return count >= atol(at) ? EIO : 0;
    if (how_is("fsync") || how_is("fsyncs")) {
        if ((done && how_is("fsync")) || call != CALL_FSYNC || count < atol(at))
            return 0;
        done = true;
        return EIO;
    }
    if (!here)
        return 0;
    if (how_is("kill"))
        raise(SIGKILL);
    if (how_is("ENOSPC"))
        return ENOSPC;
    if (how_is("EDQUOT"))
        return EDQUOT;
    if (how_is("EMFILE"))
        return call == CALL_OPEN ? EMFILE : 0;
    if (how_is("EIO"))
        return EIO;
    if (how_is("EINTR"))
        return can_be_interrupted(call) ? EINTR : 0;
    return call == CALL_WRITE ? -1 : 0;
}

__attribute__((destructor)) static void tell(void)
{
    const char *path = getenv("FAIL_COUNT");
    FILE *out = path ? fopen(path, "w") : NULL;

    if (!out)
        return;
    fprintf(out, "%ld %ld\n", count, last_fsync);
    fclose(out);
}

static bool refused(enum call call)
{
    int error = verdict(call);

    if (error > 0)
        errno = error;
    return error > 0;
}

#define REAL(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))

static int open_real(const char *name, int base, const char *path, int flags, mode_t mode)
{
    const char *mark = getenv("FAIL_MARK");

    if (mark && !armed && strstr(path, mark) && flags & O_CREAT)
        armed = true;
    if (refused(CALL_OPEN))
        return -1;
    return REAL(int, name, int, const char *, int, mode_t)(base, path, flags, mode);
}

int openat(int base, const char *path, int flags, ...)
{
    va_list arguments;
    mode_t mode;

    va_start(arguments, flags);
    mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return open_real("openat", base, path, flags, mode);
}

int openat64(int base, const char *path, int flags, ...)
{
    va_list arguments;
    mode_t mode;

    va_start(arguments, flags);
    mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return open_real("openat64", base, path, flags, mode);
}

/* open() is openat() here: the same call of the kernel */
int open(const char *path, int flags, ...)
{
    va_list arguments;
    mode_t mode;

    va_start(arguments, flags);
    mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return open_real("openat", AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list arguments;
    mode_t mode;

    va_start(arguments, flags);
    mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return open_real("openat64", AT_FDCWD, path, flags, mode);
}

ssize_t write(int fd, const void *bytes, size_t n)
{
    int error = verdict(CALL_WRITE);

    if (error > 0) {
        errno = error;
        return -1;
    }
    return REAL(ssize_t, "write", int, const void *, size_t)(fd, bytes,
                                                             error < 0 ? (n + 1) / 2 : n);
}

/* a short one writes the first part only */
ssize_t writev(int fd, const struct iovec *parts, int n)
{
    int error = verdict(CALL_WRITE);

    if (error > 0) {
        errno = error;
        return -1;
    }
    return REAL(ssize_t, "writev", int, const struct iovec *, int)(fd, parts,
                                                                   error < 0 && n ? 1 : n);
}

int fsync(int fd)
{
    return refused(CALL_FSYNC) ? -1 : REAL(int, "fsync", int)(fd);
}

int fdatasync(int fd)
{
    return refused(CALL_FSYNC) ? -1 : REAL(int, "fdatasync", int)(fd);
}

int ftruncate(int fd, off_t size)
{
    return refused(CALL_OTHER) ? -1 : REAL(int, "ftruncate", int, off_t)(fd, size);
}

int ftruncate64(int fd, off64_t size)
{
    return refused(CALL_OTHER) ? -1 : REAL(int, "ftruncate64", int, off64_t)(fd, size);
}

int rename(const char *old, const char *new)
{
    return refused(CALL_OTHER) ? -1 : REAL(int, "rename", const char *, const char *)(old, new);
}

int renameat(int from, const char *old, int to, const char *new)
{
    return refused(CALL_OTHER)
               ? -1
               : REAL(int, "renameat", int, const char *, int, const char *)(from, old, to, new);
}

int renameat2(int from, const char *old, int to, const char *new, unsigned flags)
{
    return refused(CALL_OTHER) ? -1
                               : REAL(int, "renameat2", int, const char *, int, const char *,
                                      unsigned)(from, old, to, new, flags);
}

static ssize_t pwrite_real(const char *name, int fd, const void *bytes, size_t n, off64_t at)
{
    int error = verdict(CALL_WRITE);

    if (error > 0) {
        errno = error;
        return -1;
    }
    return REAL(ssize_t, name, int, const void *, size_t, off64_t)(fd, bytes,
                                                                   error < 0 ? (n + 1) / 2 : n, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at)
{
    return pwrite_real("pwrite", fd, bytes, n, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at)
{
    return pwrite_real("pwrite64", fd, bytes, n, at);
}

int mkdirat(int base, const char *path, mode_t mode)
{
    return refused(CALL_OTHER) ? -1
                               : REAL(int, "mkdirat", int, const char *, mode_t)(base, path, mode);
}

int futimens(int fd, const struct timespec times[2])
{
    return refused(CALL_OTHER) ? -1
                               : REAL(int, "futimens", int, const struct timespec *)(fd, times);
}

/* openat2() has no name of its own in the C library */
long syscall(long number, ...)
{
    long a[6];
    va_list arguments;

    va_start(arguments, number);
    for (unsigned i = 0; i < 6; i++)
        a[i] = va_arg(arguments, long);
    va_end(arguments);
    if (number == SYS_openat2 && refused(CALL_OPEN))
        return -1;
    return REAL(long, "syscall", long, long, long, long, long, long, long)(number, a[0], a[1], a[2],
                                                                           a[3], a[4], a[5]);
}

int link(const char *old, const char *new)
{
    return refused(CALL_OTHER) ? -1 : REAL(int, "link", const char *, const char *)(old, new);
}

int linkat(int from, const char *old, int to, const char *new, int flags)
{
    return refused(CALL_OTHER) ? -1
                               : REAL(int, "linkat", int, const char *, int, const char *,
                                      int)(from, old, to, new, flags);
}

int unlink(const char *path)
{
    return refused(CALL_OTHER) ? -1 : REAL(int, "unlink", const char *)(path);
}

int unlinkat(int base, const char *path, int flags)
{
    return refused(CALL_OTHER) ? -1
                               : REAL(int, "unlinkat", int, const char *, int)(base, path, flags);
}

/* A close that fails has closed all the same. */
int close(int fd)
{
    bool failed = armed && refused(CALL_OTHER);
    int error = errno, r = REAL(int, "close", int)(fd);

    if (failed)
        errno = error;
    return failed ? -1 : r;
}
