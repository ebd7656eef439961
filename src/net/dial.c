/* SPDX-License-Identifier: MIT */
/* dial - sockets that wait with a limit of their own (SO_RCVTIMEO, SO_SNDTIMEO). */
#include "net/dial.h"

#include "base/memory.h"
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct dial {
    int fd;
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
        (void)!fcntl(d->fd, F_SETFL, O_NONBLOCK); /* the last word is not waited for */
        (void)SSL_shutdown(d->ssl);
        SSL_free(d->ssl);
    }
    SSL_CTX_free(d->context);
    if (d->fd >= 0)
        close(d->fd);
    memory_free(NULL, d);
    *dial = NULL;
}

/* connect_one - 0, or -1. */
static int connect_one(const struct addrinfo *address, unsigned wait_s)
{
    struct timeval wait = {.tv_sec = wait_s};
    int fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    /* the limit of sending is the one of connecting as well (socket(7)) */
    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) == 0 &&
        connect(fd, address->ai_addr, address->ai_addrlen) == 0)
        return fd;
    close(fd);
    return -1;
}

static int connect_path(const struct dial_options *options, int *fd_r)
{
    struct sockaddr_un path = {.sun_family = AF_UNIX};
    struct addrinfo address = {.ai_family = AF_UNIX,
                               .ai_socktype = SOCK_STREAM,
                               .ai_addr = (struct sockaddr *)&path,
                               .ai_addrlen = sizeof path};

    if (snprintf(path.sun_path, sizeof path.sun_path, "%s", options->host) >=
        (int)sizeof path.sun_path)
        return POSTERN_E_NOT_FOUND;
    *fd_r = connect_one(&address, options->wait_s);
    return *fd_r < 0 ? POSTERN_E_IO : 0;
}

static int connect_any(const struct dial_options *options, int *fd_r)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *all;
    int r;

    *fd_r = -1;
    if (*options->host == '/')
        return connect_path(options, fd_r);
    r = getaddrinfo(options->host, options->port, &hints, &all);
    if (r)
        return r == EAI_NONAME ? POSTERN_E_NOT_FOUND : POSTERN_E_AGAIN;
    for (const struct addrinfo *one = all; one && *fd_r < 0; one = one->ai_next)
        *fd_r = connect_one(one, options->wait_s);
    freeaddrinfo(all);
    return *fd_r < 0 ? POSTERN_E_IO : 0;
}

int dial_open(struct dial **dial_r, const struct dial_options *options)
{
    struct dial *d = memory_new(NULL, sizeof *d);
    int err;

    if (!d)
        return POSTERN_E_NOMEM;
    d->verify = options->verify;
    snprintf(d->host, sizeof d->host, "%s", options->host);
    snprintf(d->ca_path, sizeof d->ca_path, "%s", options->ca_path ? options->ca_path : "");
    err = connect_any(options, &d->fd);
    if (!err && options->tls_first)
        err = dial_tls(d);
    if (err)
        dial_close(&d);
    *dial_r = d;
    return err;
}

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

int dial_tls(struct dial *d)
{
    if (!context_make(d) || !(d->ssl = SSL_new(d->context)) || SSL_set_fd(d->ssl, d->fd) != 1 ||
        SSL_set_tlsext_host_name(d->ssl, d->host) != 1 ||
        (d->verify && SSL_set1_host(d->ssl, d->host) != 1))
        return POSTERN_E_IO;
    if (SSL_connect(d->ssl) == 1)
        return 0;
    return SSL_get_verify_result(d->ssl) == X509_V_OK ? POSTERN_E_IO : POSTERN_E_DENIED;
}

static int why_not(void)
{
    return errno == EAGAIN || errno == EINPROGRESS ? POSTERN_E_AGAIN : POSTERN_E_IO;
}

int dial_read(struct dial *d, char *out, size_t n)
{
    ssize_t got;

    if (d->ssl) {
        int r = SSL_read(d->ssl, out, (int)(n < 16384 ? n : 16384));

        if (r > 0)
            return r;
        return SSL_get_error(d->ssl, r) == SSL_ERROR_ZERO_RETURN ? 0 : why_not();
    }
    do
        got = recv(d->fd, out, n, 0);
    while (got < 0 && errno == EINTR);
    return got < 0 ? why_not() : (int)got;
}

int dial_write(struct dial *d, struct postern_span bytes)
{
    while (bytes.n) {
        ssize_t sent = d->ssl ? SSL_write(d->ssl, bytes.p, bytes.n < 16384 ? (int)bytes.n : 16384)
                              : send(d->fd, bytes.p, bytes.n, MSG_NOSIGNAL);

        if (sent <= 0 && (d->ssl || errno != EINTR))
            return why_not();
        if (sent > 0) {
            bytes.p += sent;
            bytes.n -= (size_t)sent;
        }
    }
    return 0;
}
