/* SPDX-License-Identifier: MIT */
/* watched - the coarse clock is good enough for a second. A file put in another's place has
 * another inode. */
#include "accounts/watched.h"

bool watched_has_changed(struct watched *watched, const char *path)
{
    const struct stat *seen = &watched->seen;
    struct timespec now;
    struct stat facts;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    if (now.tv_sec == watched->looked)
        return false;
    watched->looked = now.tv_sec;
    return stat(path, &facts) == 0 &&
           (facts.st_mtim.tv_sec != seen->st_mtim.tv_sec ||
            facts.st_mtim.tv_nsec != seen->st_mtim.tv_nsec || facts.st_ino != seen->st_ino ||
            facts.st_size != seen->st_size);
}
