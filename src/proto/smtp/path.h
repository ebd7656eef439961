/* SPDX-License-Identifier: MIT */
/* path - addresses of MAIL and RCPT (RFC 5321 4.1.2, 6531). Pure. */
#ifndef SMTP_PATH_H
#define SMTP_PATH_H

#include <postern/smtp.h>

enum path_fault { PATH_GOOD, PATH_SYNTAX, PATH_TOO_LONG, PATH_LITERAL, PATH_UTF8 };

/* path_read - "<...>" from the beginning of *rest on, which becomes what stands behind it. local:
 * room for rest->n octets. strict: no a..b, 64 octets of local part, host names only of letters,
 * digits and hyphens. */
enum path_fault path_read(struct postern_span *rest, bool strict, char *local,
                          struct postern_smtp_path *path_r);

#endif
