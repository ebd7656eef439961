/* SPDX-License-Identifier: MIT */
/* load - copies the .eml files of a folder into a mailbox. */
#ifndef DAEMON_LOAD_H
#define DAEMON_LOAD_H

#include <postern/store.h>

/* load_folder - in the order of their names. How many, or POSTERN_E_NOT_FOUND (no folder), _IO, or
 * the store's. */
int load_folder(struct postern_store *store, struct postern_span user, const char *folder);

#endif
