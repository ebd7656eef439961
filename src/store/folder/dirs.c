/* SPDX-License-Identifier: MIT */
/* dirs - the folders of a mailbox, opened when an operation first needs them and closed when it
 * ends. O_NOFOLLOW each time: whoever may write in a mailbox must not lead us into another one. */
#include "store/folder/folder.h"

#include "base/span.h"
#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#define SETTLE_SECONDS 2

int folder_error(int number)
{
    switch (number) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
        return POSTERN_E_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS:
        return POSTERN_E_DENIED;
    case ENOSPC:
    case EDQUOT:
        return POSTERN_E_FULL;
    case ENOMEM:
        return POSTERN_E_NOMEM;
    case EMFILE:
    case ENFILE:
        return POSTERN_E_AGAIN;
    default:
        return POSTERN_E_IO;
    }
}

int folder_sync(int fd)
{
    int result;

    do
        result = fsync(fd);
    while (result < 0 && errno == EINTR);
    return result < 0 ? POSTERN_E_IO : 0;
}

int folder_sync_mail(const struct folder_store *store, int fd)
{
    return store->unsynced ? 0 : folder_sync(fd);
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

int folder_dir_read(int base, const char *name, DIR **dir_r)
{
    int fd = folder_dir_open(base, name, false), err;
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);

    if (!dir) {
        err = fd < 0 ? fd : folder_error(errno);
        folder_fd_close(&fd);
        return err;
    }
    *dir_r = dir;
    return 0;
}

void folder_fd_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

int folder_write_all(int fd, struct postern_span bytes)
{
    while (bytes.n) {
        ssize_t n = write(fd, bytes.p, bytes.n);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? folder_error(errno) : POSTERN_E_IO;
        bytes = span_from(bytes, (size_t)n);
    }
    return 0;
}

struct index_time folder_time(const struct stat *facts)
{
    return (struct index_time){facts->st_mtim.tv_sec, facts->st_mtim.tv_nsec};
}

bool time_is_same(struct index_time a, struct index_time b)
{
    return a.s == b.s && a.ns == b.ns && a.ns >= 0;
}

struct index_time time_settled(struct index_time time)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec - time.s <= SETTLE_SECONDS)
        time.ns = -1;
    return time;
}

/* ---- the folders of a mailbox ---------------------------------------------------------------- */

int place_open(struct place *place, struct postern_account *account,
               const struct index_mailbox *mailbox)
{
    char dir[FOLDER_NAME_BYTES];

    *place =
        (struct place){.account = account, .base = account->base, .subs = {-1, -1}, .staging = -1};
    if (mailbox->dir.n == 0)
        return 0;
    if (mailbox->dir.n >= sizeof dir)
        return POSTERN_E_CORRUPT;
    memcpy(dir, mailbox->dir.p, mailbox->dir.n);
    dir[mailbox->dir.n] = '\0';
    place->base = folder_dir_open(account->base, dir, false);
    place->base_is_own = place->base >= 0;
    return place->base < 0 ? place->base : 0;
}

void place_close(struct place *place)
{
    for (unsigned i = 0; i < FOLDER_SUBS; i++)
        folder_fd_close(&place->subs[i]);
    folder_fd_close(&place->staging);
    if (place->base_is_own)
        folder_fd_close(&place->base);
}

static int dir_of(const struct place *place, int *fd, const char *name)
{
    if (*fd < 0)
        *fd = folder_dir_open(place->base, name, false);
    return *fd;
}

int place_sub(struct place *place, unsigned sub)
{
    return dir_of(place, &place->subs[sub], place->account->store->kind->subs[sub]);
}

int place_staging(struct place *place)
{
    return dir_of(place, &place->staging, place->account->store->kind->staging);
}

/* ---- removing -------------------------------------------------------------------------------- */

/* empty_dir - remove the files in a folder; the names of folders in it are left. */
static void empty_dir(int base, const char *name)
{
    struct dirent *entry;
    DIR *dir;

    if (folder_dir_read(base, name, &dir) < 0)
        return;
    while ((entry = readdir(dir)))
        if (entry->d_type != DT_DIR)
            unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
}

/* A mailbox's folder has folders one level deep; what lies deeper is not ours and stays. */
void folder_remove_tree(int base, const char *name)
{
    struct dirent *entry;
    DIR *dir = NULL;

    (void)folder_dir_read(base, name, &dir);
    while (dir && (entry = readdir(dir)))
        if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 &&
            strcmp(entry->d_name, "..") != 0) {
            empty_dir(dirfd(dir), entry->d_name);
            unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
        }
    if (dir)
        closedir(dir);
    empty_dir(base, name);
    unlinkat(base, name, AT_REMOVEDIR);
}
