/* SPDX-License-Identifier: MIT */
/* room - is there room for a message? Asked before its octets are, in every protocol. Pure. */
#ifndef SERVE_ROOM_H
#define SERVE_ROOM_H

#include <postern/message.h>

/* quota_room - for one message of so many octets; 0, or POSTERN_E_FULL. */
static inline int quota_room(const struct postern_quota *quota, uint64_t size_bytes)
{
    if (quota->bytes_max && quota->bytes + size_bytes > quota->bytes_max)
        return POSTERN_E_FULL;
    return quota->messages_max && quota->messages >= quota->messages_max ? POSTERN_E_FULL : 0;
}

#endif
