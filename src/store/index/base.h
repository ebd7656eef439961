/* SPDX-License-Identifier: MIT */
/* base - the front of an index file, as it is written (checkpoint.c) and mapped (base.c).
 *
 * Layout: the head; for each mailbox its rows and their strings; the directory. The directory is
 * written in the words of group.c - the facts, keywords, ranges and history of each mailbox - with
 * the places of its tables. Behind the base, from a page boundary on, zeros for the log. */
#ifndef STORE_INDEX_BASE_H
#define STORE_INDEX_BASE_H

#include "store/index/index.h"

#define BASE_MAGIC UINT64_C(0x32786469746e7370) /* "pstnidx2" on a little-endian machine */

struct base_head {
    uint64_t magic, made, sequence, next_id;
    uint64_t directory, directory_n; /* offset and octets */
    uint64_t base_n;                 /* where the log begins */
    uint32_t mailboxes, directory_crc;
    uint32_t row_size, crc; /* crc: of all above */
};

/* struct base_box - a mailbox in the directory; its facts, name, keywords, runs, history and doomed
 * files follow in this order. */
struct base_box {
    struct index_facts facts;
    uint64_t rows, row_n, strings, strings_n; /* offsets in the file, and how many */
    uint64_t history_floor, size_bytes;
    uint32_t name_n, keyword_n, run_n, history_n, doomed_n;
    uint32_t messages, unseen, deleted, pending;
    uint32_t zero;
};

/* base_head_crc, base_directory_crc - as the head must have them. */
uint32_t base_head_crc(const struct base_head *head);
uint32_t base_directory_crc(struct postern_span directory);

#endif
