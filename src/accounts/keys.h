/* SPDX-License-Identifier: MIT */
/* keys - SCRAM keys of a password (RFC 5802 3): made, written to a line, read from it. */
#ifndef ACCOUNTS_KEYS_H
#define ACCOUNTS_KEYS_H

#include "accounts/accounts.h"
#include "base/buffer.h"

#define KEYS_ITERATIONS 4096
#define KEYS_SALT_BYTES 16 /* decoys for unknown users have as many */

/* keys_make - from a password; hash SHA1 or SHA256. secrets_r's salt is filled in first. */
int keys_make(enum postern_hash hash, struct postern_span password,
              struct account_secrets *secrets);
/* keys_append - "ITERATIONS,SALT,STORED,SERVER" in base64. */
void keys_append(struct buffer *out, const struct account_secrets *secrets);
int keys_parse(enum postern_hash hash, struct postern_span value, struct account_secrets *secrets);

#endif
