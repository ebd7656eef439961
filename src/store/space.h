/* SPDX-License-Identifier: MIT */
/* space - how much the disk of the mail has left: asked before a message comes, so that it is not
 * refused in its middle, and what must be written to delete something still fits. Any thread. */
#ifndef STORE_SPACE_H
#define STORE_SPACE_H

#include <postern/base.h>

struct space;
/* space_new - mail: where the mail is, also with %u in it (then what stands before it counts, and a
 * folder above one that is not there yet); reserve_bytes: are not to be used. POSTERN_E_NOMEM. */
int space_new(struct space **space_r, const char *mail, uint64_t reserve_bytes);
void space_free(struct space **space);
/* space_for - 0: a message of so many octets fits; POSTERN_E_FULL: it does not; POSTERN_E_AGAIN:
 * the disk would have to be asked, which may wait (only with POSTERN_STORE_NO_WAIT in flags). It is
 * asked once a second. NULL, and a disk that does not tell, have room. */
int space_for(struct space *space, uint64_t size_bytes, unsigned flags);

#endif
