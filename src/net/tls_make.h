/* SPDX-License-Identifier: MIT */
/* tls_make - a self-signed certificate for a server that was given none. */
#ifndef NET_TLS_MAKE_H
#define NET_TLS_MAKE_H

#include <openssl/ssl.h>

/* tls_make_self_signed - an ECDSA P-256 key and a certificate for host, localhost and the loopback
 * addresses, into context. 0 or -1 with OpenSSL's error queue filled. */
int tls_make_self_signed(SSL_CTX *context, const char *host);

#endif
