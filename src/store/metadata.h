/* SPDX-License-Identifier: MIT */
/* metadata - annotations of mailboxes (RFC 5464) as one run of records: whose, which entry, its
 * value. By the mailbox's name, which outlives an index; "" is the account itself. */
#ifndef STORE_METADATA_H
#define STORE_METADATA_H

#include "base/buffer.h"
#include <postern/message.h>

#define METADATA_RECORDS_MAX 1000
#define METADATA_BYTES_MAX (1u << 20)

/* struct metadata_record - borrowed from the run. Those of access control lists (store/acl.h) are
 * passed over by metadata_each(), and no change is one of them. */
struct metadata_record {
    struct postern_span mailbox, entry, value;
};
#define METADATA_ACL "/acl/"

/* metadata_take - the next record: 1, 0 at the end, or POSTERN_E_CORRUPT. metadata_put - append
 * one. */
int metadata_take(struct postern_span *rest, struct metadata_record *record_r);
void metadata_put(struct buffer *out, const struct metadata_record *record);
bool metadata_is_acl(const struct metadata_record *record);
/* metadata_fits - 0, or POSTERN_E_FULL (too many, too much) or _NOMEM. */
int metadata_fits(const struct buffer *out, size_t records);
/* metadata_each - the entries of one mailbox, until each returns non-zero; returns that.
 * POSTERN_E_CORRUPT: that is no run of records. */
int metadata_each(struct postern_span all, struct postern_span mailbox,
                  int (*each)(void *ctx, const struct postern_metadata *one), void *ctx);
/* metadata_stamp - of one mailbox's annotations: differs when they do; 0: there are none. */
uint64_t metadata_stamp(struct postern_span all, struct postern_span mailbox);
/* metadata_change - all, changed: appended to out. POSTERN_E_NOMEM, _FULL (too many, too much),
 * _CORRUPT. */
int metadata_change(struct postern_span all, struct postern_span mailbox,
                    const struct postern_metadata *changes, size_t count, struct buffer *out);
/* metadata_move - of a mailbox and those below it to a new name; to absent: those of the mailbox
 * are dropped. POSTERN_E_NOMEM, _CORRUPT. */
int metadata_move(struct postern_span all, struct postern_span from, struct postern_span to,
                  struct buffer *out);
/* metadata_copy - what a mailbox has the other has as well, and nothing else: INBOX that is renamed
 * (RFC 5464 4.1). POSTERN_E_NOMEM, _FULL, _CORRUPT. */
int metadata_copy(struct postern_span all, struct postern_span from, struct postern_span to,
                  struct buffer *out);

#endif
