/* SPDX-License-Identifier: MIT */
/* delays - answers to a key (an address, a user) that keeps failing come later and later: 1 s, 2 s,
 * ... at most 15. A bounded table: where two keys meet, the older is forgotten, so memory never
 * grows. */
#include "accounts/accounts.h"

#include "base/span.h"
#include <pthread.h>
#include <stdlib.h>

#define WAIT_MAX (15 * POSTERN_SECOND)
#define FORGET_AFTER (600 * POSTERN_SECOND)

struct delay {
    uint64_t key; /* 0: free */
    unsigned failures;
    postern_time last;
};

struct delays {
    pthread_mutex_t mutex;
    size_t count;
    struct delay rows[];
};

int delays_new(struct delays **delays_r, size_t entries_max)
{
    struct delays *delays = calloc(1, sizeof *delays + entries_max * sizeof *delays->rows);

    if (!delays)
        return POSTERN_E_NOMEM;
    pthread_mutex_init(&delays->mutex, NULL);
    delays->count = entries_max;
    *delays_r = delays;
    return 0;
}

void delays_free(struct delays **delays)
{
    if (!delays || !*delays)
        return;
    pthread_mutex_destroy(&(*delays)->mutex);
    free(*delays);
    *delays = NULL;
}

static struct delay *row_of(struct delays *delays, struct postern_span key, uint64_t *hash_r)
{
    uint64_t hash = span_hash(key);

    *hash_r = hash | 1;
    return &delays->rows[(hash >> 7) % delays->count];
}

void delays_failed(struct delays *delays, struct postern_span key, postern_time now)
{
    uint64_t hash;
    struct delay *row;

    pthread_mutex_lock(&delays->mutex);
    row = row_of(delays, key, &hash);
    if (row->key != hash || now - row->last > FORGET_AFTER)
        *row = (struct delay){.key = hash};
    row->failures++;
    row->last = now;
    pthread_mutex_unlock(&delays->mutex);
}

void delays_succeeded(struct delays *delays, struct postern_span key)
{
    uint64_t hash;
    struct delay *row;

    pthread_mutex_lock(&delays->mutex);
    row = row_of(delays, key, &hash);
    if (row->key == hash)
        *row = (struct delay){0};
    pthread_mutex_unlock(&delays->mutex);
}

postern_time delays_wait(struct delays *delays, struct postern_span key, postern_time now)
{
    uint64_t hash;
    struct delay *row;
    postern_time wait = 0;

    pthread_mutex_lock(&delays->mutex);
    row = row_of(delays, key, &hash);
    if (row->key == hash && row->failures && now - row->last <= FORGET_AFTER)
        wait = row->failures > 4 ? WAIT_MAX : POSTERN_SECOND << (row->failures - 1);
    pthread_mutex_unlock(&delays->mutex);
    return wait;
}
