/* SPDX-License-Identifier: MIT */
/* reach - sockets that do not block, and poll() with what is left of the limit: a peer that sends
 * or takes an octet now and then cannot hold a worker longer. */
#include "net/reach.h"

#include "base/memory.h"
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

struct reach {
    int fd;
    postern_time limit, until;
};

void reach_again(struct reach *reach)
{
    reach->until = uv_hrtime() + reach->limit;
}

/* wait_for - 0, POSTERN_E_AGAIN (too late), _IO. */
static int wait_for(const struct reach *reach, int fd, short events)
{
    struct pollfd polled = {.fd = fd, .events = events};
    int r;

    do {
        postern_time now = uv_hrtime(), left = now < reach->until ? reach->until - now : 0;

        r = left ? poll(&polled, 1,
                        (int)(left / 1000000 < INT32_MAX ? left / 1000000 + 1 : INT32_MAX))
                 : 0;
    } while (r < 0 && errno == EINTR);
    return r > 0 ? 0 : r ? POSTERN_E_IO : POSTERN_E_AGAIN;
}

/* connect_one - 0, or <0. */
static int connect_one(struct reach *reach, int family, const struct sockaddr *address,
                       socklen_t length)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), error = 0, err = 0;
    socklen_t n = sizeof error;

    if (fd < 0)
        return POSTERN_E_IO;
    if (connect(fd, address, length) < 0) {
        err = errno == ENOENT        ? POSTERN_E_NOT_FOUND
              : errno == EINPROGRESS ? wait_for(reach, fd, POLLOUT)
                                     : POSTERN_E_IO;
        if (!err && (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0 || error))
            err = POSTERN_E_IO;
    }
    if (err)
        close(fd);
    else
        reach->fd = fd;
    return err;
}

static int connect_path(struct reach *reach, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof address.sun_path)
        return POSTERN_E_NOT_FOUND;
    memcpy(address.sun_path, path, strlen(path));
    return connect_one(reach, AF_UNIX, (const struct sockaddr *)&address, sizeof address);
}

static int connect_host(struct reach *reach, const char *host, const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *all;
    int err = POSTERN_E_IO, r = getaddrinfo(host, port, &hints, &all);

    if (r)
        return r == EAI_NONAME ? POSTERN_E_NOT_FOUND : POSTERN_E_IO;
    for (const struct addrinfo *one = all; one && err; one = one->ai_next)
        err = connect_one(reach, one->ai_family, one->ai_addr, one->ai_addrlen);
    freeaddrinfo(all);
    return err;
}

int reach_open(struct reach **reach_r, const struct reach_options *options)
{
    struct reach *reach = memory_new(NULL, sizeof *reach);
    int err;

    if (!reach)
        return POSTERN_E_NOMEM;
    reach->fd = -1;
    reach->limit = options->limit;
    reach_again(reach);
    err = options->path ? connect_path(reach, options->path)
                        : connect_host(reach, options->host, options->port);
    if (err)
        reach_close(&reach);
    else
        *reach_r = reach;
    return err;
}

int reach_read(struct reach *reach, char *out, size_t n)
{
    for (;;) {
        ssize_t got = recv(reach->fd, out, n, 0);
        int err;

        if (got >= 0)
            return (int)got;
        if (errno != EAGAIN && errno != EINTR)
            return POSTERN_E_IO;
        err = wait_for(reach, reach->fd, POLLIN);
        if (err)
            return err;
    }
}

int reach_write(struct reach *reach, struct postern_span bytes)
{
    while (bytes.n) {
        ssize_t sent = send(reach->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        int err = 0;

        if (sent < 0)
            err = errno == EAGAIN || errno == EINTR ? wait_for(reach, reach->fd, POLLOUT)
                                                    : POSTERN_E_IO;
        if (err)
            return err;
        bytes.p += sent > 0 ? sent : 0;
        bytes.n -= sent > 0 ? (size_t)sent : 0;
    }
    return 0;
}

int reach_fd(const struct reach *reach)
{
    return reach->fd;
}

int reach_wait(const struct reach *reach, bool to_write)
{
    return wait_for(reach, reach->fd, to_write ? POLLOUT : POLLIN);
}

void reach_close(struct reach **reach)
{
    if (*reach && (*reach)->fd >= 0)
        close((*reach)->fd);
    memory_free(NULL, *reach);
    *reach = NULL;
}
