/* SPDX-License-Identifier: MIT */
/* memory - the store itself: its limits, its accounts' end, and the table of what it can do. */
#include "store/memory/memory.h"
#include "store/quota.h"

#include <stdlib.h>

static void memory_limit(struct postern_store *store, const struct postern_quota *quota)
{
    struct memory *memory = store->self;

    pthread_mutex_lock(&memory->mutex);
    quota_limits(&memory->limits, quota);
    pthread_mutex_unlock(&memory->mutex);
}

static void memory_free(struct postern_store *store)
{
    struct memory *memory = store->self;

    while (memory->accounts) {
        struct postern_account *account = memory->accounts;

        memory->accounts = account->next;
        account_free(account);
    }
    pthread_mutex_destroy(&memory->mutex);
    free(memory);
}

static void memory_tidy(struct postern_mailbox *mailbox)
{
    (void)mailbox;
}

int postern_store_memory_new(struct postern_store *store_r)
{
    static const struct postern_store_ops ops = {.name = "memory",
                                                 .account_open = memory_account_open,
                                                 .account_close = memory_account_close,
                                                 .quota = memory_quota,
                                                 .limit = memory_limit,
                                                 .metadata = memory_metadata,
                                                 .set_metadata = memory_set_metadata,
                                                 .acl = memory_acl,
                                                 .set_acl = memory_set_acl,
                                                 .sharers = memory_sharers,
                                                 .list_users = memory_list_users,
                                                 .list = memory_list,
                                                 .status = memory_status,
                                                 .create = memory_create,
                                                 .remove = memory_remove,
                                                 .rename = memory_rename,
                                                 .subscribe = memory_subscribe,
                                                 .open = memory_open,
                                                 .close = memory_close,
                                                 .lock = memory_lock,
                                                 .unlock = memory_unlock,
                                                 .snapshot = memory_snapshot,
                                                 .refresh = memory_refresh,
                                                 .recent = memory_recent,
                                                 .ranges = memory_ranges,
                                                 .first_unseen = memory_first_unseen,
                                                 .each = memory_each,
                                                 .vanished = memory_vanished,
                                                 .keyword = memory_keyword,
                                                 .keyword_name = memory_keyword_name,
                                                 .find = memory_find,
                                                 .unique_id = memory_unique_id,
                                                 .message = memory_message,
                                                 .read = memory_read,
                                                 .content_close = memory_content_close,
                                                 .structure = memory_structure,
                                                 .structures = memory_structures,
                                                 .flags = memory_flags,
                                                 .copy = memory_copy,
                                                 .expunge = memory_expunge,
                                                 .tidy = memory_tidy,
                                                 .begin = memory_begin,
                                                 .write = memory_write,
                                                 .commit = memory_commit,
                                                 .abort = memory_abort,
                                                 .watch = memory_watch,
                                                 .watch_all = memory_watch_all,
                                                 .watch_has_lost = memory_watch_has_lost,
                                                 .unwatch = memory_unwatch,
                                                 .free = memory_free};
    struct memory *memory = calloc(1, sizeof *memory);

    if (!memory)
        return POSTERN_E_NOMEM;
    pthread_mutex_init(&memory->mutex, NULL);
    *store_r = (struct postern_store){&ops, memory};
    return 0;
}
