/* SPDX-License-Identifier: MIT */
/* watch - what watch.c (one mailbox) and watch_all.c (all of an account) share: the store's one
 * inotify instance and its thread. */
#ifndef STORE_FOLDER_WATCH_H
#define STORE_FOLDER_WATCH_H

#include "store/folder/folder.h"

#define WATCH_EVENTS (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE)
#define WATCH_BUCKETS 1024
#define WATCH_ALL_MAX 8192 /* folders of one account: the kernel's share of a user is bounded */

/* struct watched - a folder of an account that is watched whole. */
struct watched {
    struct watched *next; /* in its bucket */
    int watch;
    struct account_news *news;
};

/* struct account_news - of an account that somebody watches whole. */
struct account_news {
    struct account_news *next; /* of the watcher's */
    struct postern_account *account;
    struct postern_watch *listeners;
    uint64_t number; /* of this watch, for index_mailbox.watched */
    size_t count;    /* folders */
    bool has_base, lost;
};

struct postern_watch {
    struct postern_watch *next;
    struct postern_account *account;
    int event_fd;
};

struct watcher {
    pthread_mutex_t mutex;
    pthread_t thread;
    int inotify, stop;               /* stop: an eventfd */
    struct postern_mailbox *handles; /* all that watch, by next */
    struct account_news *accounts;   /* that are watched whole */
    struct watched *buckets[WATCH_BUCKETS];
    uint64_t number;
};

/* watch.c */
struct watcher *watcher_of(struct folder_store *store);
void watch_ring(int event_fd);
/* watch_is_used - by anybody. With the watcher's mutex, as all that follow. */
bool watch_is_used(const struct watcher *watcher, int watch);

/* watch_all.c. watch_all_tell - an event; watch -1: some were lost. is_over: there is no such watch
 * any more. */
void watch_all_tell(struct watcher *watcher, int watch, bool is_over);
void watch_all_ring(const struct account_news *news);
bool watch_all_has(const struct watcher *watcher, int watch);

#endif
