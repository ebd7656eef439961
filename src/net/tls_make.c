/* SPDX-License-Identifier: MIT */
/* tls_make - a self-signed certificate. P-256 because a handshake with it costs less than half of
 * RSA's. */
#include "net/tls_make.h"

#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#define VALID_SECONDS (398L * 86400)

static int add_extension(X509 *certificate, int nid, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;
    int ok;

    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    ok = extension && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return ok;
}

static int describe(X509 *certificate, EVP_PKEY *key, const char *host)
{
    X509_NAME *name = X509_get_subject_name(certificate);
    char names[512];
    uint64_t number;

    if (RAND_bytes((unsigned char *)&number, sizeof number) != 1)
        return 0;
    number = (number & INT64_MAX) | 1; /* positive, and never zero */
    snprintf(names, sizeof names, "DNS:%s,DNS:localhost,IP:127.0.0.1,IP:::1", host);
    return X509_set_version(certificate, X509_VERSION_3) == 1 &&
           ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), number) == 1 &&
           X509_gmtime_adj(X509_getm_notBefore(certificate), -3600) &&
           X509_gmtime_adj(X509_getm_notAfter(certificate), VALID_SECONDS) &&
           X509_set_pubkey(certificate, key) == 1 &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)host, -1,
                                      -1, 0) == 1 &&
           X509_set_issuer_name(certificate, name) == 1 &&
           add_extension(certificate, NID_subject_alt_name, names) &&
           add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
           X509_sign(certificate, key, EVP_sha256()) > 0;
}

int tls_make_self_signed(SSL_CTX *context, const char *host)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    int ok = key && certificate && describe(certificate, key, host) &&
             SSL_CTX_use_certificate(context, certificate) == 1 &&
             SSL_CTX_use_PrivateKey(context, key) == 1;

    X509_free(certificate);
    EVP_PKEY_free(key);
    return ok ? 0 : -1;
}
