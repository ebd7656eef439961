/* SPDX-License-Identifier: MIT */
/* quota - what an account holds, and how much it may. */
#include "store/folder/folder.h"

void account_usage(struct postern_account *account, struct postern_quota *quota_r)
{
    *quota_r = (struct postern_quota){.bytes_max = account->store->bytes_max,
                                      .messages_max = account->store->messages_max};
    account_limits(account, quota_r);
    for (size_t i = 0; i < account->index.count; i++) {
        quota_r->bytes += account->index.mailboxes[i]->size_bytes;
        quota_r->messages += account->index.mailboxes[i]->messages;
    }
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

    store->bytes_max = quota->bytes_max;
    store->messages_max = quota->messages_max;
}
