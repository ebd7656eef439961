/* SPDX-License-Identifier: MIT */
/* domain - the one form in which domains are compared: lower case, labels beyond ASCII as A-labels
 * (RFC 5890 2.3.2.1), so that "Bücher.example" and "xn--bcher-kva.example" are one. */
#ifndef ACCOUNTS_DOMAIN_H
#define ACCOUNTS_DOMAIN_H

#include <postern/base.h>

#define DOMAIN_BYTES 256

/* domain_normal - the length of what is in out; 0: it does not fit. What no IDN can be stays as it
 * is, but for ASCII case: it is like itself alone. */
size_t domain_normal(struct postern_span domain, char *out, size_t size);
/* domain_unicode - of a normal one, with its U-labels; 0: it has none, or they do not fit. */
size_t domain_unicode(struct postern_span domain, char *out, size_t size);

#endif
