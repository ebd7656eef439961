/* SPDX-License-Identifier: MIT */
/* reach - a plain connection to a program nearby, over TCP or a unix socket, for worker threads:
 * every call waits, all of them together no longer than the limit. */
#ifndef NET_REACH_H
#define NET_REACH_H

#include <postern/base.h>

struct reach;

/* struct reach_options - lent until reach_open() returns. */
struct reach_options {
    const char *path;        /* of a unix socket; NULL: host and port count */
    const char *host, *port; /* a name is looked up, which may take longer than the limit */
    postern_time limit;
};

/* reach_open - reach_r: given. POSTERN_E_NOT_FOUND (no such host or socket), _IO, _AGAIN (too
 * late), _NOMEM. */
int reach_open(struct reach **reach_r, const struct reach_options *options);
/* reach_again - the limit counts from now on. */
void reach_again(struct reach *reach);
/* reach_read - how many octets came; 0: the end. POSTERN_E_IO, _AGAIN. */
int reach_read(struct reach *reach, char *out, size_t n);
/* reach_write - all of it. POSTERN_E_IO, _AGAIN. */
int reach_write(struct reach *reach, struct postern_span bytes);
/* reach_fd - its socket, for who encrypts on it; it does not block. */
int reach_fd(const struct reach *reach);
/* reach_wait - until octets can be read, or written. POSTERN_E_IO, _AGAIN. */
int reach_wait(const struct reach *reach, bool to_write);
/* reach_close - does not wait. */
void reach_close(struct reach **reach);

#endif
