/* SPDX-License-Identifier: MIT */
/* listener - sockets that accept. TCP: one socket per loop with SO_REUSEPORT, so that the kernel
 * deals connections out; a unix socket is one, polled by all loops. When the process is out of
 * descriptors, a reserved one is given up to accept and close the newcomer: a level-triggered loop
 * would otherwise spin on a connection that it can neither take nor refuse. */
#include "net/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#define ACCEPT_BATCH 32
#define BACKLOG 4096

struct net_listener {
    struct net_listener *next;
    struct net_listener_options options;
    unsigned port;
    unsigned count; /* sockets */
    int fds[];
};

struct acceptor {
    struct acceptor *next;
    struct net_loop *loop;
    struct net_listener *listener;
    int fd, reserve;
    uv_poll_t poll;
};

const struct net_listener_options *listener_options(const struct net_listener *listener)
{
    return &listener->options;
}

unsigned net_listener_port(const struct net_listener *listener)
{
    return listener->port;
}

/* address_of - the socket address that options and port name; its length, or 0. */
static socklen_t address_of(const char *text, unsigned port, struct sockaddr_storage *address_r)
{
    struct sockaddr_in *four = (void *)address_r;
    struct sockaddr_in6 *six = (void *)address_r;
    struct sockaddr_un *path = (void *)address_r;

    memset(address_r, 0, sizeof *address_r);
    if (text[0] == '/' && strlen(text) < sizeof path->sun_path) {
        path->sun_family = AF_UNIX;
        memcpy(path->sun_path, text, strlen(text) + 1);
        return sizeof *path;
    }
    if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons((uint16_t)port);
        return sizeof *four;
    }
    if (inet_pton(AF_INET6, text, &six->sin6_addr) != 1)
        return 0;
    six->sin6_family = AF_INET6;
    six->sin6_port = htons((uint16_t)port);
    return sizeof *six;
}

/* Connections inherit these from the socket they were accepted on: no call for each. */
static void set_inherited(int fd, int family, size_t buffer_bytes)
{
    int one = 1, size = (int)buffer_bytes;

    if (family != AF_UNIX)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (!size)
        return;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

static int bind_one(const struct sockaddr_storage *address, socklen_t length, size_t buffer_bytes)
{
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;

    if (fd < 0)
        return POSTERN_E_IO;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (address->ss_family != AF_UNIX)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    if (address->ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    set_inherited(fd, address->ss_family, buffer_bytes);
    if (bind(fd, (const void *)address, length) < 0 || listen(fd, BACKLOG) < 0) {
        int err = errno == EACCES       ? POSTERN_E_DENIED
                  : errno == EADDRINUSE ? POSTERN_E_IN_USE
                                        : POSTERN_E_IO;

        close(fd);
        return err;
    }
    return fd;
}

static unsigned port_of(int fd)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;

    if (getsockname(fd, (void *)&address, &length) < 0)
        return 0;
    if (address.ss_family == AF_INET)
        return ntohs(((struct sockaddr_in *)&address)->sin_port);
    return address.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&address)->sin6_port) : 0;
}

/* in_use - whether another process listens already; SO_REUSEPORT alone would let us share its port.
 */
