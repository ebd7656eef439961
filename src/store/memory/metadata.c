/* SPDX-License-Identifier: MIT */
/* metadata - annotations, as long as the process lives. */
#include "store/metadata.h"

#include "base/span.h"
#include "store/memory/memory.h"
#include "store/words.h"

static bool is_there(const struct postern_account *account, struct postern_span mailbox)
{
    for (const struct box *box = account->boxes; box; box = box->next)
        if (box->exists && !box->dropped && span_equal(postern_span_of(box->name), mailbox))
            return true;
    return mailbox.n == 0;
}

int memory_metadata(struct postern_account *account, struct postern_span mailbox,
                    int (*each)(void *ctx, const struct postern_metadata *one), void *ctx)
{
    int err = mailbox.n ? name_check(&mailbox) : 0;

    if (err)
        return err;
    pthread_mutex_lock(&account->memory->mutex);
    err = is_there(account, mailbox)
              ? metadata_each(buffer_span(&account->metadata), mailbox, each, ctx)
              : POSTERN_E_NOT_FOUND;
    pthread_mutex_unlock(&account->memory->mutex);
    return err;
}

/* replace - by what was made of them. */
static void replace(struct postern_account *account, struct buffer *after)
{
    buffer_done(&account->metadata);
    account->metadata = *after;
}

int memory_set_metadata(struct postern_account *account, struct postern_span mailbox,
                        const struct postern_metadata *changes, size_t count)
{
    struct buffer after = {0};
    int err = mailbox.n ? name_check(&mailbox) : 0;

    if (err)
        return err;
    pthread_mutex_lock(&account->memory->mutex);
    err = is_there(account, mailbox)
              ? metadata_change(buffer_span(&account->metadata), mailbox, changes, count, &after)
              : POSTERN_E_NOT_FOUND;
    if (err)
        buffer_done(&after);
    else
        replace(account, &after);
    pthread_mutex_unlock(&account->memory->mutex);
    return err;
}

void memory_move_metadata(struct postern_account *account, struct postern_span from,
                          struct postern_span to)
{
    struct buffer after = {0};

    if (metadata_move(buffer_span(&account->metadata), from, to, &after) == 0)
        replace(account, &after);
    else
        buffer_done(&after);
}
