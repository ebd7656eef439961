/* SPDX-License-Identifier: MIT */
/* smarthost - the server that takes users' mail for other domains, as the configuration names it.
 */
#ifndef DAEMON_SMARTHOST_H
#define DAEMON_SMARTHOST_H

#include "daemon/config.h"

struct serve_relay;
struct smarthost;

/* smarthost_open - reads its login. smarthost_r: given; config: lent until smarthost_close().
 * POSTERN_E_SYNTAX, _NOT_FOUND, _IO, _NOMEM: smarthost_error() says why. */
int smarthost_open(struct smarthost **smarthost_r, const struct config *config);
void smarthost_close(struct smarthost **smarthost);
const char *smarthost_error(void);
/* smarthost_relay - how it is reached; lent until smarthost_close(). */
const struct serve_relay *smarthost_relay(struct smarthost *smarthost);

#endif
