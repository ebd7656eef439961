/* SPDX-License-Identifier: MIT */
/* watch - who waits for news of a mailbox, or of all of an account: one list for each account. */
#include "store/memory/memory.h"

#include <stdlib.h>

/* ring - for those who watch all of it, and this mailbox; NULL: none. */
static void ring(const struct postern_account *account, const struct box *box)
{
    for (const struct postern_watch *each = account->watches; each; each = each->next)
        if (!each->box || each->box == box)
            each->bell.ring(each->bell.arg);
}

void account_changed(struct postern_account *account)
{
    ring(account, NULL);
}

void box_changed(struct box *box)
{
    postern_snapshot_unref(&box->snapshot);
    ring(box->account, box);
}

static int watch_new(struct postern_account *account, const struct box *box,
                     const struct postern_bell *bell, struct postern_watch **watch_r)
{
    struct postern_watch *watch = malloc(sizeof *watch);

    if (!watch)
        return POSTERN_E_NOMEM;
    pthread_mutex_lock(&account->memory->mutex);
    *watch = (struct postern_watch){account->watches, account, box, *bell};
    account->watches = watch;
    pthread_mutex_unlock(&account->memory->mutex);
    *watch_r = watch;
    return 0;
}

int memory_watch(struct postern_mailbox *mailbox, const struct postern_bell *bell,
                 struct postern_watch **watch_r)
{
    return watch_new(mailbox->box->account, mailbox->box, bell, watch_r);
}

int memory_watch_all(struct postern_account *account, const struct postern_bell *bell,
                     struct postern_watch **watch_r)
{
    return watch_new(account, NULL, bell, watch_r);
}

bool memory_watch_has_lost(const struct postern_watch *watch)
{
    (void)watch;
    return false;
}

void memory_unwatch(struct postern_watch **watch)
{
    struct postern_account *account;
    struct postern_watch **at;

    if (!watch || !*watch)
        return;
    account = (*watch)->account;
    pthread_mutex_lock(&account->memory->mutex);
    for (at = &account->watches; *at != *watch; at = &(*at)->next)
        continue;
    *at = (*watch)->next;
    pthread_mutex_unlock(&account->memory->mutex);
    free(*watch);
    *watch = NULL;
}
