/* SPDX-License-Identifier: MIT */
/* caches - where others may keep what they can make again of an account's messages. */
#include "base/span.h"
#include "store/folder/folder.h"

#include <stdio.h>
#include <unistd.h>

/* folder_cache_path - as the kernel calls the open folder: through no link. */
int folder_cache_path(struct postern_mailbox *mailbox, char *out, size_t size)
{
    struct postern_account *account = mailbox->account;
    char link[40];
    ssize_t n;

    if (account->store->kind->mutable_files) /* what was read once may be another text now */
        return POSTERN_E_UNSUPPORTED;
    pthread_mutex_lock(&account->mutex);
    snprintf(link, sizeof link, "/proc/self/fd/%d", account->dir);
    n = account->dir < 0 ? -1 : readlink(link, out, size);
    pthread_mutex_unlock(&account->mutex);
    if (n < 0 || out[0] != '/')
        return POSTERN_E_UNSUPPORTED;
    if ((size_t)n >= size)
        return POSTERN_E_TOO_LONG;
    out[n] = '\0';
    return 0;
}
