/* SPDX-License-Identifier: MIT */
/* quota - limits of one account instead of those of its store: an annotation of the account, so
 * that they last with its other data. Its value is IMAP's list of resources (RFC 9208 4.1.3),
 * "STORAGE 510 MESSAGE 1000", in KiB; what is not named there has no limit. */
#ifndef STORE_QUOTA_H
#define STORE_QUOTA_H

#include <postern/message.h>

#define QUOTA_ENTRY "/shared/vendor/postern/quota"

/* quota_limits - of a quota, the limits become those; what is used stays. */
void quota_limits(struct postern_quota *quota, const struct postern_quota *limits);
/* quota_room - for so much more mail, quota_mailbox_room - for so many mailboxes more; 0, or
 * POSTERN_E_FULL. */
int quota_room(const struct postern_quota *quota, uint64_t bytes, uint64_t messages);
int quota_mailbox_room(const struct postern_quota *quota, uint64_t mailboxes);
/* quota_read - the limits among the records of an account (metadata.h); false: there are none, and
 * nothing was changed. */
bool quota_read(struct postern_span records, struct postern_quota *limits);

#endif
