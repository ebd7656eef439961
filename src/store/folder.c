/* SPDX-License-Identifier: MIT */
/* folder - mailboxes that are folders: opening, the cache of open ones, locks, news.
 * A mailbox stays in the cache, with its descriptors and its listing, when nobody has it open, so
 * that the next login finds it warm; past a bound such idle ones are dropped. User names are
 * checked before they become a path, and everything below is opened relative to the mailbox's own
 * descriptor. */
#include "store/folder.h"

#include "base/span.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <unistd.h>

#define IDLE_MAX 512
#define LOCK_NAME ".postern.lock"

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

int folder_store_new(struct postern_store *store_r, const struct folder_kind *kind,
                     const char *path, bool per_user)
{
    struct folder_store *store = calloc(1, sizeof *store);

    if (!store || !(store->path = strdup(path))) {
        free(store);
        return POSTERN_E_NOMEM;
    }
    store->kind = kind;
    store->per_user = per_user;
    pthread_mutex_init(&store->mutex, NULL);
    *store_r = (struct postern_store){&kind->ops, store};
    return 0;
}

/* ---- paths ----------------------------------------------------------------------------------- */

static size_t put(char *out, size_t at, struct postern_span s)
{
    for (size_t i = 0; i < s.n; i++, at++)
        if (at < PATH_MAX)
            out[at] = s.p[i];
    return at;
}

/* path_of - the folder of a user. */
static int path_of(const struct folder_store *store, struct postern_span user, char out[PATH_MAX])
{
    struct postern_span domain = user, name = span_cut(&domain, '@');
    bool any = false;
    size_t n = 0;

    for (const char *at = store->path; *at; at++) {
        char which = at[0] == '%' ? at[1] : '\0';

        if (store->per_user && (which == 'u' || which == 'n' || which == 'd')) {
            struct postern_span part = which == 'u' ? user : which == 'n' ? name : domain;

            if (part.n == 0 || part.p[0] == '.')
                return POSTERN_E_NOT_FOUND;
            n = put(out, n, part);
            any = true;
            at++;
        } else {
            n = put(out, n, span_make(at, 1));
        }
    }
    if (store->per_user && !any) {
        n = put(out, n, SPAN("/"));
        n = put(out, n, user);
    }
    if (n >= PATH_MAX)
        return POSTERN_E_NOT_FOUND;
    out[n] = '\0';
    return 0;
}

/* make_one - one folder of a path, synced into its parent. */
static int make_one(const char *path, mode_t mode)
{
    char parent[PATH_MAX + 4];
    int fd, err;

    if (mkdir(path, mode) < 0)
        return errno == EEXIST ? 0 : folder_error(errno);
    snprintf(parent, sizeof parent, "%s/..", path);
    fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return folder_error(errno);
    err = folder_sync(fd);
    close(fd);
    return err;
}

static int make_path(char *path)
{
    int err = 0;

    for (char *at = path + 1; *at && !err; at++)
        if (*at == '/') {
            *at = '\0';
            err = make_one(path, 0755);
            *at = '/';
        }
    return err ? err : make_one(path, 0700);
}

/* open_folders - see that all folders of a mailbox are there. staging is made when it is missing,
 * where that is allowed. */
static int open_folders(struct folder *folder, const char *path, bool create)
{
    const struct folder_kind *kind = folder->store->kind;
    struct stat facts;
    int fd = 0;

    folder->base = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder->base < 0 || fstat(folder->base, &facts) < 0)
        return folder_error(errno);
    folder->device = facts.st_dev;
    folder->inode = facts.st_ino;
    for (unsigned i = 0; i < kind->sub_count && fd >= 0; i++) {
        fd = folder_dir_open(folder->base, kind->subs[i], create);
        if (fd >= 0)
            close(fd);
    }
    if (fd < 0)
        return fd;
    fd = folder_dir_open(folder->base, kind->staging, true);
    if (fd >= 0)
        close(fd);
    return fd == POSTERN_E_NOMEM || fd == POSTERN_E_AGAIN ? fd : 0;
}

/* ---- the cache ------------------------------------------------------------------------------- */

