/* SPDX-License-Identifier: MIT */
/* clock - the time as the sessions' clock has it, for the daemon and for what takes its own on a
 * worker. */
#ifndef SERVE_CLOCK_H
#define SERVE_CLOCK_H

#include <postern/base.h>
#include <time.h>

static inline postern_time clock_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (postern_time)now.tv_sec * POSTERN_SECOND + (postern_time)now.tv_nsec;
}

#endif
