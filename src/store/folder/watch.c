/* SPDX-License-Identifier: MIT */
/* watch - news of a mailbox for those who wait: what this process changes is told at once, what
 * others do comes by inotify. One inotify instance and one thread per store, however many watch:
 * the kernel allows a user few of them. */
#include "store/folder/watch.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

void watch_ring(int event_fd)
{
    uint64_t one = 1;
    ssize_t n = write(event_fd, &one, sizeof one);

    (void)n; /* full: it is readable as it is */
}

/* tell - the handles that an event is for; -1: events were lost, so all. */
static void tell(struct watcher *watcher, int watch, bool is_over)
{
    pthread_mutex_lock(&watcher->mutex);
    watch_all_tell(watcher, watch, is_over);
    for (struct postern_mailbox *each = watcher->handles; each; each = each->next)
        for (unsigned i = 0; i < FOLDER_SUBS; i++)
            if (watch < 0 || each->watches[i] == watch)
                watch_ring(each->event_fd);
    pthread_mutex_unlock(&watcher->mutex);
}

static void *watch_thread(void *arg)
{
    struct watcher *watcher = arg;
    struct pollfd fds[2] = {{.fd = watcher->inotify, .events = POLLIN},
                            {.fd = watcher->stop, .events = POLLIN}};
    _Alignas(struct inotify_event) char events[4096];

    for (;;) {
        ssize_t n;

        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return NULL;
        if (fds[1].revents)
            return NULL;
        n = read(watcher->inotify, events, sizeof events);
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *event = (const void *)(events + at);

            tell(watcher, event->mask & IN_Q_OVERFLOW ? -1 : event->wd, event->mask & IN_IGNORED);
            at += (ssize_t)sizeof *event + event->len;
        }
    }
}

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

/* watch_folders - ask the kernel; by descriptors, since a path could be turned into another. */
static int watch_folders(struct watcher *watcher, struct postern_mailbox *mailbox)
{
    struct postern_account *account = mailbox->account;
    const struct index_mailbox *rows = index_mailbox_of(&account->index, mailbox->id);
    struct place place;
    int err = rows ? place_open(&place, account, rows) : POSTERN_E_NOT_FOUND;

    if (!rows)
        return err;
    for (unsigned i = 0; i < account->store->kind->sub_count && !err; i++) {
        int sub = place_sub(&place, i);
        char path[40];

        snprintf(path, sizeof path, "/proc/self/fd/%d", sub);
        pthread_mutex_lock(&watcher->mutex); /* whoever leaves must see that it is still needed */
        mailbox->watches[i] =
            sub < 0 ? -1 : inotify_add_watch(watcher->inotify, path, WATCH_EVENTS);
        err = mailbox->watches[i] < 0 ? POSTERN_E_IO : 0;
        pthread_mutex_unlock(&watcher->mutex);
    }
    place_close(&place);
    return err;
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

int folder_watch_fd(struct postern_mailbox *mailbox)
{
    struct watcher *watcher = watcher_of(mailbox->account->store);
    int err;

    if (mailbox->event_fd >= 0)
        return mailbox->event_fd;
    if (!watcher)
        return POSTERN_E_IO;
    mailbox->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (mailbox->event_fd < 0)
        return folder_error(errno);
    pthread_mutex_lock(&watcher->mutex);
    mailbox->next = watcher->handles;
    watcher->handles = mailbox;
    pthread_mutex_unlock(&watcher->mutex);
    err = account_enter(mailbox->account, 0);
    if (!err) {
        err = watch_folders(watcher, mailbox);
        /* what came just before it is told by no event: the next look believes no young time */
        atomic_fetch_add(&mailbox->account->touches, 1);
        account_leave(mailbox->account);
    }
    if (err)
        watch_leave(mailbox);
    return err ? err : mailbox->event_fd;
}

void folder_watch_clear(struct postern_mailbox *mailbox)
{
    uint64_t count;

    atomic_fetch_add(&mailbox->account->touches, 1);
    while (mailbox->event_fd >= 0 && read(mailbox->event_fd, &count, sizeof count) > 0)
        continue;
}

bool watch_is_used(const struct watcher *watcher, int watch)
{
    if (watch_all_has(watcher, watch))
        return true;
    for (const struct postern_mailbox *each = watcher->handles; each; each = each->next)
        for (unsigned i = 0; i < FOLDER_SUBS; i++)
            if (each->watches[i] == watch)
                return true;
    return false;
}

void watch_leave(struct postern_mailbox *mailbox)
{
    struct watcher *watcher = mailbox->account->store->watcher;
    struct postern_mailbox **at;

    if (mailbox->event_fd < 0)
        return;
    pthread_mutex_lock(&watcher->mutex);
    for (at = &watcher->handles; *at && *at != mailbox; at = &(*at)->next)
        continue;
    if (*at)
        *at = mailbox->next;
    for (unsigned i = 0; i < FOLDER_SUBS; i++)
        if (mailbox->watches[i] >= 0 && !watch_is_used(watcher, mailbox->watches[i]))
            inotify_rm_watch(watcher->inotify, mailbox->watches[i]);
    pthread_mutex_unlock(&watcher->mutex);
    folder_fd_close(&mailbox->event_fd);
}

void watch_news(struct postern_account *account, uint64_t id)
{
    struct watcher *watcher = account->store->watcher;

    if (!watcher)
        return;
    pthread_mutex_lock(&watcher->mutex);
    for (struct postern_mailbox *each = watcher->handles; each; each = each->next)
        if (each->account == account && each->id == id)
            watch_ring(each->event_fd);
    if (account->news)
        watch_all_ring(account->news);
    pthread_mutex_unlock(&watcher->mutex);
}
