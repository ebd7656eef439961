/* SPDX-License-Identifier: MIT */
/* filter - a program that sees each message before it is taken: the message on its standard input,
 * what is known of it in its environment. Its exit status is the verdict: 0 take it, 20 refuse it
 * for good, anything else for now. Of its output the lines "Name: value" are put before the
 * message; "X-Postern-Mailbox: NAME" is not, but says where it goes; refusing, the first line is
 * what the sender hears. */
#ifndef DAEMON_FILTER_H
#define DAEMON_FILTER_H

#include "daemon/config.h"
#include "serve/filter.h"

struct filter;

/* filter_open - filter_r: given; config: lent until filter_close(). POSTERN_E_NOMEM, _NOT_FOUND
 * (there is no such program). */
int filter_open(struct filter **filter_r, const struct config *config);
void filter_close(struct filter **filter);
/* filter_serve - how sessions ask it; lent until filter_close(). */
const struct serve_filter *filter_serve(struct filter *filter);

#endif
