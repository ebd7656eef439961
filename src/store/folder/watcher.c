/* SPDX-License-Identifier: MIT */
/* watcher - what others do to folders comes by inotify. One inotify instance and one thread per
 * store, however many watch: the kernel allows a user few of them. */
#include "store/folder/watch.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

static struct watched **bucket_of(struct watcher *watcher, int watch)
{
    return &watcher->buckets[(unsigned)watch % WATCH_BUCKETS];
}

/* ---- events ---------------------------------------------------------------------------------- */

/* told - of a change that no young time may hide from those who look now. */
static void told(const struct news *news)
{
    atomic_fetch_add(&news->account->touches, 1);
    news_ring(news);
}

/* forget - the kernel has no such watch any more. */
static void forget(struct watched *one)
{
    struct watched **at = &one->news->folders;

    while (*at != one)
        at = &(*at)->more;
    *at = one->more;
    one->news->count--;
    free(one);
}

static void tell(struct watcher *watcher, const struct inotify_event *event)
{
    for (struct watched **at = bucket_of(watcher, event->wd); *at;) {
        struct watched *one = *at;

        if (one->watch == event->wd)
            told(one->news);
        if (one->watch != event->wd || !(event->mask & IN_IGNORED)) {
            at = &one->next;
            continue;
        }
        *at = one->next;
        forget(one);
    }
}

/* tell_all - events were lost. */
static void tell_all(struct watcher *watcher)
{
    for (size_t i = 0; i < WATCH_BUCKETS; i++)
        for (const struct watched *one = watcher->buckets[i]; one; one = one->next)
            told(one->news);
}

static void take_events(struct watcher *watcher)
{
    _Alignas(struct inotify_event) char events[4096];
    ssize_t n = read(watcher->inotify, events, sizeof events);

    pthread_mutex_lock(&watcher->mutex);
    for (ssize_t at = 0; at < n;) {
        const struct inotify_event *event = (const void *)(events + at);

        if (event->mask & IN_Q_OVERFLOW)
            tell_all(watcher);
        else
            tell(watcher, event);
        at += (ssize_t)sizeof *event + event->len;
    }
    pthread_mutex_unlock(&watcher->mutex);
}

static void *watch_thread(void *arg)
{
    struct watcher *watcher = arg;
    struct pollfd fds[2] = {{.fd = watcher->inotify, .events = POLLIN},
                            {.fd = watcher->stop, .events = POLLIN}};

    for (;;) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return NULL;
        if (fds[1].revents)
            return NULL;
        take_events(watcher);
    }
}

/* ---- life ------------------------------------------------------------------------------------ */

static struct watcher *watcher_new(void)
{
    struct watcher *watcher = calloc(1, sizeof *watcher);

    if (!watcher)
        return NULL;
    watcher->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    watcher->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&watcher->mutex, NULL);
    if (watcher->inotify >= 0 && watcher->stop >= 0 &&
        pthread_create(&watcher->thread, NULL, watch_thread, watcher) == 0)
        return watcher;
    folder_fd_close(&watcher->inotify);
    folder_fd_close(&watcher->stop);
    pthread_mutex_destroy(&watcher->mutex);
    free(watcher);
    return NULL;
}

void watcher_free(struct watcher *watcher)
{
    uint64_t one = 1;

    if (!watcher)
        return;
    if (write(watcher->stop, &one, sizeof one) > 0)
        pthread_join(watcher->thread, NULL);
    close(watcher->inotify);
    close(watcher->stop);
    pthread_mutex_destroy(&watcher->mutex);
    free(watcher);
}

struct watcher *watcher_of(struct folder_store *store)
{
    struct watcher *watcher;

    pthread_mutex_lock(&store->mutex);
    if (!store->watcher)
        store->watcher = watcher_new();
    watcher = store->watcher;
    pthread_mutex_unlock(&store->mutex);
    return watcher;
}

/* ---- folders --------------------------------------------------------------------------------- */

/* is_used - by any news. */
static bool is_used(struct watcher *watcher, int watch)
{
    for (const struct watched *one = *bucket_of(watcher, watch); one; one = one->next)
        if (one->watch == watch)
            return true;
    return false;
}

static int remember(struct watcher *watcher, struct news *news, int watch)
{
    struct watched **bucket = bucket_of(watcher, watch), *one;

    for (one = *bucket; one; one = one->next)
        if (one->watch == watch && one->news == news)
            return 0;
    one = news->count < WATCH_ALL_MAX ? malloc(sizeof *one) : NULL;
    if (!one)
        return POSTERN_E_FULL;
    *one = (struct watched){*bucket, news->folders, watch, news};
    *bucket = news->folders = one;
    news->count++;
    return 0;
}

/* By the descriptor: a path could be turned into another. Within the mutex, as whoever leaves must
 * see that the watch is still needed. */
int watcher_add(struct watcher *watcher, struct news *news, int fd, uint32_t events)
{
    char path[40];
    int watch, err;

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    pthread_mutex_lock(&watcher->mutex);
    watch = fd < 0 ? -1 : inotify_add_watch(watcher->inotify, path, events);
    err = watch < 0 ? errno == ENOSPC || fd < 0 ? POSTERN_E_FULL : POSTERN_E_IO
                    : remember(watcher, news, watch);
    if (err && watch >= 0 && !is_used(watcher, watch))
        inotify_rm_watch(watcher->inotify, watch);
    pthread_mutex_unlock(&watcher->mutex);
    return err;
}

int watcher_add_mailbox(struct watcher *watcher, struct news *news,
                        const struct index_mailbox *rows)
{
    struct place place;
    int err = place_open(&place, news->account, rows);

    for (unsigned i = 0; i < news->account->store->kind->sub_count && !err; i++)
        err = watcher_add(watcher, news, place_sub(&place, i), WATCH_EVENTS);
    place_close(&place);
    /* what came just before is told by no event: the next look believes no young time */
    if (!err)
        atomic_fetch_add(&news->account->touches, 1);
    return err;
}

void watcher_drop(struct watcher *watcher, struct news *news)
{
    while (news->folders) {
        struct watched *one = news->folders, **at = bucket_of(watcher, one->watch);

        while (*at != one)
            at = &(*at)->next;
        *at = one->next;
        news->folders = one->more;
        if (!is_used(watcher, one->watch))
            inotify_rm_watch(watcher->inotify, one->watch);
        free(one);
    }
}
