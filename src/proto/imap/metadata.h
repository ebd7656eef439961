/* SPDX-License-Identifier: MIT */
/* metadata - what of annotations is asked for, by GETMETADATA and by LIST. */
#ifndef IMAP_METADATA_H
#define IMAP_METADATA_H

#include "proto/imap/session.h"

#define METADATA_ENTRIES_MAX 100
#define METADATA_SPECIAL_USE SPAN("/private/specialuse")

struct imap_metadata {
    struct postern_span mailbox;  /* empty: the account */
    struct postern_span *entries; /* that are asked for */
    size_t entry_count;
    unsigned depth; /* of those below them: 0, 1, UINT_MAX */
    bool has_max_size;
    uint64_t max_size, longest;       /* longest: of those that are longer; 0 none */
    enum postern_special_use special; /* of the mailbox: an entry that is not kept as one */
};
/* metadata_parse_entries - one, or several in parentheses. */
void metadata_parse_entries(struct postern_imap *s, struct imap_metadata *metadata);
/* metadata_parse_entry - one name of one. */
struct postern_span metadata_parse_entry(struct postern_imap *s);
/* metadata_is_scope - all that is the user's own, or all that is shared: it has no value, but DEPTH
 * shows what is below. */
bool metadata_is_scope(struct postern_span name);
/* metadata_parse_mailbox - "" is the account. */
struct postern_span metadata_parse_mailbox(struct postern_imap *s);
/* metadata_means - `asked` is this entry, or one above it that is near enough. */
bool metadata_means(const struct imap_metadata *metadata, struct postern_span asked,
                    struct postern_span entry);
/* metadata_write_name - as an atom where it is one. */
void metadata_write_name(struct postern_imap *s, struct postern_span entry);
/* metadata_write - what of `all` is asked for. */
void metadata_write(struct postern_imap *s, struct imap_metadata *metadata,
                    const struct imap_answer *all);

#endif
