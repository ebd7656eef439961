/* SPDX-License-Identifier: MIT */
/* serve_fd - one session on one descriptor, by poll(): the smallest host there is. The one place of
 * the library that reads a clock.
 *
 * Trap: a late answer comes from another thread; an eventfd carries the wake-up into poll(). */
#include "provider/visit.h"

#include "base/span.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PIECES 16

struct host {
    int fd, woken;
    struct postern_visit *visit;
    struct postern_pop3 *pop3; /* one of the two */
    struct postern_imap *imap;
    char in[4096];
    size_t in_at, in_n; /* bytes read that the engine has not taken yet */
    bool eof;
};

/* ENGINE - a call of whichever engine it is; the two have the same ones. */
#define ENGINE(h, call, ...)                                               \
    ((h)->imap ? postern_imap_##call((h)->imap __VA_OPT__(, ) __VA_ARGS__) \
               : postern_pop3_##call((h)->pop3 __VA_OPT__(, ) __VA_ARGS__))

static postern_time clock_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (postern_time)now.tv_sec * POSTERN_SECOND + (postern_time)now.tv_nsec;
}

static void wake(void *arg)
{
    uint64_t one = 1;

    if (write(((struct host *)arg)->woken, &one, sizeof one) < 0)
        return; /* the counter is full: poll() wakes anyway */
}

/* 0, or <0 when the connection is broken. A peer that left is no error: it reads as the end. */
static int input_read(struct host *h)
{
    ssize_t n = recv(h->fd, h->in, sizeof h->in, 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n < 0 && errno != ECONNRESET)
        return POSTERN_E_IO;
    if (n <= 0) {
        h->eof = true;
        ENGINE(h, eof);
        return 0;
    }
    h->in_at = 0;
    h->in_n = (size_t)n;
    return 0;
}

/* Feed and answer until the engine wants no more. */
static void input_take(struct host *h)
{
    postern_time now = clock_now();
    int taken = 1;

    postern_visit_pump(h->visit, now);
    while (h->in_at < h->in_n && taken > 0) {
        taken = ENGINE(h, feed, span_make(h->in + h->in_at, h->in_n - h->in_at), now);
        if (taken < 0)
            h->in_n = h->in_at; /* over: what follows is for nobody */
        else
            h->in_at += (size_t)taken;
        postern_visit_pump(h->visit, now);
    }
}

/* Write all that can be written now. 1: more waits; 0: nothing left; <0: broken. */
static int output_write(struct host *h)
{
    struct postern_piece pieces[PIECES];
    struct iovec vector[PIECES];
    size_t n;

    while ((n = ENGINE(h, output, pieces, PIECES)) > 0) {
        struct msghdr message = {.msg_iov = vector, .msg_iovlen = n};
        ssize_t written;

        for (size_t i = 0; i < n; i++) /* sends_files is off: pieces have bytes */
            vector[i] = (struct iovec){(void *)pieces[i].bytes.p, pieces[i].bytes.n};
        written = sendmsg(h->fd, &message, MSG_NOSIGNAL);
        if (written < 0 && (errno == EAGAIN || errno == EINTR))
            return 1;
        if (written < 0)
            return errno == EPIPE || errno == ECONNRESET ? POSTERN_E_CLOSED : POSTERN_E_IO;
        ENGINE(h, sent, (uint64_t)written, clock_now());
        postern_visit_pump(h->visit, clock_now());
    }
    return 0;
}

static int poll_timeout(const struct host *h)
{
    postern_time deadline = ENGINE(h, deadline), now = clock_now();
    uint64_t wait;

    if (deadline == POSTERN_NEVER)
        return -1;
    if (deadline <= now)
        return 0;
    wait = (deadline - now) / (POSTERN_SECOND / 1000) + 1;
    return wait > 3600 * 1000 ? 3600 * 1000 : (int)wait;
}

static int wait_for(struct host *h, bool writing)
{
    bool reading = !h->eof && h->in_at == h->in_n && (ENGINE(h, wants) & POSTERN_WANT_READ);
    struct pollfd polled[2] = {
        /* not watched while the application thinks: a peer that hung up would wake us for ever */
        {.fd = reading || writing ? h->fd : -1,
         .events = (short)((reading ? POLLIN : 0) | (writing ? POLLOUT : 0))},
        {.fd = h->woken, .events = POLLIN},
    };
    uint64_t count;

    if (poll(polled, 2, poll_timeout(h)) < 0 && errno != EINTR)
        return POSTERN_E_IO;
    if (polled[1].revents & POLLIN && read(h->woken, &count, sizeof count) < 0 && errno != EAGAIN)
        return POSTERN_E_IO;
    ENGINE(h, tick, clock_now());
    return reading && polled[0].revents ? input_read(h) : 0;
}

static int turn_until_over(struct host *h)
{
    int r;

    for (;;) {
        input_take(h);
        r = output_write(h);
        if (r < 0)
            return r;
        if (r == 0 && ENGINE(h, wants) & POSTERN_WANT_CLOSE)
            return 0;
        if (r == 0 && h->in_at < h->in_n && ENGINE(h, wants) & POSTERN_WANT_READ)
            continue; /* the output was in the way */
        r = wait_for(h, r == 1);
        if (r < 0)
            return r;
    }
}

static int session_run(struct postern_service *service, struct host *h, bool imap)
{
    struct sockaddr_storage peer = {0};
    socklen_t peer_bytes = sizeof peer;
    struct postern_visit_options options = {.wake = wake, .wake_arg = h, .imap = imap};
    int r;

    if (getpeername(h->fd, (struct sockaddr *)&peer, &peer_bytes) < 0)
        return POSTERN_E_USAGE;
    options.peer = (struct sockaddr *)&peer;
    r = postern_visit_new(&h->visit, service, &options, clock_now());
    if (r < 0)
        return r;
    h->pop3 = postern_visit_engine(h->visit);
    h->imap = postern_visit_imap(h->visit);
    r = turn_until_over(h);
    postern_visit_free(&h->visit);
    return r == POSTERN_E_CLOSED ? 0 : r; /* the peer left */
}

static int serve(struct postern_service *service, int fd, bool imap)
{
    struct host host = {.fd = fd};
    int flags = fcntl(fd, F_GETFL), r;

    if (flags < 0)
        return POSTERN_E_USAGE;
    host.woken = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (host.woken < 0)
        return POSTERN_E_IO;
    fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    r = session_run(service, &host, imap);
    fcntl(fd, F_SETFL, flags);
    close(host.woken);
    return r;
}

int postern_serve_fd(struct postern_service *service, int fd)
{
    return service->options.tls_available ? POSTERN_E_USAGE : serve(service, fd, false);
}

int postern_serve_imap_fd(struct postern_service *service, int fd)
{
    return service->imap.tls_available ? POSTERN_E_USAGE : serve(service, fd, true);
}
