/* SPDX-License-Identifier: MIT */
/* daemon - the whole server as one call: build everything a configuration names, serve until a
 * signal ends it, give it all back. Each returns a sysexits(3) code: 0 after an orderly end,
 * EX_CONFIG, EX_UNAVAILABLE (an address cannot be bound), EX_NOPERM, EX_OSERR. */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include "daemon/config.h"

/* daemon_serve - `postern serve`. config: lent until it returns; already checked. */
int daemon_serve(const struct config *config);

/* struct daemon_dev_options - `postern dev`, the disposable server. Zero it, ports -1, and set what
 * is given. */
struct daemon_dev_options {
    const char
        *mail; /* folder whose .eml files user `demo` gets; NULL: share/sample when it is found */
    const char *password; /* of every user; NULL: "postern" */
    bool any_password;    /* take whatever password comes */
    bool shared;          /* every user gets the messages, not `demo` alone */
    /* on 127.0.0.1; 0: any free one; -1: 1110, 1995, 1143, 1993, 1025, 1024, or any if port is 0 */
    int port, port_tls, imap_port, imap_port_tls, smtp_port, lmtp_port;
};

int daemon_dev(const struct config *config, const struct daemon_dev_options *options);

#endif
