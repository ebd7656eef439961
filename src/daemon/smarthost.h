/* SPDX-License-Identifier: MIT */
/* smarthost - another server that takes mail, as the configuration names it: that of users for
 * other domains, or that of this host's programs (postern sendmail). */
#ifndef DAEMON_SMARTHOST_H
#define DAEMON_SMARTHOST_H

#include "daemon/config.h"

struct serve_relay;
struct smarthost;

/* struct smarthost_place - where it is; lent until smarthost_close(). */
struct smarthost_place {
    const char *address; /* HOST:PORT, or /SOCKET; with "lmtp:" before it LMTP is spoken */
    const char *tls, *ca, *login;
    const char *host; /* our name */
};

/* smarthost_open - reads its login. smarthost_r: given. POSTERN_E_SYNTAX, _NOT_FOUND, _IO, _NOMEM:
 * smarthost_error() says why. */
int smarthost_open(struct smarthost **smarthost_r, const struct smarthost_place *place);
void smarthost_close(struct smarthost **smarthost);
const char *smarthost_error(void);
/* smarthost_relay - how it is reached; lent until smarthost_close(). */
const struct serve_relay *smarthost_relay(struct smarthost *smarthost);

#endif
