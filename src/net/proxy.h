/* SPDX-License-Identifier: MIT */
/* proxy - the PROXY protocol, versions 1 and 2: who the client behind a load balancer is. Pure. */
#ifndef NET_PROXY_H
#define NET_PROXY_H

#include "net/net.h"

/* the longest header that is read: version 2 with TLVs; version 1 has at most 107 octets */
#define PROXY_HEADER_MAX 1040

/* proxy_parse - read a header from the beginning of in. Returns its length, 0 when more octets are
 * needed, or POSTERN_E_SYNTAX / _TOO_LONG. address_r: the client; family AF_UNSPEC when the header
 * names none (LOCAL, UNKNOWN): the connection is the balancer's own. */
int proxy_parse(struct postern_span in, union net_address *address_r);

/* proxy_trusts - whether address lies in one of the NULL-terminated addresses or CIDR nets. */
bool proxy_trusts(const char *const *nets, const union net_address *address);

#endif
