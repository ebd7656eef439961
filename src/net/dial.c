/* SPDX-License-Identifier: MIT */
/* dial - a connection that may be encrypted. What is written begins a step, to which all that is
 * read until the next belongs: a server that sends an octet now and then holds nobody longer. */
#include "net/dial.h"

#include "base/memory.h"
#include "net/reach.h"
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>

struct dial {
    struct reach *reach;
    SSL_CTX *context;
    SSL *ssl; /* NULL: nothing is encrypted */
    char host[256], ca_path[4096];
    bool verify;
};

void dial_close(struct dial **dial)
{
    struct dial *d = *dial;

    if (!d)
        return;
    if (d->ssl) {
        (void)SSL_shutdown(d->ssl); /* the last word is not waited for */
        SSL_free(d->ssl);
    }
    SSL_CTX_free(d->context);
    reach_close(&d->reach);
    memory_free(NULL, d);
    *dial = NULL;
}

int dial_open(struct dial **dial_r, const struct dial_options *options)
{
    struct dial *d = memory_new(NULL, sizeof *d);
    struct reach_options reach = {.path = *options->host == '/' ? options->host : NULL,
                                  .host = options->host,
                                  .port = options->port,
                                  .limit = options->wait_s * POSTERN_SECOND};
    int err;

    if (!d)
        return POSTERN_E_NOMEM;
    d->verify = options->verify;
    snprintf(d->host, sizeof d->host, "%s", options->host);
    snprintf(d->ca_path, sizeof d->ca_path, "%s", options->ca_path ? options->ca_path : "");
    err = reach_open(&d->reach, &reach);
    if (!err && options->tls_first)
        err = dial_tls(d);
    if (err)
        dial_close(&d);
    *dial_r = d;
    return err;
}

/* ---- TLS ------------------------------------------------------------------------------------- */

static bool context_make(struct dial *d)
{
    d->context = SSL_CTX_new(TLS_client_method());
    if (!d->context || SSL_CTX_set_min_proto_version(d->context, TLS1_2_VERSION) != 1)
        return false;
    if (!d->verify)
        return true;
    SSL_CTX_set_verify(d->context, SSL_VERIFY_PEER, NULL);
    return d->ca_path[0] ? SSL_CTX_load_verify_locations(d->context, d->ca_path, NULL) == 1
                         : SSL_CTX_set_default_verify_paths(d->context) == 1;
}

/* go_on - what TLS gave r wants to be waited for: 0, it may be tried again; else why not. */
static int go_on(const struct dial *d, int r)
{
    switch (SSL_get_error(d->ssl, r)) {
    case SSL_ERROR_WANT_READ:
        return reach_wait(d->reach, false);
    case SSL_ERROR_WANT_WRITE:
        return reach_wait(d->reach, true);
    default:
        return POSTERN_E_IO;
    }
}

int dial_tls(struct dial *d)
{
    int r, err = 0;

    if (!context_make(d) || !(d->ssl = SSL_new(d->context)) ||
        SSL_set_fd(d->ssl, reach_fd(d->reach)) != 1 ||
        SSL_set_tlsext_host_name(d->ssl, d->host) != 1 ||
        (d->verify && SSL_set1_host(d->ssl, d->host) != 1))
        return POSTERN_E_IO;
    reach_again(d->reach);
    ERR_clear_error(); /* what this thread did before is not to be taken for a failure here */
    while ((r = SSL_connect(d->ssl)) != 1 && !err)
        err = go_on(d, r);
    if (err != POSTERN_E_IO)
        return err;
    return SSL_get_verify_result(d->ssl) == X509_V_OK ? POSTERN_E_IO : POSTERN_E_DENIED;
}

int dial_read(struct dial *d, char *out, size_t n)
{
    int r, err = 0;

    if (!d->ssl)
        return reach_read(d->reach, out, n);
    ERR_clear_error();
    while ((r = SSL_read(d->ssl, out, (int)(n < 16384 ? n : 16384))) <= 0 && !err) {
        if (SSL_get_error(d->ssl, r) == SSL_ERROR_ZERO_RETURN)
            return 0;
        err = go_on(d, r);
    }
    return err ? err : r;
}

int dial_write(struct dial *d, struct postern_span bytes)
{
    int err = 0;

    reach_again(d->reach);
    if (!d->ssl)
        return reach_write(d->reach, bytes);
    ERR_clear_error();
    while (bytes.n && !err) {
        int sent = SSL_write(d->ssl, bytes.p, bytes.n < 16384 ? (int)bytes.n : 16384);

        if (sent > 0) {
            bytes.p += sent;
            bytes.n -= (size_t)sent;
        } else {
            err = go_on(d, sent);
        }
    }
    return err;
}
