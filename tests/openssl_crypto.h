/* SPDX-License-Identifier: MIT */
/* openssl_crypto - struct postern_crypto over OpenSSL, for tests that link it. */
#ifndef TESTS_OPENSSL_CRYPTO_H
#define TESTS_OPENSSL_CRYPTO_H

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <postern/base.h>

static inline const EVP_MD *openssl_digest(enum postern_hash hash)
{
    if (hash == POSTERN_HASH_MD5)
        return EVP_md5();
    return hash == POSTERN_HASH_SHA1 ? EVP_sha1() : EVP_sha256();
}

static inline int openssl_hash(enum postern_hash hash, struct postern_span data, unsigned char *out)
{
    return EVP_Digest(data.p, data.n, out, NULL, openssl_digest(hash), NULL) == 1 ? 0 : -1;
}

static inline int openssl_hmac(enum postern_hash hash, struct postern_span key,
                               struct postern_span data, unsigned char *out)
{
    const void *bytes = key.n ? key.p : "";
    return HMAC(openssl_digest(hash), bytes, (int)key.n, (const unsigned char *)data.p, data.n, out,
                NULL)
               ? 0
               : -1;
}

static const struct postern_crypto openssl_crypto = {openssl_hash, openssl_hmac};

#endif
