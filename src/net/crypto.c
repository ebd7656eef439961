/* SPDX-License-Identifier: MIT */
/* crypto - the hash functions and the randomness that engines are given, over OpenSSL and the
 * kernel. */
#include "net/net.h"

#include <errno.h>
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/random.h>

static const EVP_MD *digest_of(enum postern_hash hash)
{
    switch (hash) {
    case POSTERN_HASH_MD5:
        return EVP_md5();
    case POSTERN_HASH_SHA1:
        return EVP_sha1();
    case POSTERN_HASH_SHA256:
        return EVP_sha256();
    }
    return NULL;
}

static int crypto_hash(enum postern_hash hash, struct postern_span data, unsigned char *out)
{
    const EVP_MD *digest = digest_of(hash);

    if (!digest)
        return POSTERN_E_UNSUPPORTED;
    return EVP_Digest(data.p ? data.p : "", data.n, out, NULL, digest, NULL) == 1
               ? 0
               : POSTERN_E_UNSUPPORTED;
}

static int crypto_hmac(enum postern_hash hash, struct postern_span key, struct postern_span data,
                       unsigned char *out)
{
    const EVP_MD *digest = digest_of(hash);

    if (!digest || key.n > INT_MAX)
        return POSTERN_E_UNSUPPORTED;
    return HMAC(digest, key.p ? key.p : "", (int)key.n,
                (const unsigned char *)(data.p ? data.p : ""), data.n, out, NULL)
               ? 0
               : POSTERN_E_UNSUPPORTED;
}

const struct postern_crypto *net_crypto_openssl(void)
{
    static const struct postern_crypto crypto = {crypto_hash, crypto_hmac};
    return &crypto;
}

static int random_fill(void *ctx, void *out, size_t n)
{
    unsigned char *at = out;

    (void)ctx;
    while (n) {
        ssize_t got = getrandom(at, n, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return POSTERN_E_IO;
        at += got;
        n -= (size_t)got;
    }
    return 0;
}

const struct postern_random *net_random_system(void)
{
    static const struct postern_random random = {random_fill, NULL};
    return &random;
}
