/* SPDX-License-Identifier: MIT */
/* talk_crypto - hash functions over OpenSSL, and random bytes that are the same in every run. */
#ifndef WIRE_TALK_CRYPTO_H
#define WIRE_TALK_CRYPTO_H

#include "wire/talk_text.h"
#include <openssl/evp.h>
#include <openssl/hmac.h>

static const EVP_MD *talk_md(enum postern_hash hash)
{
    return hash == POSTERN_HASH_MD5    ? EVP_md5()
           : hash == POSTERN_HASH_SHA1 ? EVP_sha1()
                                       : EVP_sha256();
}

static int talk_hash(enum postern_hash hash, struct postern_span data, unsigned char *out)
{
    return EVP_Digest(data.p, data.n, out, NULL, talk_md(hash), NULL) == 1 ? 0 : POSTERN_E_IO;
}

static int talk_hmac(enum postern_hash hash, struct postern_span key, struct postern_span data,
                     unsigned char *out)
{
    static const unsigned char empty[1] = {0};
    const unsigned char *bytes = data.n ? (const unsigned char *)data.p : empty;
    return HMAC(talk_md(hash), key.n ? key.p : (const char *)empty, (int)key.n, bytes, data.n, out,
                NULL)
               ? 0
               : POSTERN_E_IO;
}

static const struct postern_crypto talk_crypto = {talk_hash, talk_hmac};

/* talk_random_fill - *ctx is a counter: each pass of a talk sees the same "random" bytes */
static int talk_random_fill(void *ctx, void *out, size_t n)
{
    uint64_t *state = ctx;
    for (size_t i = 0; i < n; i++) {
        *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        ((unsigned char *)out)[i] = (unsigned char)(*state >> 33);
    }
    return 0;
}

/* talk_digest - what an APOP client sends: hex MD5 of stamp and secret */
static void talk_digest(struct text *out, const char *stamp, const char *secret)
{
    struct text data = {0};
    unsigned char md5[16];
    char hex[3];
    text_put(&data, stamp);
    text_put(&data, secret);
    talk_hash(POSTERN_HASH_MD5, text_span(&data), md5);
    for (int i = 0; i < 16; i++) {
        snprintf(hex, sizeof hex, "%02x", md5[i]);
        text_put(out, hex);
    }
    text_done(&data);
}

#endif
