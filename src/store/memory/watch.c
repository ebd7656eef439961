/* SPDX-License-Identifier: MIT */
/* watch - who watches a mailbox, or all of an account, has a descriptor that becomes readable. */
#include "store/memory/memory.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

static int event_new(void)
{
    return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

static void ring(int event)
{
    uint64_t one = 1;
    ssize_t n = write(event, &one, sizeof one);

    (void)n; /* full: it is readable as it is */
}

void account_changed(struct postern_account *account)
{
    for (struct postern_watch *each = account->watches; each; each = each->next)
        ring(each->event);
}

void box_changed(struct box *box)
{
    account_changed(box->account);
    postern_snapshot_unref(&box->snapshot);
    for (struct postern_mailbox *each = box->account->memory->handles; each; each = each->next)
        if (each->box == box && each->event >= 0)
            ring(each->event);
}

int memory_watch_fd(struct postern_mailbox *mailbox)
{
    if (mailbox->event < 0)
        mailbox->event = event_new();
    return mailbox->event < 0 ? POSTERN_E_IO : mailbox->event;
}

static void clear(int event)
{
    uint64_t count;

    while (event >= 0 && read(event, &count, sizeof count) > 0)
        continue;
}

void memory_watch_clear(struct postern_mailbox *mailbox)
{
    clear(mailbox->event);
}

int memory_watch_all(struct postern_account *account, struct postern_watch **watch_r, int *fd_r)
{
    struct postern_watch *watch = calloc(1, sizeof *watch);

    if (!watch)
        return POSTERN_E_NOMEM;
    watch->account = account;
    watch->event = event_new();
    if (watch->event < 0) {
        free(watch);
        return POSTERN_E_IO;
    }
    pthread_mutex_lock(&account->memory->mutex);
    watch->next = account->watches;
    account->watches = watch;
    pthread_mutex_unlock(&account->memory->mutex);
    *watch_r = watch;
    *fd_r = watch->event;
    return 0;
}

int memory_watch_all_clear(struct postern_watch *watch)
{
    clear(watch->event);
    return 0;
}

void memory_watch_all_end(struct postern_watch **watch)
{
    struct postern_account *account = (*watch)->account;
    struct postern_watch **at = &account->watches;

    pthread_mutex_lock(&account->memory->mutex);
    while (*at != *watch)
        at = &(*at)->next;
    *at = (*watch)->next;
    pthread_mutex_unlock(&account->memory->mutex);
    close((*watch)->event);
    free(*watch);
    *watch = NULL;
}
