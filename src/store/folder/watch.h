/* SPDX-License-Identifier: MIT */
/* watch - who waits for news of what. The kernel tells of folders (watcher.c), this process of what
 * it changes itself; both come to the news of a mailbox or of all of an account, and from there to
 * all who listen (watch.c, watch_all.c).
 *
 * Locks: the account's mutex before the watcher's, which is held while bells are rung. */
#ifndef STORE_FOLDER_WATCH_H
#define STORE_FOLDER_WATCH_H

#include "store/folder/folder.h"

#define WATCH_EVENTS (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE)
#define WATCH_BUCKETS 1024
#define WATCH_ALL_MAX 8192 /* folders of one account: the kernel's share of a user is bounded */

/* struct watched - a folder that the kernel watches, for one who wants news of it. */
struct watched {
    struct watched *next; /* in its bucket */
    struct watched *more; /* of its news */
    int watch;
    struct news *news;
};

/* struct news - of a mailbox, or of all of an account; there as long as somebody listens. That of
 * an account is freed with the account's mutex as well. */
struct news {
    struct news *next; /* of the account's */
    struct postern_account *account;
    uint64_t id; /* of the mailbox; NEWS_OF_ALL */
    struct postern_watch *listeners;
    struct watched *folders;
    size_t count; /* of them */
    /* of all of an account */
    uint64_t number; /* of this watch, for index_mailbox.watched */
    bool has_base, lost;
};
#define NEWS_OF_ALL 0

struct postern_watch {
    struct postern_watch *next;
    struct news *news;
    struct postern_bell bell;
};

struct watcher {
    pthread_mutex_t mutex; /* of all news of the store, and what is below */
    pthread_t thread;
    int inotify, stop; /* stop: an eventfd */
    struct watched *buckets[WATCH_BUCKETS];
    uint64_t number;
};

/* ---- watcher.c */
/* watcher_of - the store's, made now if there is none; NULL: it cannot be. */
struct watcher *watcher_of(struct folder_store *store);
/* watcher_add - a folder, by its descriptor. What it has twice (a mailbox that was renamed) counts
 * once. POSTERN_E_FULL, _IO. */
int watcher_add(struct watcher *watcher, struct news *news, int fd, uint32_t events);
/* watcher_add_mailbox - its folders. With the account's mutex. Errors as watcher_add, and
 * POSTERN_E_NOT_FOUND. */
int watcher_add_mailbox(struct watcher *watcher, struct news *news,
                        const struct index_mailbox *rows);
/* watcher_drop - all folders of the news. With the watcher's mutex. */
void watcher_drop(struct watcher *watcher, struct news *news);

/* ---- watch.c */
/* news_of - NULL: nobody listens. news_ring - for all who listen. With the watcher's mutex. */
struct news *news_of(const struct postern_account *account, uint64_t id);
void news_ring(const struct news *news);
/* watch_join - listen from now on; watch_leave - no more. With the account's mutex, and without the
 * watcher's. POSTERN_E_NOMEM. */
int watch_join(struct watcher *watcher, struct postern_account *account, uint64_t id,
               const struct postern_bell *bell, struct postern_watch **watch_r);
void watch_leave(struct watcher *watcher, struct postern_watch *watch);

#endif