static void folder_drop(struct folder *folder)
{
    folder_fd_close(&folder->base);
    rows_free(&folder->rows);
    postern_snapshot_unref(&folder->snapshot);
    pthread_mutex_destroy(&folder->mutex);
    free(folder);
}

static struct folder *folder_make(struct folder_store *store, struct postern_span user)
{
    struct folder *folder = calloc(1, sizeof *folder);

    if (!folder)
        return NULL;
    *folder = (struct folder){.store = store, .base = -1, .subs = {-1, -1}, .staging = -1};
    memcpy(folder->user, user.p, user.n);
    pthread_mutex_init(&folder->mutex, NULL);
    return folder;
}

static struct folder **bucket_of(struct folder_store *store, struct postern_span user)
{
    return &store->buckets[span_hash(user) % FOLDER_BUCKETS];
}

static void idle_leave(struct folder_store *store, struct folder *folder)
{
    *(folder->idle_older ? &folder->idle_older->idle_newer : &store->idle_oldest) =
        folder->idle_newer;
    *(folder->idle_newer ? &folder->idle_newer->idle_older : &store->idle_newest) =
        folder->idle_older;
    folder->idle_older = folder->idle_newer = NULL;
    store->idle_count--;
}

static void idle_join(struct folder_store *store, struct folder *folder)
{
    folder->idle_older = store->idle_newest;
    *(folder->idle_older ? &folder->idle_older->idle_newer : &store->idle_oldest) = folder;
    store->idle_newest = folder;
    store->idle_count++;
}

/* forget - drop a folder that nobody has open. */
static void forget(struct folder_store *store, struct folder *folder)
{
    struct folder **at = bucket_of(store, postern_span_of(folder->user));

    while (*at != folder)
        at = &(*at)->next;
    *at = folder->next;
    idle_leave(store, folder);
    folder_drop(folder);
}

static bool is_still_there(const struct folder *folder)
{
    char path[PATH_MAX];
    struct stat facts;

    return path_of(folder->store, postern_span_of(folder->user), path) == 0 &&
           stat(path, &facts) == 0 && facts.st_ino == folder->inode &&
           facts.st_dev == folder->device;
}

/* cached - the folder from the cache, counted; NULL when it is not there. A folder that was removed
 * or replaced on disk meanwhile is forgotten. */
static struct folder *cached(struct folder_store *store, struct postern_span user)
{
    struct folder *folder = *bucket_of(store, user);

    while (folder && !span_equal(postern_span_of(folder->user), user))
        folder = folder->next;
    if (!folder)
        return NULL;
    if (folder->users == 0 && !is_still_there(folder)) {
        forget(store, folder);
        return NULL;
    }
    if (folder->users++ == 0)
        idle_leave(store, folder);
    return folder;
}

static void folder_release(struct folder *folder)
{
    struct folder_store *store = folder->store;

    pthread_mutex_lock(&store->mutex);
    if (--folder->users == 0) {
        idle_join(store, folder);
        if (store->idle_count > IDLE_MAX)
            forget(store, store->idle_oldest);
    }
    pthread_mutex_unlock(&store->mutex);
}

static int folder_find_or_make(struct folder_store *store, struct postern_span user, unsigned flags,
                               struct folder **folder_r)
{
    char path[PATH_MAX];
    struct folder *folder = cached(store, user), **bucket;
    int err = 0;

    if (!folder) {
        if (flags & POSTERN_STORE_NO_WAIT)
            return POSTERN_E_AGAIN;
        err = path_of(store, user, path);
        if (!err && flags & POSTERN_STORE_CREATE)
            err = make_path(path);
        folder = err ? NULL : folder_make(store, user);
        if (!folder)
            return err ? err : POSTERN_E_NOMEM;
        err = open_folders(folder, path, flags & POSTERN_STORE_CREATE);
        if (err < 0) {
            folder_drop(folder);
            return err;
        }
        folder->users = 1;
        bucket = bucket_of(store, user);
        folder->next = *bucket;
        *bucket = folder;
    }
    *folder_r = folder;
    return 0;
}

int folder_open(struct postern_store *postern_store, struct postern_span user, unsigned flags,
                struct postern_mailbox **mailbox_r)
{
    struct folder_store *store = postern_store->self;
    struct postern_mailbox *mailbox;
    int err;

