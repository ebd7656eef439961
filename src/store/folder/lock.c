/* SPDX-License-Identifier: MIT */
/* lock - one session at a time in a mailbox, for those who ask (POP3): a lock file beside the
 * index, since each open file description has a lock of its own, this also keeps sessions of one
 * process apart. */
#include "store/folder/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

/* lock_file - a descriptor, given, or POSTERN_E_*. Where none can be made, the folder stands for
 * it. With the mutex: the index's folder may be opened anew. */
static int lock_file(const struct postern_account *account, uint64_t id)
{
    char name[40];
    int fd = -1;

    snprintf(name, sizeof name, "session.%llu", (unsigned long long)id);
    if (account->dir >= 0)
        fd = openat(account->dir, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 && (account->dir < 0 || errno == EROFS || errno == EACCES || errno == ENOSPC ||
                   errno == EDQUOT))
        fd = openat(account->base, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? folder_error(errno) : fd;
}

int folder_lock(struct postern_mailbox *mailbox)
{
    struct postern_account *account = mailbox->account;
    int fd, err;

    if (mailbox->lock_fd >= 0)
        return 0;
    pthread_mutex_lock(&account->mutex);
    fd = lock_file(account, mailbox->id);
    pthread_mutex_unlock(&account->mutex);
    if (fd < 0)
        return fd;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        err = errno == EWOULDBLOCK ? POSTERN_E_IN_USE : folder_error(errno);
        close(fd);
        return err;
    }
    mailbox->lock_fd = fd;
    return 0;
}

void folder_unlock(struct postern_mailbox *mailbox)
{
    folder_fd_close(&mailbox->lock_fd);
}
