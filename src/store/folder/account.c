/* SPDX-License-Identifier: MIT */
/* account - accounts that are folders: the cache of open ones, and their operations.
 * An account stays in the cache, with its index, when nobody has it open, so that the next login
 * finds it warm; past a bound such idle ones are dropped. */
#include "store/folder/folder.h"

#include "base/span.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define IDLE_MAX 512

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

/* ---- the cache ------------------------------------------------------------------------------- */

static void account_drop(struct postern_account *account)
{
    fresh_free(account);
    index_close(&account->index);
    while (account->kept) {
        struct kept *kept = account->kept;

        account->kept = kept->next;
        kept_free(kept);
    }
    folder_fd_close(&account->dir);
    folder_fd_close(&account->base);
    pthread_mutex_destroy(&account->mutex);
    pthread_mutex_destroy(&account->queue_mutex);
    pthread_cond_destroy(&account->committed);
    free(account);
}

static struct postern_account *account_make(struct folder_store *store, struct postern_span user)
{
    struct postern_account *account = calloc(1, sizeof *account);

    if (!account)
        return NULL;
    *account = (struct postern_account){.store = store,
                                        .base = -1,
                                        .dir = -1,
                                        .index = {.fd = -1, .lock = -1, .cache = -1},
                                        .seen = {0, -1}};
    memcpy(account->user, user.p, user.n);
    pthread_mutex_init(&account->mutex, NULL);
    pthread_mutex_init(&account->queue_mutex, NULL);
    pthread_cond_init(&account->committed, NULL);
    return account;
}

static struct postern_account **bucket_of(struct folder_store *store, struct postern_span user)
{
    return &store->buckets[span_hash(user) % FOLDER_BUCKETS];
}

static void idle_leave(struct folder_store *store, struct postern_account *account)
{
    *(account->idle_older ? &account->idle_older->idle_newer : &store->idle_oldest) =
        account->idle_newer;
    *(account->idle_newer ? &account->idle_newer->idle_older : &store->idle_newest) =
        account->idle_older;
    account->idle_older = account->idle_newer = NULL;
    store->idle_count--;
}

static void idle_join(struct folder_store *store, struct postern_account *account)
{
    account->idle_older = store->idle_newest;
    *(account->idle_older ? &account->idle_older->idle_newer : &store->idle_oldest) = account;
    store->idle_newest = account;
    store->idle_count++;
}

/* forget - drop an account that nobody has open. */
static void forget(struct folder_store *store, struct postern_account *account)
{
    struct postern_account **at = bucket_of(store, postern_span_of(account->user));

    while (*at != account)
        at = &(*at)->next;
    *at = account->next;
    idle_leave(store, account);
    account_drop(account);
}

static bool is_still_there(const struct postern_account *account)
{
    char path[PATH_MAX];
    struct stat facts;

    return folder_path(account->store, postern_span_of(account->user), path) == 0 &&
           stat(path, &facts) == 0 && facts.st_ino == account->inode &&
           facts.st_dev == account->device;
}

/* cached - the account from the cache, counted; NULL when it is not there. A account that was
 * removed or replaced on disk meanwhile is forgotten. */
static struct postern_account *cached(struct folder_store *store, struct postern_span user)
{
    struct postern_account *account = *bucket_of(store, user);

    while (account && !span_equal(postern_span_of(account->user), user))
        account = account->next;
    if (!account)
        return NULL;
    if (account->users == 0 && !is_still_there(account)) {
        forget(store, account);
        return NULL;
    }
    if (account->users++ == 0)
        idle_leave(store, account);
    return account;
}

static void account_release(struct postern_account *account)
{
    struct folder_store *store = account->store;

    pthread_mutex_lock(&store->mutex);
    if (--account->users == 0) {
        idle_join(store, account);
        if (store->idle_count > IDLE_MAX)
            forget(store, store->idle_oldest);
    }
    pthread_mutex_unlock(&store->mutex);
}

static int find_or_make(struct folder_store *store, struct postern_span user, unsigned flags,
                        struct postern_account **account_r)
{
    struct postern_account *account = cached(store, user), **bucket;
    int err;

    if (!account) {
        if (flags & POSTERN_STORE_NO_WAIT)
            return POSTERN_E_AGAIN;
        account = account_make(store, user);
        if (!account)
            return POSTERN_E_NOMEM;
        err = account_open_path(account, user, flags);
        if (err < 0) {
            account_drop(account);
            return err;
        }
        account->users = 1;
        bucket = bucket_of(store, user);
        account->next = *bucket;
        *bucket = account;
    }
    *account_r = account;
    return 0;
}

