/* SPDX-License-Identifier: MIT */
/* limits - how many connections each address has open: an IPv4 address, or an IPv6 /64, since one
 * customer commonly has a whole /64. A chained hash table behind a mutex; entries die at zero. */
#include "net/loop.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096

struct address_row {
    struct address_row *next;
    unsigned char key[9];
    unsigned count;
};

struct address_counts {
    pthread_mutex_t mutex;
    struct address_row *buckets[BUCKETS];
};

int addresses_new(struct address_counts **counts_r)
{
    struct address_counts *counts = calloc(1, sizeof *counts);

    if (!counts)
        return POSTERN_E_NOMEM;
    pthread_mutex_init(&counts->mutex, NULL);
    *counts_r = counts;
    return 0;
}

void addresses_free(struct address_counts **counts)
{
    if (!*counts)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        while ((*counts)->buckets[i]) {
            struct address_row *row = (*counts)->buckets[i];

            (*counts)->buckets[i] = row->next;
            free(row);
        }
    pthread_mutex_destroy(&(*counts)->mutex);
    free(*counts);
    *counts = NULL;
}

/* address_key - false for a socket family that is not counted. */
static bool address_key(const union net_address *address, unsigned char key[9])
{
    memset(key, 0, 9);
    if (address->family == AF_INET) {
        key[0] = 4;
        memcpy(key + 1, &address->four.sin_addr, 4);
        return true;
    }
    if (address->family != AF_INET6)
        return false;
    if (IN6_IS_ADDR_V4MAPPED(&address->six.sin6_addr)) {
        key[0] = 4;
        memcpy(key + 1, address->six.sin6_addr.s6_addr + 12, 4);
    } else {
        key[0] = 6;
        memcpy(key + 1, address->six.sin6_addr.s6_addr, 8);
    }
    return true;
}

static struct address_row **address_find(struct address_counts *counts, const unsigned char key[9])
{
    uint32_t hash = 2166136261u;
    struct address_row **at;

    for (size_t i = 0; i < 9; i++)
        hash = (hash ^ key[i]) * 16777619u;
    at = &counts->buckets[(hash ^ hash >> 15) % BUCKETS];
    while (*at && memcmp((*at)->key, key, 9) != 0)
        at = &(*at)->next;
    return at;
}

bool addresses_in(struct address_counts *counts, const union net_address *address, unsigned max)
{
    unsigned char key[9];
    struct address_row **at;
    bool in = false;

    if (!address_key(address, key))
        return true;
    pthread_mutex_lock(&counts->mutex);
    at = address_find(counts, key);
    if (!*at && (*at = calloc(1, sizeof **at)))
        memcpy((*at)->key, key, sizeof key);
    if (*at && (max == 0 || (*at)->count < max)) {
        (*at)->count++;
        in = true;
    }
    pthread_mutex_unlock(&counts->mutex);
    return in;
}

void addresses_out(struct address_counts *counts, const union net_address *address)
{
    unsigned char key[9];
    struct address_row **at, *row;

    if (!address_key(address, key))
        return;
    pthread_mutex_lock(&counts->mutex);
    at = address_find(counts, key);
    row = *at;
    if (row && --row->count == 0) {
        *at = row->next;
        free(row);
    }
    pthread_mutex_unlock(&counts->mutex);
}
