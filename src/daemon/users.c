/* SPDX-License-Identifier: MIT */
/* users - a hash table of logged-in users behind one lock.
 *
 * An entry lives while the user has a session, or a login delay is still to be kept; entries that
 * are past both are dropped when their bucket is next touched. */
#include "daemon/users.h"

#include "base/memory.h"
#include "base/span.h"
#include <limits.h>
#include <pthread.h>

#define BUCKETS 4096
#define NOBODY UINT_MAX

struct entry {
    struct entry *next;
    unsigned sessions, owner;
    postern_time last;
    size_t name_n;
    char name[];
};

struct users {
    pthread_mutex_t lock;
    unsigned per_user;
    postern_time delay;
    struct entry *buckets[BUCKETS];
};

/* A peer chooses no names here: only who logged in gets in. */
static uint64_t hash_of(struct postern_span user)
{
    uint64_t hash = span_hash(user);

    return hash ^ hash >> 32;
}

int users_new(struct users **users_r, unsigned per_user, postern_time delay)
{
    struct users *users = memory_new(NULL, sizeof *users);

    if (!users)
        return POSTERN_E_NOMEM;
    pthread_mutex_init(&users->lock, NULL);
    users->per_user = per_user;
    users->delay = delay;
    *users_r = users;
    return 0;
}

static void bucket_prune(struct users *users, struct entry **at, postern_time now)
{
    while (*at) {
        struct entry *entry = *at;

        if (entry->sessions || (users->delay && now < entry->last + users->delay)) {
            at = &entry->next;
            continue;
        }
        *at = entry->next;
        memory_free(NULL, entry);
    }
}

void users_free(struct users **users)
{
    if (!users || !*users)
        return;
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct entry *entry = (*users)->buckets[i], *next; entry; entry = next) {
            next = entry->next;
            memory_free(NULL, entry);
        }
    }
    pthread_mutex_destroy(&(*users)->lock);
    memory_free(NULL, *users);
    *users = NULL;
}

static struct entry **bucket_of(struct users *users, struct postern_span user)
{
    return &users->buckets[hash_of(user) % BUCKETS];
}

static struct entry *entry_find(struct entry *entry, struct postern_span user)
{
    while (entry && !span_equal(span_make(entry->name, entry->name_n), user))
        entry = entry->next;
    return entry;
}

static struct entry *entry_add(struct entry **bucket, struct postern_span user)
{
    struct entry *entry =
        memory_new(NULL, sizeof *entry + user.n); /* UNSAFE: names have < 256 bytes */

    if (!entry)
        return NULL;
    memcpy(entry->name, user.p, user.n);
    entry->name_n = user.n;
    entry->owner = NOBODY;
    entry->next = *bucket;
    *bucket = entry;
    return entry;
}

static int count_in(struct users *users, struct postern_span user, postern_time now)
{
    struct entry **bucket = bucket_of(users, user), *entry;

    bucket_prune(users, bucket, now);
    entry = entry_find(*bucket, user);
    if (entry && users->delay && now < entry->last + users->delay)
        return POSTERN_E_AGAIN;
    if (entry && users->per_user && entry->sessions >= users->per_user)
        return POSTERN_E_FULL;
    if (!entry)
        entry = entry_add(bucket, user);
    if (!entry)
        return POSTERN_E_NOMEM;
    entry->sessions++;
    entry->last = now;
    return 0;
}

int users_in(struct users *users, struct postern_span user, postern_time now)
{
    int r;

    pthread_mutex_lock(&users->lock);
    r = count_in(users, user, now);
    pthread_mutex_unlock(&users->lock);
    return r;
}

unsigned users_owner(struct users *users, struct postern_span user, unsigned loop)
{
    struct entry *entry;

    pthread_mutex_lock(&users->lock);
    entry = entry_find(*bucket_of(users, user), user);
    if (entry && entry->owner == NOBODY)
        entry->owner = loop;
    loop = entry ? entry->owner : loop;
    pthread_mutex_unlock(&users->lock);
    return loop;
}

void users_out(struct users *users, struct postern_span user)
{
    struct entry *entry;

    pthread_mutex_lock(&users->lock);
    entry = entry_find(*bucket_of(users, user), user);
    if (entry && entry->sessions && --entry->sessions == 0)
        entry->owner = NOBODY;
    pthread_mutex_unlock(&users->lock);
}