int folder_account_open(struct postern_store *postern_store, struct postern_span user,
                        unsigned flags, struct postern_account **account_r)
{
    struct folder_store *store = postern_store->self;
    struct postern_account *account;
    int err;

    if (!user_is_safe(user))
        return POSTERN_E_NOT_FOUND;
    pthread_mutex_lock(&store->mutex);
    /* one account for all names: cached under one name */
    err = find_or_make(store, store->per_user ? user : SPAN("all"), flags, &account);
    pthread_mutex_unlock(&store->mutex);
    if (!err)
        *account_r = account;
    return err;
}

void folder_account_ref(struct postern_account *account)
{
    pthread_mutex_lock(&account->store->mutex);
    account->users++;
    pthread_mutex_unlock(&account->store->mutex);
}

void folder_account_close(struct postern_account **account)
{
    if (!account || !*account)
        return;
    account_release(*account);
    *account = NULL;
}

void folder_free(struct postern_store *postern_store)
{
    struct folder_store *store = postern_store->self;

    watcher_free(store->watcher);
    for (size_t i = 0; i < FOLDER_BUCKETS; i++)
        for (struct postern_account *account = store->buckets[i], *next; account; account = next) {
            next = account->next;
            account_drop(account);
        }
    pthread_mutex_destroy(&store->mutex);
    free(store->path);
    free(store);
}

/* ---- an operation ---------------------------------------------------------------------------- */

int account_take(struct postern_account *account, unsigned flags)
{
    if (!(flags & POSTERN_STORE_NO_WAIT)) {
        pthread_mutex_lock(&account->mutex);
        return 0;
    }
    return pthread_mutex_trylock(&account->mutex) == 0 ? 0 : POSTERN_E_AGAIN;
}

/* mend - an index that somebody destroyed under us is made again; rows that fail their checksums
 * are dropped, and found again by their files. */
static int mend(struct postern_account *account, unsigned flags)
{
    bool damaged = index_is_damaged(&account->index);
    int err = 0;

    if (account->index.count && !damaged)
        return 0;
    if (flags & POSTERN_STORE_NO_WAIT)
        return POSTERN_E_AGAIN;
    if (damaged && account->index.lock < 0) {
        err = index_lock(&account->index, true);
        index_unlock(&account->index);
    }
    return err ? err : account_discover(account);
}

/* begin - refresh or lock. The index's folder may have been removed under us: then once more, with
 * a new one. */
static int begin(struct postern_account *account, unsigned flags,
                 int (*how)(struct index *index, bool wait))
{
    bool wait = !(flags & POSTERN_STORE_NO_WAIT);
    int err = how(&account->index, wait);

    if (err != POSTERN_E_NOT_FOUND || !wait)
        return err;
    index_close(&account->index);
    folder_fd_close(&account->dir);
    account->seen.ns = -1;
    err = account_open_index(account);
    return err ? err : how(&account->index, wait);
}

int account_enter(struct postern_account *account, unsigned flags)
{
    int err = account_take(account, flags);

    if (err)
        return err;
    err = begin(account, flags, index_refresh);
    if (!err)
        err = mend(account, flags);
    if (err)
        account_leave(account);
    return err;
}

int account_enter_lock(struct postern_account *account, unsigned flags)
{
    int err = account_take(account, flags);

    if (err)
        return err;
    err = begin(account, flags, index_lock);
    if (!err)
        err = mend(account, flags);
    if (err)
        account_leave(account);
    return err;
}

void account_leave(struct postern_account *account)
{
    index_unlock(&account->index);
    pthread_mutex_unlock(&account->mutex);
}

/* drop_kept - of mailboxes that are no longer in the index, whoever removed them. */
static void drop_kept(struct postern_account *account)
{
    struct kept **at = &account->kept;

    while (*at) {
        struct kept *kept = *at;

        if (index_mailbox_of(&account->index, kept->id)) {
            at = &kept->next;
            continue;
        }
        *at = kept->next;
        kept_free(kept);
    }
}

struct kept *account_kept(struct postern_account *account, uint64_t id)
{
    struct kept *kept = account->kept;
    size_t count = 0;

    while (kept && kept->id != id) {
        kept = kept->next;
        count++;
    }
    if (kept)
        return kept;
    if (count > 2 * account->index.count + 8) /* seldom, as each is looked up */
        drop_kept(account);
    kept = calloc(1, sizeof *kept);
    if (!kept)
        return NULL;
    *kept = (struct kept){.next = account->kept, .id = id, .seen = {{0, -1}, {0, -1}}};
    account->kept = kept;
    return kept;
}
