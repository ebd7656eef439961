/* SPDX-License-Identifier: MIT */
/* sync - what the files sync.c and newcomers.c share: one look at a mailbox's files. */
#ifndef STORE_FOLDER_SYNC_H
#define STORE_FOLDER_SYNC_H

#include "store/folder/listing.h"

/* struct sync - a look at the files, and what it changes in the index. */
struct sync {
    struct postern_account *account;
    struct index_mailbox *mailbox;
    struct place place;
    struct listing listing;
    struct index_time times[FOLDER_SUBS]; /* before the listing */
    struct index_facts facts;             /* as they will be */
    unsigned touches;                     /* of the account, before the look */
    uint64_t modseq;                      /* of what changes */
    uint32_t *missing;                    /* places of rows without a file */
    size_t missing_count;
    bool *met; /* by place: a listing of this look had its file */
    struct buffer group;
    struct keyword_maker maker;
};

/* sync_newcomers - rows for the files without one. 0 or POSTERN_E_NOMEM. */
int sync_newcomers(struct sync *sync);
/* row_write - into the group, its lengths and checksum made. */
void row_write(struct buffer *group, uint64_t id, struct index_row *row, struct postern_span name,
               struct postern_span unique);

#endif
