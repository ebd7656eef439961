/* SPDX-License-Identifier: MIT */
/* tlsa - what DANE publishes of a key (RFC 6698, 7672). */
#ifndef NET_TLSA_H
#define NET_TLSA_H

#include <postern/base.h>

#define NET_TLSA_BYTES 32

/* net_tlsa - the SHA-256 of the public key (TLSA 3 1 1) in a PEM file: of its first certificate,
 * else of its private or public key. POSTERN_E_NOT_FOUND, _SYNTAX. */
int net_tlsa(const char *path, unsigned char digest_r[NET_TLSA_BYTES]);

#endif
