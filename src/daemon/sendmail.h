/* SPDX-License-Identifier: MIT */
/* sendmail - a program that takes users' mail for others, run as every MTA's `sendmail -i -f SENDER
 * -- RECIPIENT...`: the message on its standard input, lines ending as on this system. Its exit
 * status is the answer, as sysexits.h has it: 0 it took it; no such user or host, refused, bad data
 * for good; anything else for now. An enhanced status code at the beginning of its output wins. */
#ifndef DAEMON_SENDMAIL_H
#define DAEMON_SENDMAIL_H

#include "daemon/config.h"
#include "serve/filter.h"

struct sendmail;

/* sendmail_open - sendmail_r: given; config: lent until sendmail_close(). POSTERN_E_NOMEM,
 * _NOT_FOUND (there is no such program). */
int sendmail_open(struct sendmail **sendmail_r, const struct config *config);
void sendmail_close(struct sendmail **sendmail);
/* sendmail_serve - how sessions hand mail to it; lent until sendmail_close(). */
const struct serve_filter *sendmail_serve(struct sendmail *sendmail);

#endif
