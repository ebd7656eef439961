/* SPDX-License-Identifier: MIT */
/* watch_all - news of a whole account: the folder of each mailbox, the account's own for mailboxes
 * that come and go, and the index's for what other processes change that no folder shows (keywords,
 * subscriptions, annotations). What is told is only that something may have changed: list() finds
 * out what. */
#include "store/folder/watch.h"

#include <sys/inotify.h>

#define INDEX_EVENTS (IN_MODIFY | IN_MOVED_TO)

static int add_base(struct watcher *watcher, struct news *news)
{
    const struct postern_account *account = news->account;
    int err = watcher_add(watcher, news, account->base, WATCH_EVENTS);

    if (!err && account->dir >= 0)
        err = watcher_add(watcher, news, account->dir, INDEX_EVENTS);
    news->has_base = !err;
    return err;
}

static int add_mailbox(struct watcher *watcher, struct news *news, struct index_mailbox *rows)
{
    int err = watcher_add_mailbox(watcher, news, rows);

    if (!err)
        rows->watched = news->number;
    return err == POSTERN_E_NOT_FOUND ? 0 : err; /* it has just gone */
}

/* extend - to all that is there now. With the account's mutex. */
static int extend(struct watcher *watcher, struct news *news)
{
    const struct index *index = &news->account->index;
    int err = news->has_base ? 0 : add_base(watcher, news);

    for (size_t i = 0; i < index->count && !err; i++) {
        struct index_mailbox *rows = index->mailboxes[i];

        if (rows->facts.exists && rows->watched != news->number)
            err = add_mailbox(watcher, news, rows);
    }
    return err;
}

void watch_all_extend(struct postern_account *account)
{
    struct watcher *watcher = account->store->watcher;
    struct news *news;

    if (!watcher)
        return;
    pthread_mutex_lock(&watcher->mutex);
    news = news_of(account, NEWS_OF_ALL);
    pthread_mutex_unlock(&watcher->mutex);
    if (!news || news->lost || extend(watcher, news) == 0)
        return;
    pthread_mutex_lock(&watcher->mutex);
    news->lost = true;
    news_ring(news);
    pthread_mutex_unlock(&watcher->mutex);
}

int folder_watch_all(struct postern_account *account, const struct postern_bell *bell,
                     struct postern_watch **watch_r)
{
    struct watcher *watcher = watcher_of(account->store);
    struct postern_watch *watch;
    int err = watcher ? account_enter(account, 0) : POSTERN_E_IO;

    if (err)
        return err;
    err = watch_join(watcher, account, NEWS_OF_ALL, bell, &watch);
    if (!err) {
        err = watch->news->lost ? POSTERN_E_FULL : extend(watcher, watch->news);
        if (err)
            watch_leave(watcher, watch);
        else
            *watch_r = watch;
    }
    account_leave(account);
    return err;
}

bool folder_watch_has_lost(const struct postern_watch *watch)
{
    struct watcher *watcher = watch->news->account->store->watcher;
    bool lost;

    pthread_mutex_lock(&watcher->mutex);
    lost = watch->news->lost;
    pthread_mutex_unlock(&watcher->mutex);
    return lost;
}
