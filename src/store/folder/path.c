/* SPDX-License-Identifier: MIT */
/* path - where an account lies, and its folders and index opened. User names are checked before
 * they become a path, and everything below is opened relative to the account's own descriptor. */
#include "store/folder/folder.h"

#include "base/span.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

/* put - as far as there is room. Where behind it the next comes. */
static size_t put(char *out, size_t at, struct postern_span s)
{
    if (at < PATH_MAX && s.n)
        memcpy(out + at, s.p, s.n < PATH_MAX - at ? s.n : PATH_MAX - at);
    return at + s.n;
}

int folder_path(const struct folder_store *store, struct postern_span user, char out[PATH_MAX])
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

bool path_beneath(const struct postern_account *account, const struct index_mailbox *mailbox,
                  unsigned sub, struct postern_span name, char out[FOLDER_PATH_BYTES])
{
    struct postern_span of_sub = postern_span_of(account->store->kind->subs[sub]);
    size_t n = 0;

    if (mailbox->dir.n + of_sub.n + name.n + 3 > FOLDER_PATH_BYTES)
        return false;
    if (mailbox->dir.n) {
        n = put(out, n, mailbox->dir);
        out[n++] = '/';
    }
    n = put(out, n, of_sub);
    if (name.n) {
        out[n++] = '/';
        n = put(out, n, name);
    }
    out[n] = '\0';
    return true;
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

/* open_folders - see that all folders of the account's INBOX are there. */
static int open_folders(struct postern_account *account, const char *path, bool create)
{
    const struct folder_kind *kind = account->store->kind;
    struct stat facts;
    int fd = 0;

    account->base = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (account->base < 0 || fstat(account->base, &facts) < 0)
        return folder_error(errno);
    account->device = facts.st_dev;
    account->inode = facts.st_ino;
    account->owner = facts.st_uid;
    account->self = geteuid();
    for (unsigned i = 0; i < kind->sub_count && fd >= 0; i++) {
        fd = folder_dir_open(account->base, kind->subs[i], create);
        if (fd >= 0)
            close(fd);
    }
    if (fd < 0)
        return fd;
    fd = folder_dir_open(account->base, kind->staging, true);
    if (fd >= 0)
        close(fd);
    return fd == POSTERN_E_NOMEM || fd == POSTERN_E_AGAIN ? fd : 0;
}

int account_open_index(struct postern_account *account)
{
    int err = 0;

    account->dir = folder_dir_open(account->base, account->store->kind->index, true);
    if (account->dir < 0)
        account->dir = folder_dir_open(account->base, account->store->kind->index, false);
    if (account->dir == POSTERN_E_NOMEM || account->dir == POSTERN_E_AGAIN)
        return account->dir;
    if (account->dir >= 0)
        err = index_open(&account->index, account->dir);
    else
        account->index = (struct index){.dir = -1,
                                        .fd = -1,
                                        .lock = -1,
                                        .cache = -1,
                                        .next_id = 1,
                                        .was_lost = true,
                                        .read_only = true};
    account->index.unsynced = account->store->unsynced;
    return err ? err : account_discover(account);
}

int account_open_path(struct postern_account *account, struct postern_span user, unsigned flags)
{
    char path[PATH_MAX];
    int err = folder_path(account->store, user, path);

    if (!err && flags & POSTERN_STORE_CREATE)
        err = make_path(path);
    if (!err)
        err = open_folders(account, path, flags & POSTERN_STORE_CREATE);
    return err ? err : account_open_index(account);
}
