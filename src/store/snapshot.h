/* SPDX-License-Identifier: MIT */
/* snapshot - builds the immutable, counted list that a store hands to its readers. */
#ifndef STORE_SNAPSHOT_H
#define STORE_SNAPSHOT_H

#include <postern/store.h>

struct snapshot_builder;

/* snapshot_builder_new - room for count messages to begin with. given. */
int snapshot_builder_new(struct snapshot_builder **builder_r, size_t count);
/* snapshot_builder_add - the next message; its unique-id is copied. POSTERN_E_NOMEM, _TOO_LONG (the
 * unique-id, or 4 GiB of them). */
int snapshot_builder_add(struct snapshot_builder *builder, struct postern_span unique, uint32_t uid,
                         uint64_t size_bytes, uint8_t flags);
/* snapshot_builder_size - give message i, added with size 0, its size and flags.
 * snapshot_builder_uid - its unique-id, lent until the next add. */
void snapshot_builder_size(struct snapshot_builder *builder, size_t i, uint64_t size_bytes,
                           uint8_t flags);
struct postern_span snapshot_builder_uid(const struct snapshot_builder *builder, size_t i);
size_t snapshot_builder_count(const struct snapshot_builder *builder);
/* snapshot_builder_end - the builder becomes the snapshot, with one reference and a generation of
 * its own. */
struct postern_snapshot *snapshot_builder_end(struct snapshot_builder **builder);
void snapshot_builder_free(struct snapshot_builder **builder);
/* snapshot_uid - the unique-id of entry i. */
struct postern_span snapshot_uid(const struct postern_snapshot *snapshot, size_t i);

/* user_is_safe - may this user name become the name of a folder? */
bool user_is_safe(struct postern_span user);

#endif