    if (!user_is_safe(user))
        return POSTERN_E_NOT_FOUND;
    mailbox = calloc(1, sizeof *mailbox);
    if (!mailbox)
        return POSTERN_E_NOMEM;
    mailbox->lock_fd = mailbox->watch_fd = -1;
    pthread_mutex_lock(&store->mutex);
    /* one mailbox for all names: cached under one name */
    err = folder_find_or_make(store, store->per_user ? user : SPAN("all"), flags, &mailbox->folder);
    pthread_mutex_unlock(&store->mutex);
    if (err < 0) {
        free(mailbox);
        return err;
    }
    *mailbox_r = mailbox;
    return 0;
}

void folder_close(struct postern_mailbox **mailbox)
{
    if (!mailbox || !*mailbox)
        return;
    folder_unlock(*mailbox);
    folder_fd_close(&(*mailbox)->watch_fd);
    folder_release((*mailbox)->folder);
    free(*mailbox);
    *mailbox = NULL;
}

void folder_free(struct postern_store *postern_store)
{
    struct folder_store *store = postern_store->self;

    for (size_t i = 0; i < FOLDER_BUCKETS; i++)
        for (struct folder *folder = store->buckets[i], *next; folder; folder = next) {
            next = folder->next;
            folder_drop(folder);
        }
    pthread_mutex_destroy(&store->mutex);
    free(store->path);
    free(store);
}

/* ---- locks and news -------------------------------------------------------------------------- */

int folder_lock_take(struct folder *folder)
{
    int fd = openat(folder->base, LOCK_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600), err;

    if (fd < 0)
        return folder_error(errno);
    /* each open file description has its own lock, so this also keeps sessions of one process
     * apart */
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        err = errno == EWOULDBLOCK ? POSTERN_E_IN_USE : folder_error(errno);
        close(fd);
        return err;
    }
    return fd;
}

int folder_lock(struct postern_mailbox *mailbox)
{
    struct folder *folder = mailbox->folder;
    int err;

    if (mailbox->lock_fd >= 0)
        return 0;
    mailbox->lock_fd = folder_lock_take(folder);
    if (mailbox->lock_fd < 0) {
        err = mailbox->lock_fd;
        mailbox->lock_fd = -1;
        return err;
    }
    folder_enter(folder);
    err = folder_recover(mailbox);
    folder_leave(folder);
    if (err < 0)
        folder_unlock(mailbox);
    return err;
}

void folder_unlock(struct postern_mailbox *mailbox)
{
    folder_fd_close(&mailbox->lock_fd);
}

int folder_watch_fd(struct postern_mailbox *mailbox)
{
    struct folder *folder = mailbox->folder;

    if (mailbox->watch_fd >= 0)
        return mailbox->watch_fd;
    folder_enter(folder);
    mailbox->watch_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    for (unsigned i = 0; mailbox->watch_fd >= 0 && i < folder->store->kind->sub_count; i++) {
        char path[64];

        snprintf(path, sizeof path, "/proc/self/fd/%d", folder_sub(folder, i));
        if (inotify_add_watch(mailbox->watch_fd, path,
                              IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE) < 0)
            folder_fd_close(&mailbox->watch_fd);
    }
    folder_leave(folder);
    return mailbox->watch_fd < 0 ? POSTERN_E_IO : mailbox->watch_fd;
}

void folder_watch_clear(struct postern_mailbox *mailbox)
{
    char events[4096];

    while (mailbox->watch_fd >= 0 && read(mailbox->watch_fd, events, sizeof events) > 0)
        continue;
}

int folder_list_users(struct postern_store *postern_store,
                      int (*each)(void *ctx, struct postern_span user), void *ctx)
{
    struct folder_store *store = postern_store->self;
    struct dirent *entry;
    int result = 0;
    DIR *dir;

    if (!store->per_user || strchr(store->path, '%'))
        return POSTERN_E_UNSUPPORTED; /* a pattern cannot be read backwards */
    dir = opendir(store->path);
    if (!dir)
        return folder_error(errno);
    while (!result && (entry = readdir(dir)))
        if (entry->d_type == DT_DIR && user_is_safe(postern_span_of(entry->d_name)))
            result = each(ctx, postern_span_of(entry->d_name));
    closedir(dir);
    return result;
}
