/* SPDX-License-Identifier: MIT */
/* command - IMAP commands said to a store by the program itself, without a connection: what an
 * administrator does is what a client could do, by the same code. */
#ifndef SERVE_COMMAND_H
#define SERVE_COMMAND_H

#include "base/buffer.h"
#include <postern/store.h>

/* serve_command - the user's session says these commands, each with its tag, "\r\n" and literals
 * that need no consent; what is answered is appended to out, the greeting and the login left out.
 * POSTERN_E_NOT_FOUND: there is no such user; _NOMEM. */
int serve_command(struct postern_store *store, struct postern_span user,
                  struct postern_span commands, struct buffer *out);

#endif
