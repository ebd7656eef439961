/* SPDX-License-Identifier: MIT */
/* watch_all - news of a whole account: the folder of each mailbox, the account's own for mailboxes
 * that come and go, and the index's for what other processes change that no folder shows (keywords,
 * subscriptions, annotations). However many sessions watch an account, its folders are watched
 * once. What is told is only that something may have changed: list() finds out what. */
#include "store/folder/watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#define INDEX_EVENTS (IN_MODIFY | IN_MOVED_TO)

/* ---- who is told ----------------------------------------------------------------------------- */

void watch_all_ring(const struct account_news *news)
{
    for (const struct postern_watch *each = news->listeners; each; each = each->next)
        watch_ring(each->event_fd);
}

void watch_all_tell(struct watcher *watcher, int watch, bool is_over)
{
    struct watched **at = &watcher->buckets[(unsigned)watch % WATCH_BUCKETS];

    if (watch < 0) {
        for (struct account_news *each = watcher->accounts; each; each = each->next)
            watch_all_ring(each);
        return;
    }
    while (*at) {
        struct watched *one = *at;

        if (one->watch == watch)
            watch_all_ring(one->news);
        if (one->watch != watch || !is_over) {
            at = &one->next;
            continue;
        }
        one->news->count--;
        *at = one->next;
        free(one);
    }
}

bool watch_all_has(const struct watcher *watcher, int watch)
{
    for (const struct watched *one = watcher->buckets[(unsigned)watch % WATCH_BUCKETS]; one;
         one = one->next)
        if (one->watch == watch)
            return true;
    return false;
}

/* ---- what is watched ------------------------------------------------------------------------- */

/* remember - the account's watch; what it has twice (a mailbox that was renamed) counts once. */
static int remember(struct watcher *watcher, struct account_news *news, int watch)
{
    struct watched **bucket = &watcher->buckets[(unsigned)watch % WATCH_BUCKETS], *one;

    for (one = *bucket; one; one = one->next)
        if (one->watch == watch && one->news == news)
            return 0;
    one = news->count < WATCH_ALL_MAX ? malloc(sizeof *one) : NULL;
    if (!one)
        return POSTERN_E_FULL;
    *one = (struct watched){*bucket, watch, news};
    *bucket = one;
    news->count++;
    return 0;
}

/* add - a folder, by its descriptor: a path could be turned into another. */
static int add(struct watcher *watcher, struct account_news *news, int fd, uint32_t events)
{
    char path[40];
    int watch, err;

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    pthread_mutex_lock(&watcher->mutex);
    watch = fd < 0 ? -1 : inotify_add_watch(watcher->inotify, path, events);
    err = watch < 0 ? errno == ENOSPC || fd < 0 ? POSTERN_E_FULL : POSTERN_E_IO
                    : remember(watcher, news, watch);
    if (err && watch >= 0 && !watch_is_used(watcher, watch))
        inotify_rm_watch(watcher->inotify, watch);
    pthread_mutex_unlock(&watcher->mutex);
    return err;
}

static int add_mailbox(struct watcher *watcher, struct account_news *news,
                       struct index_mailbox *rows)
{
    struct place place;
    int err = place_open(&place, news->account, rows);

    for (unsigned i = 0; i < news->account->store->kind->sub_count && !err; i++)
        err = add(watcher, news, place_sub(&place, i), WATCH_EVENTS);
    place_close(&place);
    if (!err) {
        rows->watched = news->number;
        atomic_fetch_add(&news->account->touches, 1); /* as for one mailbox */
    }
    return err == POSTERN_E_NOT_FOUND ? 0 : err; /* it has just gone */
}

/* extend - to all that is there now. With the account's mutex. */
static int extend(struct watcher *watcher, struct account_news *news)
{
    struct postern_account *account = news->account;
    int err = 0;

    if (!news->has_base) {
        err = add(watcher, news, account->base, WATCH_EVENTS);
        if (!err && account->dir >= 0)
            err = add(watcher, news, account->dir, INDEX_EVENTS);
        news->has_base = !err;
    }
    for (size_t i = 0; i < account->index.count && !err; i++) {
        struct index_mailbox *rows = account->index.mailboxes[i];

        if (rows->facts.exists && rows->watched != news->number)
            err = add_mailbox(watcher, news, rows);
    }
    return err;
}

