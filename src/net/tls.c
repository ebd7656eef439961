/* SPDX-License-Identifier: MIT */
/* tls - certificates by name, and the OpenSSL settings that suit many idle connections.
 * A configuration is a set of SSL_CTX behind a mutex; connections hold references to theirs, so a
 * reload swaps the set and leaves running sessions alone. TLS 1.2 is the oldest version (R96). */
#include "net/loop.h"
#include "net/tls_make.h"

#include "base/span.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#define CERTIFICATES_MAX 64
#define ALPN_MAX 32

struct tls_certificate {
    char *cert_path, *key_path; /* NULL: self-signed */
    SSL_CTX *context;
    X509 *x509; /* lent by context */
};

struct net_tls {
    pthread_mutex_t mutex;
    unsigned count;
    struct tls_certificate certificates[CERTIFICATES_MAX];
    char *host, *client_ca, *pem;
};

static _Thread_local char tls_error[256];

const char *net_tls_error(void)
{
    return tls_error[0] ? tls_error : "no error";
}

static int tls_fail(const char *what, const char *path)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;

    snprintf(tls_error, sizeof tls_error, "%s %s: %s", what, path ? path : "",
             reason ? reason : "failed");
    ERR_clear_error();
    return POSTERN_E_IO;
}

/* alpn_select - (A8) the client must offer our protocol when it offers any (RFC 7301 3.2). */
static int alpn_select(SSL *ssl, const unsigned char **out, unsigned char *out_n,
                       const unsigned char *in, unsigned in_n, void *arg)
{
    const char *wanted = SSL_get_app_data(ssl);
    size_t n = wanted ? strlen(wanted) : 0;

    (void)arg;
    if (!wanted)
        return SSL_TLSEXT_ERR_NOACK;
    for (unsigned at = 0; at < in_n && at + 1 + in[at] <= in_n; at += 1u + in[at])
        if (in[at] == n && memcmp(in + at + 1, wanted, n) == 0) {
            *out = in + at + 1;
            *out_n = in[at];
            return SSL_TLSEXT_ERR_OK;
        }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int sni_select(SSL *ssl, int *alert, void *arg)
{
    struct net_tls *tls = arg;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

    (void)alert;
    if (!name)
        return SSL_TLSEXT_ERR_NOACK;
    pthread_mutex_lock(&tls->mutex);
    for (unsigned i = 0; i < tls->count; i++)
        if (X509_check_host(tls->certificates[i].x509, name, 0, 0, NULL) == 1) {
            SSL_set_SSL_CTX(ssl, tls->certificates[i].context);
            break;
        }
    pthread_mutex_unlock(&tls->mutex);
    return SSL_TLSEXT_ERR_OK;
}

/* I 11.1-1 */
static void context_settings(struct net_tls *tls, SSL_CTX *context)
{
    static const unsigned char session_name[] = "postern";

    /* K4 */
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* tickets only: a cache of sessions would be memory that a stranger can fill */
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, 1);
    SSL_CTX_set_session_id_context(context, session_name, sizeof session_name - 1);
    SSL_CTX_set_alpn_select_cb(context, alpn_select, NULL);
    SSL_CTX_set_tlsext_servername_callback(context, sni_select);
    SSL_CTX_set_tlsext_servername_arg(context, tls);
}

/* ask_clients - a certificate is asked for and must verify when it comes, but need not come (R98).
 */
static int ask_clients(SSL_CTX *context, const char *ca_path)
{
    if (!ca_path)
        return 0;
    if (SSL_CTX_load_verify_locations(context, ca_path, NULL) != 1)
        return tls_fail("client CA", ca_path);
    SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(ca_path));
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    return 0;
}

static int certificate_load(struct net_tls *tls, struct tls_certificate *certificate)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    int err = context ? 0 : POSTERN_E_NOMEM;

    if (!err)
        context_settings(tls, context);
    if (!err && !certificate->cert_path)
        err = tls_make_self_signed(context, tls->host) < 0
                  ? tls_fail("self-signed certificate", NULL)
                  : 0;
    else if (!err && SSL_CTX_use_certificate_chain_file(context, certificate->cert_path) != 1)
        err = tls_fail("certificate", certificate->cert_path);
    else if (!err &&
             SSL_CTX_use_PrivateKey_file(context, certificate->key_path, SSL_FILETYPE_PEM) != 1)
        err = tls_fail("key", certificate->key_path);
    if (!err)
        err = ask_clients(context, tls->client_ca);
    if (err) {
        SSL_CTX_free(context);
        return err;
    }
    certificate->context = context;
    certificate->x509 = SSL_CTX_get0_certificate(context);
    return 0;
}

static void certificate_done(struct tls_certificate *certificate)
{
    SSL_CTX_free(certificate->context);
    free(certificate->cert_path);
    free(certificate->key_path);
    *certificate = (struct tls_certificate){0};
}

int net_tls_add(struct net_tls *tls, const char *cert_path, const char *key_path)
{
    struct tls_certificate certificate = {0};
    int err;

    if (tls->count == CERTIFICATES_MAX)
        return POSTERN_E_FULL;
    if (cert_path) {
        certificate.cert_path = strdup(cert_path);
        certificate.key_path = strdup(key_path);
    }
    err = certificate_load(tls, &certificate);
    if (err < 0) {
        certificate_done(&certificate);
        return err;
    }
    pthread_mutex_lock(&tls->mutex);
    tls->certificates[tls->count++] = certificate;
    pthread_mutex_unlock(&tls->mutex);
    return 0;
}

