/* SPDX-License-Identifier: MIT */
/* levels - a listing of mailboxes in the order of a tree, with the levels that are no mailboxes. */
#ifndef STORE_LEVELS_H
#define STORE_LEVELS_H

#include <postern/store.h>

/* levels_show - sort all (changed), and call each for them and for each level above one that is not
 * among them, until it returns non-zero; returns that. Fills in has_children. */
int levels_show(struct postern_status *all, size_t count,
                int (*each)(void *ctx, const struct postern_status *status), void *ctx);
/* levels_up - "a/b" becomes "a"; false: there is nothing above. */
bool levels_up(struct postern_span *name);

#endif
