/* SPDX-License-Identifier: MIT */
/* folder_dirs - the sub-folders of a mailbox, opened when an operation first needs them and closed
 * when it ends. O_NOFOLLOW each time: whoever may write in a mailbox must not lead us into another
 * one. */
#include "store/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int folder_sync(int fd)
{
    int result;

    do
        result = fsync(fd);
    while (result < 0 && errno == EINTR);
    return result < 0 ? POSTERN_E_IO : 0;
}

/* A new folder is synced into its parent: what is synced in it later would be lost with it. */
static int make_dir(int base, const char *name)
{
    if (mkdirat(base, name, 0700) < 0)
        return errno == EEXIST ? 0 : folder_error(errno);
    return folder_sync(base);
}

int folder_dir_open(int base, const char *name, bool create)
{
    int fd = create && strcmp(name, ".") != 0 ? make_dir(base, name) : 0;

    if (fd < 0)
        return fd;
    fd = openat(base, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? folder_error(errno) : fd;
}

void folder_fd_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void folder_enter(struct folder *folder)
{
    pthread_mutex_lock(&folder->mutex);
}

void folder_leave(struct folder *folder)
{
    for (unsigned i = 0; i < FOLDER_SUBS; i++)
        folder_fd_close(&folder->subs[i]);
    folder_fd_close(&folder->staging);
    pthread_mutex_unlock(&folder->mutex);
}

static int dir_of(struct folder *folder, int *fd, const char *name)
{
    if (*fd < 0)
        *fd = folder_dir_open(folder->base, name, false);
    return *fd;
}

int folder_sub(struct folder *folder, unsigned sub)
{
    return dir_of(folder, &folder->subs[sub], folder->store->kind->subs[sub]);
}

int folder_staging(struct folder *folder)
{
    return dir_of(folder, &folder->staging, folder->store->kind->staging);
}
