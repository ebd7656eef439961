/* SPDX-License-Identifier: MIT */
/* accounts - made when first opened, and what their messages count for. */
#include "store/memory/memory.h"
#include "store/levels.h"
#include "store/quota.h"

#include "base/span.h"
#include <stdlib.h>

static struct postern_account *account_find(struct memory *memory, struct postern_span user)
{
    struct postern_account *account = memory->accounts;

    while (account && !span_equal(postern_span_of(account->user), user))
        account = account->next;
    return account;
}

static struct postern_account *account_make(struct memory *memory, struct postern_span user)
{
    struct postern_account *account = calloc(1, sizeof *account);

    if (!account)
        return NULL;
    account->memory = memory;
    memcpy(account->user, user.p, user.n);
    if (!box_make(account, SPAN("INBOX"))) {
        free(account);
        return NULL;
    }
    account->next = memory->accounts;
    memory->accounts = account;
    return account;
}

void account_free(struct postern_account *account)
{
    while (account->boxes)
        box_drop(account->boxes);
    buffer_done(&account->metadata);
    free(account);
}

int memory_account_open(struct postern_store *store, struct postern_span user, unsigned flags,
                        struct postern_account **account_r)
{
    struct memory *memory = store->self;
    struct postern_account *account;
    int err = POSTERN_E_NOT_FOUND;

    if (!user_is_safe(user))
        return err;
    pthread_mutex_lock(&memory->mutex);
    account = account_find(memory, user);
    if (!account && flags & POSTERN_STORE_CREATE) {
        account = account_make(memory, user);
        err = POSTERN_E_NOMEM;
    }
    pthread_mutex_unlock(&memory->mutex);
    if (!account)
        return err;
    *account_r = account;
    return 0;
}

void memory_account_close(struct postern_account **account)
{
    if (account)
        *account = NULL; /* it lives as long as its store */
}

static void usage_of(const struct postern_account *account, struct postern_quota *quota_r)
{
    *quota_r = (struct postern_quota){0};
    quota_limits(quota_r, &account->memory->limits);
    (void)quota_read(buffer_span(&account->metadata), quota_r);
    for (const struct box *box = account->boxes; box; box = box->next) {
        struct postern_status status;

        memory_status_of(box, &status);
        quota_r->bytes += status.size_bytes;
        quota_r->messages += status.messages;
        quota_r->mailboxes += box->exists;
    }
}

int account_check_room(const struct postern_account *account, uint64_t bytes, size_t messages,
                       uint64_t replaced)
{
    struct postern_quota usage;

    usage_of(account, &usage);
    usage.bytes -= replaced;
    usage.messages -= replaced > 0;
    return quota_room(&usage, bytes, messages);
}

int memory_fits(const struct postern_account *account, struct postern_span name, size_t more)
{
    struct postern_quota usage;

    while (levels_up(&name)) {
        const struct box *box = box_named(account, name);

        more += !box || !box->exists;
    }
    usage_of(account, &usage);
    return quota_mailbox_room(&usage, more);
}

int memory_quota(struct postern_account *account, struct postern_quota *quota_r)
{
    pthread_mutex_lock(&account->memory->mutex);
    usage_of(account, quota_r);
    pthread_mutex_unlock(&account->memory->mutex);
    return 0;
}

int memory_list_users(struct postern_store *store, int (*each)(void *ctx, struct postern_span user),
                      void *ctx)
{
    struct memory *memory = store->self;
    int result = 0;

    pthread_mutex_lock(&memory->mutex);
    for (struct postern_account *account = memory->accounts; account && !result;
         account = account->next)
        result = each(ctx, postern_span_of(account->user));
    pthread_mutex_unlock(&memory->mutex);
    return result;
}
