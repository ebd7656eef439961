/* SPDX-License-Identifier: MIT */
/* users - who has an account: the pattern of the folders read backwards. That can be done for PATH
 * (PATH/USER) and for one "%u" anywhere in it; of "%n" and "%d" a name cannot be put together
 * without looking into every folder, and so they are not read. */
#include "store/folder/folder.h"

#include "base/span.h"
#include "store/snapshot.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* where - dir has an entry of each user, his name between before and after; deeper: what matters
 * lies below that. */
struct where {
    char dir[PATH_MAX];
    struct postern_span before, after;
    bool deeper;
};

/* next_part - the first "%u", "%n" or "%d"; NULL: none. */
static const char *next_part(const char *at)
{
    for (; *at; at++)
        if (at[0] == '%' && (at[1] == 'u' || at[1] == 'n' || at[1] == 'd'))
            return at;
    return NULL;
}

static int read_pattern(const struct folder_store *store, struct where *where_r)
{
    const char *path = store->path, *part = next_part(path);
    const char *entry = part, *end = part ? part + 2 + strcspn(part + 2, "/") : NULL;
    int n;

    *where_r = (struct where){0};
    if (!store->per_user || (part && (part[1] != 'u' || next_part(part + 2))))
        return POSTERN_E_UNSUPPORTED;
    while (entry && entry > path && entry[-1] != '/')
        entry--;
    if (part) {
        where_r->before = span_make(entry, (size_t)(part - entry));
        where_r->after = span_make(part + 2, (size_t)(end - part - 2));
        where_r->deeper = *end;
    }
    n = part ? snprintf(where_r->dir, PATH_MAX, "%.*s.", (int)(entry - path), path)
             : snprintf(where_r->dir, PATH_MAX, "%s", path);
    return n < 0 || n >= PATH_MAX ? POSTERN_E_NOT_FOUND : 0;
}

/* is_folder - some file systems do not say it of an entry. */
static bool is_folder(int dir, const struct dirent *entry)
{
    struct stat facts;

    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_DIR;
    return fstatat(dir, entry->d_name, &facts, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(facts.st_mode);
}

/* is_of_user - the entry has an account; *user_r: lent by it. */
static bool is_of_user(const struct folder_store *store, const struct where *where,
                       const struct dirent *entry, struct postern_span *user_r)
{
    struct postern_span name = postern_span_of(entry->d_name);
    struct postern_span user = span_from(name, where->before.n);
    char path[PATH_MAX];

    if (!span_begins(name, where->before) || user.n <= where->after.n)
        return false;
    user.n -= where->after.n;
    if (!span_equal(span_make(user.p + user.n, where->after.n), where->after) ||
        !user_is_safe(user))
        return false;
    if (where->deeper && (folder_path(store, user, path) < 0 || access(path, F_OK) < 0))
        return false;
    *user_r = user;
    return true;
}

int folder_list_users(struct postern_store *postern_store,
                      int (*each)(void *ctx, struct postern_span user), void *ctx)
{
    struct folder_store *store = postern_store->self;
    struct where where;
    struct postern_span user;
    struct dirent *entry;
    int result = read_pattern(store, &where);
    DIR *dir;

    if (result < 0)
        return result;
    dir = opendir(where.dir);
    if (!dir)
        return folder_error(errno);
    while (!result && (entry = readdir(dir)))
        if (is_folder(dirfd(dir), entry) && is_of_user(store, &where, entry, &user))
            result = each(ctx, user);
    closedir(dir);
    return result;
}
