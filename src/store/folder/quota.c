/* SPDX-License-Identifier: MIT */
/* quota - what an account holds, and how much it may. */
#include "store/folder/annotations.h"
#include "store/levels.h"
#include "store/quota.h"

#include <fcntl.h>

/* own_limits - those of the account instead of the store's, if it has any; with the mutex. */
static void own_limits(struct postern_account *account, struct postern_quota *limits)
{
    struct buffer records = {0};
    struct index_time modified;
    struct stat facts;

    if (account->dir < 0 ||
        fstatat(account->dir, ANNOTATIONS_FILE, &facts, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    modified = (struct index_time){facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec};
    if (account->limits_inode != facts.st_ino || !time_is_same(account->limits_of, modified)) {
        account->has_limits = annotations_load(account, &records) == 0 &&
                              quota_read(buffer_span(&records), &account->limits);
        account->limits_inode = facts.st_ino;
        account->limits_of = modified;
        buffer_done(&records);
    }
    if (!account->has_limits)
        return;
    quota_limits(limits, &account->limits);
}

void account_usage(struct postern_account *account, struct postern_quota *quota_r)
{
    *quota_r = (struct postern_quota){0};
    quota_limits(quota_r, &account->store->limits);
    own_limits(account, quota_r);
    for (size_t i = 0; i < account->index.count; i++) {
        quota_r->bytes += account->index.mailboxes[i]->size_bytes;
        quota_r->messages += account->index.mailboxes[i]->messages;
        quota_r->mailboxes += account->index.mailboxes[i]->facts.exists;
    }
}

int account_fits(struct postern_account *account, struct postern_span name, size_t more)
{
    struct postern_quota usage;

    while (levels_up(&name))
        more += mailbox_existing(account, name) == NULL;
    account_usage(account, &usage);
    return quota_mailbox_room(&usage, more);
}

int folder_quota(struct postern_account *account, struct postern_quota *quota_r)
{
    int err = account_enter(account, 0);

    if (err)
        return err;
    account_usage(account, quota_r);
    account_leave(account);
    return 0;
}

void folder_limit(struct postern_store *postern_store, const struct postern_quota *quota)
{
    struct folder_store *store = postern_store->self;

    quota_limits(&store->limits, quota);
}

void folder_unsynced(struct postern_store *postern_store)
{
    struct folder_store *store = postern_store->self;

    store->unsynced = true;
}