void watch_all_extend(struct postern_account *account)
{
    struct account_news *news = account->news;
    struct watcher *watcher = account->store->watcher;

    if (!news || news->lost || extend(watcher, news) == 0)
        return;
    pthread_mutex_lock(&watcher->mutex);
    news->lost = true;
    watch_all_ring(news);
    pthread_mutex_unlock(&watcher->mutex);
}

/* forget - nobody listens any more. With the watcher's mutex. */
static void forget(struct watcher *watcher, struct account_news *news)
{
    struct account_news **at = &watcher->accounts;

    while (*at != news)
        at = &(*at)->next;
    *at = news->next;
    for (size_t i = 0; i < WATCH_BUCKETS && news->count; i++)
        for (struct watched **link = &watcher->buckets[i]; *link;) {
            struct watched *one = *link;

            if (one->news != news) {
                link = &one->next;
                continue;
            }
            *link = one->next;
            news->count--;
            if (!watch_is_used(watcher, one->watch))
                inotify_rm_watch(watcher->inotify, one->watch);
            free(one);
        }
    news->account->news = NULL;
    free(news);
}

/* ---- listeners ------------------------------------------------------------------------------- */

/* join - with the account's mutex. */
static int join(struct watcher *watcher, struct postern_watch *watch)
{
    struct postern_account *account = watch->account;
    struct account_news *news = account->news;

    if (!news) {
        news = calloc(1, sizeof *news);
        if (!news)
            return POSTERN_E_NOMEM;
        news->account = account;
    }
    pthread_mutex_lock(&watcher->mutex);
    if (!account->news) {
        news->number = ++watcher->number;
        news->next = watcher->accounts;
        watcher->accounts = account->news = news;
    }
    watch->next = news->listeners;
    news->listeners = watch;
    pthread_mutex_unlock(&watcher->mutex);
    return news->lost ? POSTERN_E_FULL : extend(watcher, news);
}

static void leave(struct watcher *watcher, struct postern_watch *watch)
{
    struct account_news *news = watch->account->news;
    struct postern_watch **at = &news->listeners;

    pthread_mutex_lock(&watcher->mutex);
    while (*at != watch)
        at = &(*at)->next;
    *at = watch->next;
    if (!news->listeners)
        forget(watcher, news);
    pthread_mutex_unlock(&watcher->mutex);
}

int folder_watch_all(struct postern_account *account, struct postern_watch **watch_r, int *fd_r)
{
    struct watcher *watcher = watcher_of(account->store);
    struct postern_watch *watch = watcher ? calloc(1, sizeof *watch) : NULL;
    int err = account_enter(account, 0);

    if (err || !watch) {
        if (!err)
            account_leave(account);
        free(watch);
        return err ? err : POSTERN_E_NOMEM;
    }
    watch->account = account;
    watch->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    err = watch->event_fd < 0 ? folder_error(errno) : join(watcher, watch);
    if (err && watch->event_fd >= 0 && account->news)
        leave(watcher, watch);
    account_leave(account);
    if (err) {
        folder_fd_close(&watch->event_fd);
        free(watch);
        return err;
    }
    *watch_r = watch;
    *fd_r = watch->event_fd;
    return 0;
}

int folder_watch_all_clear(struct postern_watch *watch)
{
    struct watcher *watcher = watch->account->store->watcher;
    uint64_t count;
    bool lost;

    atomic_fetch_add(&watch->account->touches, 1);
    while (read(watch->event_fd, &count, sizeof count) > 0)
        continue;
    pthread_mutex_lock(&watcher->mutex);
    lost = watch->account->news->lost;
    pthread_mutex_unlock(&watcher->mutex);
    return lost ? POSTERN_E_FULL : 0;
}

void folder_watch_all_end(struct postern_watch **watch)
{
    struct postern_account *account = (*watch)->account;

    pthread_mutex_lock(&account->mutex);
    leave(account->store->watcher, *watch);
    pthread_mutex_unlock(&account->mutex);
    folder_fd_close(&(*watch)->event_fd);
    free(*watch);
    *watch = NULL;
}
