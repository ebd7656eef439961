/* SPDX-License-Identifier: MIT */
/* dial - a connection to another server, for worker threads: every call waits, at most as long as
 * the limit. */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include <postern/base.h>

struct dial;

/* struct dial_options - lent until dial_open() returns. */
struct dial_options {
    const char *host, *port; /* or a socket's path, that begins with "/", and no port */
    const char *ca_path;     /* PEM file of CAs; NULL: the system's */
    bool verify;             /* the certificate must be of `host`, signed by a CA that is known */
    bool tls_first;
    unsigned wait_s; /* for each step: to connect, and for what is written with its answer */
};

/* dial_open - dial_r: given. POSTERN_E_NOT_FOUND (no such host), _IO (cannot be reached, or no
 * TLS), _NOMEM. */
int dial_open(struct dial **dial_r, const struct dial_options *options);
/* dial_tls - encrypt from here on. POSTERN_E_DENIED: the certificate is not good; _IO. */
int dial_tls(struct dial *dial);
/* dial_read - how many octets came; 0: the end. POSTERN_E_IO, _AGAIN (too late). */
int dial_read(struct dial *dial, char *out, size_t n);
/* dial_write - all of it. POSTERN_E_IO, _AGAIN (too late). */
int dial_write(struct dial *dial, struct postern_span bytes);
void dial_close(struct dial **dial);

#endif
