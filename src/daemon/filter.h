/* SPDX-License-Identifier: MIT */
/* filter - those who see each message before it is taken, as the configuration names them, in its
 * order: a program by its path, rspamd (rspamd:ADDRESS), a milter (milter:ADDRESS). */
#ifndef DAEMON_FILTER_H
#define DAEMON_FILTER_H

#include "daemon/config.h"
#include "serve/filter.h"

struct filters;

/* filters_open - filters_r: given; config: lent until filters_close(). POSTERN_E_NOMEM, _NOT_FOUND,
 * _SYNTAX: filters_error() names the one and says why. */
int filters_open(struct filters **filters_r, const struct config *config);
void filters_close(struct filters **filters);
const char *filters_error(void);
/* filters_serve - how sessions ask them; lent until filters_close(). */
const struct serve_filters *filters_serve(struct filters *filters);

#endif
