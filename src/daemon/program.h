/* SPDX-License-Identifier: MIT */
/* program - another program, run for a message: no shell, an environment of its own, a file with
 * the message as its standard input, so that it never sees one that is cut, whatever becomes of us.
 * It has its own process group, so that all it started ends with it when its time is over. */
#ifndef DAEMON_PROGRAM_H
#define DAEMON_PROGRAM_H

#include "serve/spool.h"

#define PROGRAM_PATH "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"

/* struct program - how it is run; lent. */
struct program {
    char *const *arguments;   /* the first is its path; NULL-terminated */
    char *const *environment; /* NULL-terminated */
    const struct spool *message;
    bool line_feeds;   /* lines end with LF alone there, as on this system */
    bool hears_errors; /* its standard error is output too; else it is ours */
    postern_time limit;
};

/* program_run - waits. Its exit status, and its output (at most 64 KiB) behind *said; or
 * POSTERN_E_IO: it cannot be run, or a signal ended it, _AGAIN: it took too long and was killed,
 * _NOMEM, _FULL. */
int program_run(const struct program *program, struct buffer *said);
/* program_folder - where messages that are too large for memory wait: $TMPDIR, or /var/tmp; lent.
 */
const char *program_folder(void);

#endif
