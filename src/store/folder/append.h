/* SPDX-License-Identifier: MIT */
/* append - what append.c, commit.c and copy.c share: messages being written, and sets of them. */
#ifndef STORE_FOLDER_APPEND_H
#define STORE_FOLDER_APPEND_H

#include "store/folder/sync.h"

struct postern_delivery {
    struct postern_mailbox *mailbox;
    struct postern_new_message what;
    char unique[POSTERN_UID_MAX + 1];
    uint64_t number, email_id; /* email_id 0: a new one */
    struct place place;
    int fd; /* -1: nothing is in a file yet */
    struct buffer held;
    struct scan scan;
    char last; /* octet written */
    int error; /* the first; sticks */
    char staged[64];
    /* placing */
    char name[FOLDER_NAME_BYTES];
    unsigned sub;
    uint32_t uid;
    bool placed;
};

/* struct commit_set - deliveries that are committed all or none, for one mailbox. */
struct commit_set {
    bool known; /* of the mailbox, before: own_begin() */
    struct commit_set *next;
    struct postern_delivery **deliveries;
    size_t count;
    uint64_t from;         /* 0, or the mailbox that loses `moved` in the same step */
    const uint32_t *moved; /* count of them, rising */
    int result;
    bool done;
};

/* delivery_finish - all octets in the file, and the file on disk. */
int delivery_finish(struct postern_delivery *delivery);
/* folder_commit_set - ends the deliveries either way. */
int folder_commit_set(struct commit_set *set, uint32_t *uids_r);

#endif
