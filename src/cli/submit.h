/* SPDX-License-Identifier: MIT */
/* submit - a message of this host's programs is said to the server that the setting `submit` names.
 * All get it, or nobody: if one recipient is refused, it is not sent. */
#ifndef CLI_SUBMIT_H
#define CLI_SUBMIT_H

#include "cli/letter.h"
#include "daemon/config.h"

/* struct submission - lent. */
struct submission {
    const char *host;                       /* ours, as EHLO says it */
    struct postern_span sender, recipients; /* the latter with an LF each */
    const struct letter *letter;
};

/* submit - 0, or a sysexits code, whose reason stands on stderr. */
int submit(const struct config *config, const struct submission *what);

#endif
