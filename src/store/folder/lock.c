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

int folder_lock(struct postern_mailbox *mailbox)
{
    int dir = mailbox->account->dir, fd, err;
    char name[40];

    if (mailbox->lock_fd >= 0)
        return 0;
    snprintf(name, sizeof name, "session.%llu", (unsigned long long)mailbox->id);
    fd = dir < 0 ? openat(mailbox->account->base, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                 : openat(dir, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 && (errno == EROFS || errno == EACCES || errno == ENOSPC || errno == EDQUOT))
        fd = openat(mailbox->account->base, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return folder_error(errno);
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
