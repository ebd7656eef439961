/* SPDX-License-Identifier: MIT */
/* watched - a file that is read again when it has changed; looked at once a second at most. */
#ifndef ACCOUNTS_WATCHED_H
#define ACCOUNTS_WATCHED_H

#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>

/* struct watched - zero: not looked at yet. */
struct watched {
    struct stat seen; /* as it was when it was read */
    time_t looked;    /* monotonic seconds */
};

/* watched_has_changed - is it another than the one in seen? false also when it was looked at just
 * now, or is not there. */
bool watched_has_changed(struct watched *watched, const char *path);

#endif
