/* SPDX-License-Identifier: MIT */
/* address - an address as SMTP writes it. Pure. */
#ifndef SERVE_ADDRESS_H
#define SERVE_ADDRESS_H

#include "base/buffer.h"

/* address_write - local@domain, without brackets, the local part in quotes where it needs them;
 * domain: may be absent. */
void address_write(struct buffer *out, struct postern_span local, struct postern_span domain);

#endif
