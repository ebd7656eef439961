/* SPDX-License-Identifier: MIT */
/* tlsa - the public key out of a PEM file, over OpenSSL. */
#include "net/tlsa.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>

/* no_password - nobody is asked for one. */
static int no_password(char *out, int size, int writes, void *ctx)
{
    (void)out, (void)size, (void)writes, (void)ctx;
    return -1;
}

static EVP_PKEY *key_read(FILE *file)
{
    X509 *certificate = PEM_read_X509(file, NULL, no_password, NULL);
    EVP_PKEY *key = certificate ? X509_get_pubkey(certificate) : NULL;

    X509_free(certificate);
    if (key)
        return key;
    rewind(file);
    key = PEM_read_PrivateKey(file, NULL, no_password, NULL);
    if (key)
        return key;
    rewind(file);
    return PEM_read_PUBKEY(file, NULL, no_password, NULL);
}

int net_tlsa(const char *path, unsigned char digest_r[NET_TLSA_BYTES])
{
    FILE *file = fopen(path, "re");
    unsigned char *der = NULL;
    EVP_PKEY *key;
    int n, good;

    if (!file)
        return POSTERN_E_NOT_FOUND;
    key = key_read(file);
    fclose(file);
    n = key ? i2d_PUBKEY(key, &der) : -1;
    good = n > 0 && EVP_Digest(der, (size_t)n, digest_r, NULL, EVP_sha256(), NULL) == 1;
    OPENSSL_free(der);
    EVP_PKEY_free(key);
    return good ? 0 : POSTERN_E_SYNTAX;
}
