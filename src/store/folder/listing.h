/* SPDX-License-Identifier: MIT */
/* listing - the names in a mailbox's sub-folders. */
#ifndef STORE_FOLDER_LISTING_H
#define STORE_FOLDER_LISTING_H

#include "store/folder/folder.h"

struct found {
    size_t name;    /* offset in names */
    uint32_t place; /* of its row, + 1; 0: none */
    uint8_t name_n, sub;
};

struct listing {
    const struct folder_kind *kind;
    struct buffer names;
    struct found *all;
    size_t count, room;
    uint32_t *by_key; /* places in all, + 1, by hash of key */
    size_t key_room;
};

/* listing_read - list them all. POSTERN_E_*; done in any case. */
int listing_read(struct listing *listing, struct place *place);
void listing_done(struct listing *listing);
struct postern_span found_name(const struct listing *listing, const struct found *found);
/* listing_find - by key; NULL. */
struct found *listing_find(const struct listing *listing, struct postern_span key);

#endif
