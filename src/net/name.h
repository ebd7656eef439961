/* SPDX-License-Identifier: MIT */
/* name - what a host is called, for worker threads. */
#ifndef NET_NAME_H
#define NET_NAME_H

#include <postern/base.h>

/* net_name_of - the name that the system's resolver has for an address ("192.0.2.1",
 * "2001:db8::1"), if that name has the address as well: whoever holds the address could say any.
 * Waits as long as the resolver does. 0, or POSTERN_E_NOT_FOUND (name_r untouched). */
int net_name_of(struct postern_span address, char *name_r, size_t size);

#endif