static bool in_use(const struct sockaddr_storage *address, socklen_t length)
{
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    bool used;

    if (fd < 0)
        return false;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (address->ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    used = bind(fd, (const void *)address, length) < 0 && errno == EADDRINUSE;
    close(fd);
    return used;
}

static int listener_bind(struct net_listener *listener, unsigned sockets)
{
    struct sockaddr_storage address;
    socklen_t length = address_of(listener->options.address, listener->options.port, &address);

    if (length == 0)
        return POSTERN_E_SYNTAX;
    if (address.ss_family == AF_UNIX) {
        unlink(listener->options.address);
        sockets = 1;
    } else if (listener->options.port && in_use(&address, length)) {
        return POSTERN_E_IN_USE;
    }
    while (listener->count < sockets) {
        int fd = bind_one(&address, length, listener->options.limits->socket_buffer_bytes);

        if (fd < 0)
            return fd;
        listener->fds[listener->count++] = fd;
        if (listener->count == 1) {
            listener->port = port_of(fd);
            address_of(listener->options.address, listener->port, &address);
        }
    }
    return 0;
}

static void listener_free(struct net_listener *listener)
{
    for (unsigned i = 0; i < listener->count; i++)
        close(listener->fds[i]);
    free(listener);
}

void listeners_free(struct net_loops *loops)
{
    while (loops->listeners) {
        struct net_listener *listener = loops->listeners;

        loops->listeners = listener->next;
        listener_free(listener);
    }
}

int net_listen(struct net_loops *loops, const struct net_listener_options *options,
               struct net_listener **listener_r)
{
    struct net_listener *listener = calloc(1, sizeof *listener + loops->count * sizeof(int));
    int err;

    if (!listener)
        return POSTERN_E_NOMEM;
    listener->options = *options;
    err = listener_bind(listener, loops->count);
    if (err < 0) {
        listener_free(listener);
        return err;
    }
    listener->next = loops->listeners;
    loops->listeners = listener;
    /* loops do not run yet: their handles may be touched from here */
    for (unsigned i = 0; i < loops->count; i++)
        listener_start_on(listener, &loops->loops[i]);
    *listener_r = listener;
    return 0;
}

/* out_of_descriptors - accept and drop one with the reserved descriptor. */
static void out_of_descriptors(struct acceptor *acceptor)
{
    int fd;

    if (acceptor->reserve < 0)
        return;
    close(acceptor->reserve);
    fd = accept4(acceptor->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        close(fd);
    acceptor->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (acceptor->listener->options.event)
        acceptor->listener->options.event(acceptor->listener->options.ctx, NULL, "limit",
                                          "out of descriptors");
}

static void acceptable(uv_poll_t *poll, int status, int events)
{
    struct acceptor *acceptor = poll->data;

    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPT_BATCH; i++) {
        union net_address from = {0};
        socklen_t length = sizeof from;
        int fd = accept4(acceptor->fd, (void *)&from, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0)
            conn_new(acceptor->loop, acceptor->listener, fd, &from);
        else if (errno == EMFILE || errno == ENFILE)
            out_of_descriptors(acceptor);
        if (fd < 0 && errno != ECONNABORTED && errno != EINTR)
            break;
    }
}

void listener_start_on(struct net_listener *listener, struct net_loop *loop)
{
    struct acceptor *acceptor = calloc(1, sizeof *acceptor);

    if (!acceptor)
        return;
    *acceptor = (struct acceptor){.next = loop->acceptors, .loop = loop, .listener = listener};
    acceptor->fd = listener->fds[loop->index % listener->count];
    if (listener->count == 1 && loop->index)
        acceptor->fd = dup(acceptor->fd); /* one epoll entry per loop wants a descriptor each */
    acceptor->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
    uv_poll_init(&loop->uv, &acceptor->poll, acceptor->fd);
    acceptor->poll.data = acceptor;
    uv_poll_start(&acceptor->poll, UV_READABLE, acceptable);
    loop->acceptors = acceptor;
}

static void acceptor_closed(uv_handle_t *handle)
{
    struct acceptor *acceptor = handle->data;

    if (acceptor->reserve >= 0)
        close(acceptor->reserve);
    if (acceptor->listener->count == 1 && acceptor->loop->index)
        close(acceptor->fd);
    free(acceptor);
}

void acceptors_stop(struct net_loop *loop)
{
    while (loop->acceptors) {
        struct acceptor *acceptor = loop->acceptors;

        loop->acceptors = acceptor->next;
        uv_poll_stop(&acceptor->poll);
        /* refuse newcomers now, not when the process ends */
        shutdown(acceptor->fd, SHUT_RDWR);
        uv_close((uv_handle_t *)&acceptor->poll, acceptor_closed);
    }
}
