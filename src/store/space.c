/* SPDX-License-Identifier: MIT */
/* space - statvfs() once a second at most, and never where the caller must not wait. */
#include "store/space.h"

#include "base/memory.h"
#include <errno.h>
#include <postern/store.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

struct space {
    uint64_t reserve_bytes;
    atomic_ullong left_bytes;
    atomic_llong looked_s; /* when that was; 0: never */
    char folder[];
};

/* up - the folder above; false: there is none. */
static bool up(char *folder)
{
    char *slash = strrchr(folder, '/');

    if (!slash || !folder[1])
        return false;
    slash[slash == folder] = '\0';
    return true;
}

int space_new(struct space **space_r, const char *mail, uint64_t reserve_bytes)
{
    size_t n = strcspn(mail, "%");
    /* UNSAFE: n + 3 octets: "./", the path and its NUL */
    struct space *space = memory_new(NULL, sizeof *space + n + 3);

    if (!space)
        return POSTERN_E_NOMEM;
    space->reserve_bytes = reserve_bytes;
    if (*mail != '/')
        memcpy(space->folder, "./", 2);
    memcpy(space->folder + strlen(space->folder), mail, n);
    if (mail[n]) /* "/var/mail/u-%u": the part of a name does not count */
        (void)up(space->folder);
    *space_r = space;
    return 0;
}

void space_free(struct space **space)
{
    memory_free(NULL, *space);
    *space = NULL;
}

/* look - what is left for us; one without free inodes has nothing left. */
static uint64_t look(const char *folder)
{
    char path[4096];
    struct statvfs facts;
    size_t n = strlen(folder);
    int r;

    if (n >= sizeof path)
        return UINT64_MAX;
    memcpy(path, folder, n + 1);
    while ((r = statvfs(path, &facts)) < 0 && errno == ENOENT && up(path))
        continue;
    if (r < 0 || !facts.f_blocks)
        return UINT64_MAX; /* it does not tell */
    return facts.f_files && !facts.f_favail ? 0 : (uint64_t)facts.f_bavail * facts.f_frsize;
}

static long long now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (long long)now.tv_sec + 1;
}

/* D12: asked seldom, and never where it must not wait */
int space_for(struct space *space, uint64_t size_bytes, unsigned flags)
{
    uint64_t left;

    if (!space)
        return 0;
    if (atomic_load(&space->looked_s) != now_s()) {
        if (flags & POSTERN_STORE_NO_WAIT)
            return POSTERN_E_AGAIN;
        atomic_store(&space->left_bytes, look(space->folder));
        atomic_store(&space->looked_s, now_s());
    }
    left = atomic_load(&space->left_bytes);
    return left < space->reserve_bytes || left - space->reserve_bytes < size_bytes ? POSTERN_E_FULL
                                                                                   : 0;
}
