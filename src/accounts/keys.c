/* SPDX-License-Identifier: MIT */
/* keys - SCRAM keys of a password over OpenSSL. */
#include "accounts/keys.h"

#include "base/span.h"
#include "codec/base64.h"
#include "codec/saslprep.h"
#include <openssl/evp.h>
#include <openssl/hmac.h>

static const EVP_MD *digest_of(enum postern_hash hash)
{
    return hash == POSTERN_HASH_SHA1     ? EVP_sha1()
           : hash == POSTERN_HASH_SHA256 ? EVP_sha256()
                                         : NULL;
}

static int derive(const EVP_MD *digest, struct postern_span prepared,
                  struct account_secrets *secrets)
{
    unsigned char salted[32], client[32];
    int bytes = EVP_MD_get_size(digest), ok;

    ok = PKCS5_PBKDF2_HMAC(prepared.p, (int)prepared.n, secrets->salt, (int)secrets->salt_bytes,
                           (int)secrets->iterations, digest, bytes, salted) == 1 &&
         HMAC(digest, salted, bytes, (const unsigned char *)"Client Key", 10, client, NULL) &&
         EVP_Digest(client, (size_t)bytes, secrets->stored_key, NULL, digest, NULL) == 1 &&
         HMAC(digest, salted, bytes, (const unsigned char *)"Server Key", 10, secrets->server_key,
              NULL);
    secrets->key_bytes = (size_t)bytes;
    secret_wipe(salted, sizeof salted);
    secret_wipe(client, sizeof client);
    return ok ? 0 : POSTERN_E_UNSUPPORTED;
}

int keys_make(enum postern_hash hash, struct postern_span password, struct account_secrets *secrets)
{
    const EVP_MD *digest = digest_of(hash);
    struct buffer prepared = {0};
    int err;

    if (!digest)
        return POSTERN_E_UNSUPPORTED;
    secrets->iterations = KEYS_ITERATIONS;
    err = saslprep(password, &prepared);
    if (!err)
        err = derive(digest, buffer_span(&prepared), secrets);
    buffer_done(&prepared);
    return err;
}

void keys_append(struct buffer *out, const struct account_secrets *secrets)
{
    buffer_append_number(out, secrets->iterations);
    buffer_append_char(out, ',');
    base64_encode(span_make((const char *)secrets->salt, secrets->salt_bytes), out);
    buffer_append_char(out, ',');
    base64_encode(span_make((const char *)secrets->stored_key, secrets->key_bytes), out);
    buffer_append_char(out, ',');
    base64_encode(span_make((const char *)secrets->server_key, secrets->key_bytes), out);
}

static int decode(struct postern_span text, unsigned char *out, size_t min, size_t max, size_t *n_r)
{
    struct buffer bytes = {0};
    struct postern_span s;
    int err = base64_decode(text, &bytes);

    s = buffer_span(&bytes);
    if (!err && (s.n < min || s.n > max))
        err = POSTERN_E_SYNTAX;
    if (!err) {
        memcpy(out, s.p, s.n);
        *n_r = s.n;
    }
    buffer_done(&bytes);
    return err;
}

int keys_parse(enum postern_hash hash, struct postern_span value, struct account_secrets *secrets)
{
    size_t bytes = hash == POSTERN_HASH_SHA1 ? 20 : 32, n;
    uint64_t iterations;

    if (!span_number(span_cut(&value, ','), 10000000, &iterations) || iterations == 0)
        return POSTERN_E_SYNTAX;
    secrets->iterations = (uint32_t)iterations;
    secrets->key_bytes = bytes;
    if (decode(span_cut(&value, ','), secrets->salt, 1, sizeof secrets->salt,
               &secrets->salt_bytes) < 0 ||
        decode(span_cut(&value, ','), secrets->stored_key, bytes, bytes, &n) < 0 ||
        decode(value, secrets->server_key, bytes, bytes, &n) < 0)
        return POSTERN_E_SYNTAX;
    return 0;
}
