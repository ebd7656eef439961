/* SPDX-License-Identifier: MIT */
/* kind - what differs between the stores that are folders: where messages lie, and what their
 * files' names tell. */
#ifndef STORE_FOLDER_KIND_H
#define STORE_FOLDER_KIND_H

#include "store/index/index.h"

#define FOLDER_SUBS INDEX_SUBS

/* struct file_facts - what a file's name tells. */
struct file_facts {
    uint64_t size_raw, size_wire; /* UINT64_MAX: nothing */
    uint32_t flags;
    uint32_t letters; /* keywords a to z as bits */
    bool has_flags;
    uint32_t uid_validity, uid; /* 0: none */
};

/* struct new_name - what a new file's name is to tell. */
struct new_name {
    uint64_t number; /* differs for each in this process */
    int64_t date_s;
    uint64_t size_raw, size_wire;
    uint32_t uid_validity, uid;
};

struct folder_kind {
    struct postern_store_ops ops; /* name, and folder_* for the rest */
    unsigned sub_count;
    const char *subs[FOLDER_SUBS]; /* where messages are; deliveries go to the first */
    const char *staging;           /* where deliveries are written first */
    const char *index;             /* the index's folder, in the account's */
    bool has_mailboxes;            /* others than INBOX, as ".Name" beside it */
    bool mutable_files; /* a file may be edited in place: sizes are checked at each scan */
    bool (*is_message)(struct postern_span name);
    /* key_of - the part of a file's name that stays the same while flags change. */
    struct postern_span (*key_of)(struct postern_span name);
    /* unique_of - the part of a key that is the unique-id. */
    struct postern_span (*unique_of)(struct postern_span key);
    void (*read_name)(struct postern_span name, struct file_facts *facts_r);
    /* make_name - for a delivery; 0 or POSTERN_E_TOO_LONG. */
    int (*make_name)(const struct new_name *what, char *out, size_t size);
    /* flag_name - the name for these flags; false: the name does not tell flags. */
    bool (*flag_name)(struct postern_span name, uint32_t flags, uint32_t letters, char *out,
                      size_t size);
};

#endif
