/* SPDX-License-Identifier: MIT */
/* eight - questions to eight octets at once, as one number. Pure. */
#ifndef BASE_EIGHT_H
#define BASE_EIGHT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define EIGHT(octet) (UINT64_C(0x0101010101010101) * (unsigned char)(octet))

static inline uint64_t eight_at(const char *p)
{
    uint64_t octets;

    memcpy(&octets, p, sizeof octets);
    return octets;
}

/* eight_has_8bit - is one of them above 127? */
static inline bool eight_has_8bit(uint64_t octets)
{
    return octets & EIGHT(0x80);
}

/* eight_has_below - is one of them below that? Of at most 128. */
static inline bool eight_has_below(uint64_t octets, unsigned char least)
{
    return (octets - EIGHT(least)) & ~octets & EIGHT(0x80);
}

/* eight_has - is one of them that? */
static inline bool eight_has(uint64_t octets, char octet)
{
    return eight_has_below(octets ^ EIGHT(octet), 1);
}

#endif