int net_tls_new(struct net_tls **tls_r, const char *cert_path, const char *key_path,
                const char *host)
{
    struct net_tls *tls = calloc(1, sizeof *tls);
    int err;

    if (!tls)
        return POSTERN_E_NOMEM;
    pthread_mutex_init(&tls->mutex, NULL);
    tls->host = strdup(host && *host ? host : "localhost");
    err = net_tls_add(tls, cert_path, key_path);
    if (err < 0) {
        net_tls_free(&tls);
        return err;
    }
    *tls_r = tls;
    return 0;
}

int net_tls_reload(struct net_tls *tls)
{
    struct tls_certificate fresh[CERTIFICATES_MAX] = {0};
    unsigned count = 0;

    /* all or nothing: one broken file leaves every old certificate in force */
    for (unsigned i = 0; i < tls->count; i++) {
        fresh[i] = (struct tls_certificate){.cert_path = tls->certificates[i].cert_path,
                                            .key_path = tls->certificates[i].key_path};
        if (!fresh[i].cert_path && !tls->client_ca)
            continue; /* nothing on disk to read again */
        if (certificate_load(tls, &fresh[i]) < 0) {
            while (i-- > 0)
                SSL_CTX_free(fresh[i].context);
            return POSTERN_E_IO;
        }
        count++;
    }
    if (count == 0)
        return 0;
    pthread_mutex_lock(&tls->mutex);
    for (unsigned i = 0; i < tls->count; i++)
        if (fresh[i].context) {
            SSL_CTX_free(tls->certificates[i].context);
            tls->certificates[i] = fresh[i];
        }
    pthread_mutex_unlock(&tls->mutex);
    return 0;
}

int net_tls_client_ca(struct net_tls *tls, const char *ca_path)
{
    char *path = strdup(ca_path);
    int err = path ? 0 : POSTERN_E_NOMEM;

    for (unsigned i = 0; !err && i < tls->count; i++)
        err = ask_clients(tls->certificates[i].context, path);
    if (err) {
        free(path);
        return err;
    }
    free(tls->client_ca);
    tls->client_ca = path;
    return 0;
}

const char *net_tls_cert_pem(const struct net_tls *tls)
{
    struct net_tls *owner = (struct net_tls *)tls;
    BIO *memory = BIO_new(BIO_s_mem());
    char *data;
    long n;

    if (memory && PEM_write_bio_X509(memory, tls->certificates[0].x509) == 1) {
        n = BIO_get_mem_data(memory, &data);
        free(owner->pem);
        owner->pem = strndup(data, (size_t)n);
    }
    BIO_free(memory);
    return tls->pem ? tls->pem : "";
}

void net_tls_free(struct net_tls **tls_p)
{
    struct net_tls *tls = tls_p ? *tls_p : NULL;

    if (!tls)
        return;
    for (unsigned i = 0; i < tls->count; i++)
        certificate_done(&tls->certificates[i]);
    pthread_mutex_destroy(&tls->mutex);
    free(tls->host);
    free(tls->client_ca);
    free(tls->pem);
    free(tls);
    *tls_p = NULL;
}

int tls_session_new(struct net_tls *tls, const char *alpn, int fd, SSL **ssl_r)
{
    SSL *ssl;

    pthread_mutex_lock(&tls->mutex);
    ssl = SSL_new(tls->certificates[0].context);
    pthread_mutex_unlock(&tls->mutex);
    if (!ssl || SSL_set_fd(ssl, fd) != 1) {
        SSL_free(ssl);
        return POSTERN_E_NOMEM;
    }
    SSL_set_app_data(ssl, (char *)alpn);
    SSL_set_accept_state(ssl);
    *ssl_r = ssl;
    return 0;
}

/* identity_of - the first mail address among the subject's other names, else its common name. */
static void identity_of(X509 *certificate, char identity[256])
{
    STACK_OF(OPENSSL_STRING) *mails = X509_get1_email(certificate);

    if (mails && sk_OPENSSL_STRING_num(mails) > 0)
        snprintf(identity, 256, "%s", sk_OPENSSL_STRING_value(mails, 0));
    else if (X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, identity,
                                       256) < 0)
        identity[0] = '\0';
    X509_email_free(mails);
}

void tls_facts(SSL *ssl, char identity[256], unsigned char binding[32],
               struct postern_tls_facts *facts_r)
{
    static const char label[] = "EXPORTER-Channel-Binding"; /* RFC 9266 */
    X509 *certificate = SSL_get0_peer_certificate(ssl);

    *facts_r = (struct postern_tls_facts){{0}, {0}};
    identity[0] = '\0';
    if (certificate && SSL_get_verify_result(ssl) == X509_V_OK)
        identity_of(certificate, identity);
    if (identity[0])
        facts_r->identity = postern_span_of(identity);
    if (SSL_export_keying_material(ssl, binding, 32, label, sizeof label - 1, NULL, 0, 0) == 1 &&
        (SSL_version(ssl) >= TLS1_3_VERSION || SSL_get_extms_support(ssl) == 1))
        facts_r->binding_exporter = span_make((const char *)binding, 32);
    ERR_clear_error();
}
