/* SPDX-License-Identifier: MIT */
/* bans - a fixed table of recent offenders behind one lock.
 *
 * Each address has four places it may stand in; a new one takes a free or expired place, else the
 * one that expires first. So memory is bounded however many addresses there are, and a flood of
 * strangers can at worst shorten bans. Local peers on a UNIX socket are never banned. */
#include "provider/bans.h"

#include "base/memory.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>

#define PLACES 16384 /* 512 KiB */
#define WAYS 4

struct place {
    uint64_t key; /* 0: free */
    unsigned strikes;
    postern_time end;
};

struct bans {
    pthread_mutex_t lock;
    unsigned strikes;
    postern_time time;
    struct place places[PLACES];
};

int bans_new(struct bans **bans_r, unsigned strikes, postern_time time)
{
    struct bans *bans = memory_new(NULL, sizeof *bans);

    if (!bans)
        return POSTERN_E_NOMEM;
    pthread_mutex_init(&bans->lock, NULL);
    bans->strikes = strikes;
    bans->time = time;
    *bans_r = bans;
    return 0;
}

void bans_free(struct bans **bans)
{
    if (!bans || !*bans)
        return;
    pthread_mutex_destroy(&(*bans)->lock);
    memory_free(NULL, *bans);
    *bans = NULL;
}

/* Loopback, too, is never banned: behind it stand all users of a webmail. */
static uint64_t key_of_v4(uint32_t network_order)
{
    return ntohl(network_order) >> 24 == 127 ? 0 : UINT64_C(1) << 32 | network_order;
}

/* The address in one number, 0 for one that is never banned: an IPv4 address with a mark above it,
 * the upper half of an IPv6 one. */
static uint64_t key_of(const struct sockaddr *address)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)address;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;
    uint64_t upper;
    uint32_t v4;

    if (address->sa_family == AF_INET)
        return key_of_v4(in->sin_addr.s_addr);
    if (address->sa_family != AF_INET6 || IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr))
        return 0;
    if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
        memcpy(&v4, in6->sin6_addr.s6_addr + 12, sizeof v4);
        return key_of_v4(v4);
    }
    memcpy(&upper, in6->sin6_addr.s6_addr, sizeof upper);
    return upper ? upper : 1;
}

static struct place *places_of(struct bans *bans, uint64_t key)
{
    uint64_t mixed = key * UINT64_C(0x9e3779b97f4a7c15);

    return &bans->places[(mixed >> 32) % (PLACES / WAYS) * WAYS];
}

static struct place *place_find(struct place *places, uint64_t key, postern_time now)
{
    for (size_t i = 0; i < WAYS; i++)
        if (places[i].key == key && now < places[i].end)
            return &places[i];
    return NULL;
}

static struct place *place_take(struct place *places, uint64_t key)
{
    struct place *taken = &places[0];

    for (size_t i = 1; i < WAYS; i++)
        if (places[i].end < taken->end) /* a free one ends at 0 */
            taken = &places[i];
    *taken = (struct place){.key = key};
    return taken;
}

bool bans_strike(struct bans *bans, const struct sockaddr *address, postern_time now)
{
    uint64_t key = key_of(address);
    struct place *places, *place;
    bool banned;

    if (!bans->strikes || !key)
        return false;
    places = places_of(bans, key);
    pthread_mutex_lock(&bans->lock);
    place = place_find(places, key, now);
    if (!place)
        place = place_take(places, key);
    place->end = now + bans->time;
    banned = ++place->strikes == bans->strikes;
    pthread_mutex_unlock(&bans->lock);
    return banned;
}

bool bans_has(struct bans *bans, const struct sockaddr *address, postern_time now)
{
    uint64_t key = key_of(address);
    const struct place *place;
    bool banned;

    if (!bans->strikes || !key)
        return false;
    pthread_mutex_lock(&bans->lock);
    place = place_find(places_of(bans, key), key, now);
    banned = place && place->strikes >= bans->strikes;
    pthread_mutex_unlock(&bans->lock);
    return banned;
}
