/* SPDX-License-Identifier: MIT */
/* watch - those who listen to the news of a mailbox: what this process changes is told at once,
 * what others do comes from the watcher. However many listen, its folders are watched once. */
#include "store/folder/watch.h"

#include <stdlib.h>

/* ---- who is told ----------------------------------------------------------------------------- */

struct news *news_of(const struct postern_account *account, uint64_t id)
{
    struct news *news = account->news;

    while (news && news->id != id)
        news = news->next;
    return news;
}

void news_ring(const struct news *news)
{
    for (const struct postern_watch *each = news->listeners; each; each = each->next)
        each->bell.ring(each->bell.arg);
}

void watch_news(struct postern_account *account, uint64_t id)
{
    struct watcher *watcher = account->store->watcher;

    if (!watcher)
        return;
    pthread_mutex_lock(&watcher->mutex);
    for (const struct news *each = account->news; each; each = each->next)
        if (each->id == id || each->id == NEWS_OF_ALL)
            news_ring(each);
    pthread_mutex_unlock(&watcher->mutex);
}

/* ---- listeners ------------------------------------------------------------------------------- */

/* news_make - those that are there, or new ones; NULL without memory. */
static struct news *news_make(struct watcher *watcher, struct postern_account *account, uint64_t id)
{
    struct news *news = news_of(account, id);

    if (news)
        return news;
    news = calloc(1, sizeof *news);
    if (!news)
        return NULL;
    *news = (struct news){
        .next = account->news, .account = account, .id = id, .number = ++watcher->number};
    account->news = news;
    return news;
}

static void news_free(struct watcher *watcher, struct news *news)
{
    struct news **at = &news->account->news;

    while (*at != news)
        at = &(*at)->next;
    *at = news->next;
    watcher_drop(watcher, news);
    free(news);
}

int watch_join(struct watcher *watcher, struct postern_account *account, uint64_t id,
               const struct postern_bell *bell, struct postern_watch **watch_r)
{
    struct postern_watch *watch = malloc(sizeof *watch);
    struct news *news;

    if (!watch)
        return POSTERN_E_NOMEM;
    pthread_mutex_lock(&watcher->mutex);
    news = news_make(watcher, account, id);
    if (news) {
        *watch = (struct postern_watch){news->listeners, news, *bell};
        news->listeners = watch;
        *watch_r = watch;
    } else {
        free(watch);
    }
    pthread_mutex_unlock(&watcher->mutex);
    return news ? 0 : POSTERN_E_NOMEM;
}

void watch_leave(struct watcher *watcher, struct postern_watch *watch)
{
    struct news *news = watch->news;
    struct postern_watch **at = &news->listeners;

    pthread_mutex_lock(&watcher->mutex);
    while (*at != watch)
        at = &(*at)->next;
    *at = watch->next;
    if (!news->listeners)
        news_free(watcher, news);
    pthread_mutex_unlock(&watcher->mutex);
    free(watch);
}

int folder_watch(struct postern_mailbox *mailbox, const struct postern_bell *bell,
                 struct postern_watch **watch_r)
{
    struct postern_account *account = mailbox->account;
    struct watcher *watcher = watcher_of(account->store);
    const struct index_mailbox *rows;
    struct postern_watch *watch;
    int err = watcher ? account_enter(account, 0) : POSTERN_E_IO;

    if (err)
        return err;
    rows = index_mailbox_of(&account->index, mailbox->id);
    err = rows ? watch_join(watcher, account, mailbox->id, bell, &watch) : POSTERN_E_NOT_FOUND;
    if (!err) {
        /* also of news that are there: the folder may be another one by now */
        err = watcher_add_mailbox(watcher, watch->news, rows);
        if (err)
            watch_leave(watcher, watch);
        else
            *watch_r = watch;
    }
    account_leave(account);
    return err;
}

/* The news of a mailbox need no mutex of the account to end, so nobody waits here for a disk. */
void folder_unwatch(struct postern_watch **watch)
{
    struct postern_account *account;
    bool is_all;

    if (!watch || !*watch)
        return;
    account = (*watch)->news->account;
    is_all = (*watch)->news->id == NEWS_OF_ALL;
    if (is_all)
        pthread_mutex_lock(&account->mutex);
    watch_leave(account->store->watcher, *watch);
    if (is_all)
        pthread_mutex_unlock(&account->mutex);
    *watch = NULL;
}
