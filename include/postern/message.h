/* SPDX-License-Identifier: MIT */
/* postern/message.h - a mailbox as a list of messages: the words that stores and engines share. */
#ifndef POSTERN_MESSAGE_H
#define POSTERN_MESSAGE_H

#include <postern/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define POSTERN_UID_MAX 70          /* RFC 1939 7: a unique-id has 1..70 octets of 0x21..0x7E */
#define POSTERN_ENTRY_UTF8 1        /* the header has raw UTF-8 (RFC 6532) */
#define POSTERN_ENTRY_UNREADABLE 2  /* listed with the size last known; opening it will fail */

/* struct postern_entry - one message: 16 bytes. */
struct postern_entry {
    uint64_t size_bytes; /* octets in wire form: CRLF line ends, last one included */
    uint32_t uid_offset; /* where its unique-id begins in list.uids */
    uint8_t uid_length;  /* 1..POSTERN_UID_MAX */
    uint8_t flags;       /* POSTERN_ENTRY_* */
    uint16_t reserved;   /* 0 */
};

/* struct postern_list - a mailbox as it was at one moment; never changes, may be shared. */
struct postern_list {
    const struct postern_entry *entries;
    size_t count;
    const char *uids;     /* all unique-ids, one after the other */
    uint64_t total_bytes; /* sum of the sizes */
};

#ifdef __cplusplus
}
#endif
#endif
