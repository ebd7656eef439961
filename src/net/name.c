/* SPDX-License-Identifier: MIT */
/* name - getnameinfo(), believed only when getaddrinfo() leads back to the address. */
#include "net/name.h"

#include "base/span.h"
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>

/* is_name - letters, digits, hyphens, dots and underscores; not an address, which would have
 * itself. */
static bool is_name(const char *name)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
    unsigned char octets[16];

    return *name && !name[strspn(name, good)] && inet_pton(AF_INET, name, octets) != 1;
}

/* same_host - ports do not count. */
static bool same_host(const struct addrinfo *a, const struct addrinfo *b)
{
    const struct sockaddr_in *a4 = (const void *)a->ai_addr, *b4 = (const void *)b->ai_addr;
    const struct sockaddr_in6 *a6 = (const void *)a->ai_addr, *b6 = (const void *)b->ai_addr;

    if (a->ai_family != b->ai_family)
        return false;
    if (a->ai_family == AF_INET6)
        return memcmp(&a6->sin6_addr, &b6->sin6_addr, sizeof a6->sin6_addr) == 0;
    return a->ai_family == AF_INET && a4->sin_addr.s_addr == b4->sin_addr.s_addr;
}

static bool has_address(const char *name, const struct addrinfo *address)
{
    struct addrinfo hints = {.ai_family = address->ai_family, .ai_socktype = SOCK_STREAM}, *all;
    bool found = false;

    if (getaddrinfo(name, NULL, &hints, &all))
        return false;
    for (const struct addrinfo *one = all; one && !found; one = one->ai_next)
        found = same_host(one, address);
    freeaddrinfo(all);
    return found;
}

int net_name_of(struct postern_span address, char *name_r, size_t size)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM}, *found;
    char text[64], name[NI_MAXHOST];
    bool good;

    snprintf(text, sizeof text, "%.*s", SPAN_ARG(address));
    if (getaddrinfo(text, NULL, &hints, &found))
        return POSTERN_E_NOT_FOUND;
    good = getnameinfo(found->ai_addr, found->ai_addrlen, name, sizeof name, NULL, 0,
                       NI_NAMEREQD) == 0 &&
           strlen(name) < size && is_name(name) && has_address(name, found);
    freeaddrinfo(found);
    if (!good)
        return POSTERN_E_NOT_FOUND;
    memcpy(name_r, name, strlen(name) + 1);
    return 0;
}
