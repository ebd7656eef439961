/* SPDX-License-Identifier: MIT */
/* spool - a message that must be whole before anything is done with it: in memory as long as it is
 * small, then in a file without a name, which goes with the process. */
#ifndef SERVE_SPOOL_H
#define SERVE_SPOOL_H

#include "base/buffer.h"

#define SPOOL_MEMORY 65536

/* struct spool - set folder; the rest zero. */
struct spool {
    const char *folder; /* where such a file may be; lent */
    struct buffer memory;
    int file; /* descriptor + 1; 0: none */
    uint64_t octets;
};

/* spool_write - POSTERN_E_NOMEM, _IO, _FULL. */
int spool_write(struct spool *spool, struct postern_span bytes);
/* spool_read - octets from offset on: how many; 0 at the end; POSTERN_E_IO. */
int spool_read(const struct spool *spool, uint64_t offset, char *out, size_t n);
/* spool_copy - a file of its own with the octets, open at its beginning, for another program: a
 * descriptor, or POSTERN_E_IO, _FULL. line_feeds: CRLF becomes LF. */
int spool_copy(const struct spool *spool, bool line_feeds);
/* spool_done - empty, and usable again. */
void spool_done(struct spool *spool);

#endif
