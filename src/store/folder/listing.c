/* SPDX-License-Identifier: MIT */
/* listing - the names of a mailbox's files, found by what stays the same of them. A file that is
 * seen in two folders was moved while they were read: the later one counts. */
#include "store/folder/listing.h"

#include "base/span.h"
#include <errno.h>
#include <stdlib.h>

struct postern_span found_name(const struct listing *listing, const struct found *found)
{
    return span_make(buffer_span(&listing->names).p + found->name, found->name_n);
}

static int add(struct listing *listing, struct postern_span name, unsigned sub)
{
    if (listing->count == listing->room) {
        size_t room = listing->room ? listing->room * 2 : 64;
        struct found *all = realloc(listing->all, room * sizeof *all);

        if (!all)
            return POSTERN_E_NOMEM;
        listing->all = all;
        listing->room = room;
    }
    listing->all[listing->count++] = (struct found){
        .name = buffer_length(&listing->names), .name_n = (uint8_t)name.n, .sub = (uint8_t)sub};
    buffer_append(&listing->names, span_make(name.p, name.n + 1)); /* its NUL, too */
    return listing->names.error;
}

/* list_sub - the names of one folder. A file whose name begins with a dot is nobody's message. */
static int list_sub(struct listing *listing, struct place *place, unsigned sub)
{
    struct dirent *entry;
    DIR *dir;
    int err = folder_dir_read(place->base, listing->kind->subs[sub], &dir);

    if (err < 0)
        return err;
    while (!err && (errno = 0, entry = readdir(dir))) {
        struct postern_span name = postern_span_of(entry->d_name);
        bool maybe_file = entry->d_type == DT_REG || entry->d_type == DT_UNKNOWN;

        if (maybe_file && name.p[0] != '.' && name.n < FOLDER_NAME_BYTES &&
            listing->kind->is_message(name))
            err = add(listing, name, sub);
    }
    if (!err && errno)
        err = POSTERN_E_IO;
    closedir(dir);
    return err;
}

/* slot - of a key: where it is, or where it would be. */
static uint32_t *slot(const struct listing *listing, struct postern_span key)
{
    size_t at = span_hash(key) % listing->key_room;

    while (listing->by_key[at]) {
        const struct found *found = &listing->all[listing->by_key[at] - 1];

        if (span_equal(listing->kind->key_of(found_name(listing, found)), key))
            break;
        at = (at + 1) % listing->key_room;
    }
    return &listing->by_key[at];
}

static int index_keys(struct listing *listing)
{
    size_t kept = 0;

    listing->key_room = listing->count * 2 + 1;
    listing->by_key = calloc(listing->key_room, sizeof *listing->by_key);
    if (!listing->by_key)
        return POSTERN_E_NOMEM;
    for (size_t i = 0; i < listing->count; i++) {
        struct postern_span name = found_name(listing, &listing->all[i]);
        uint32_t *at = slot(listing, listing->kind->key_of(name));

        if (*at) {
            listing->all[*at - 1] = listing->all[i];
            continue;
        }
        listing->all[kept] = listing->all[i];
        *at = (uint32_t)++kept;
    }
    listing->count = kept;
    return 0;
}

int listing_read(struct listing *listing, struct place *place)
{
    int err = 0;

    *listing = (struct listing){.kind = place->account->store->kind, .names.plain = true};
    for (unsigned i = 0; i < listing->kind->sub_count && !err; i++)
        err = list_sub(listing, place, i);
    return err ? err : index_keys(listing);
}

struct found *listing_find(const struct listing *listing, struct postern_span key)
{
    uint32_t at = listing->key_room ? *slot(listing, key) : 0;

    return at ? &listing->all[at - 1] : NULL;
}

void listing_done(struct listing *listing)
{
    buffer_done(&listing->names);
    free(listing->all);
    free(listing->by_key);
    *listing = (struct listing){0};
}
