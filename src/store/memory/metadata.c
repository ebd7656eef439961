/* SPDX-License-Identifier: MIT */
/* metadata - annotations, as long as the process lives. */
#include "store/acl.h"
#include "store/levels.h"
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

/* is_level - a mailbox of that name, or at least some below it. */
static bool is_level(const struct postern_account *account, struct postern_span name)
{
    if (is_there(account, name))
        return true;
    for (const struct box *box = account->boxes; box; box = box->next)
        if (box->exists && !box->dropped && name_is_below(postern_span_of(box->name), name))
            return true;
    return false;
}

int memory_metadata(struct postern_account *account, struct postern_span mailbox,
                    int (*each)(void *ctx, const struct postern_metadata *one), void *ctx)
{
    int err = mailbox.n ? name_check(&mailbox) : 0;

    if (err)
        return err;
    pthread_mutex_lock(&account->memory->mutex);
    err = is_level(account, mailbox)
              ? metadata_each(buffer_span(&account->metadata), mailbox, each, ctx)
              : POSTERN_E_NOT_FOUND;
    pthread_mutex_unlock(&account->memory->mutex);
    return err;
}

/* take_over - what was made of them, unless that failed. */
static int take_over(struct postern_account *account, struct buffer *after, int err)
{
    if (err) {
        buffer_done(after);
        return err;
    }
    buffer_done(&account->metadata);
    account->metadata = *after;
    account_changed(account);
    return 0;
}

int memory_set_metadata(struct postern_account *account, struct postern_span mailbox,
                        const struct postern_metadata *changes, size_t count)
{
    struct buffer after = {0};
    int err = mailbox.n ? name_check(&mailbox) : 0;

    if (err)
        return err;
    pthread_mutex_lock(&account->memory->mutex);
    err = is_level(account, mailbox)
              ? metadata_change(buffer_span(&account->metadata), mailbox, changes, count, &after)
              : POSTERN_E_NOT_FOUND;
    if (!err && mailbox.n && is_there(account, mailbox) &&
        !span_equal(buffer_span(&account->metadata), buffer_span(&after)))
        box_named(account, mailbox)->modseq++; /* RFC 7162 3.2. I 7162:3.2-3 */
    err = take_over(account, &after, err);
    pthread_mutex_unlock(&account->memory->mutex);
    return err;
}

void memory_move_metadata(struct postern_account *account, struct postern_span from,
                          struct postern_span to)
{
    struct postern_span all = buffer_span(&account->metadata), gone = from;
    struct buffer after = {0};
    int err = span_equal(from, SPAN("INBOX")) ? metadata_copy(all, from, to, &after)
                                              : metadata_move(all, from, to, &after);

    err = take_over(account, &after, err);
    while (!err && levels_up(&gone) && !is_level(account, gone)) { /* I 5464:4.1-3 */
        struct buffer without = {0};

        err = metadata_move(buffer_span(&account->metadata), gone, (struct postern_span){NULL, 0},
                            &without);
        err = take_over(account, &without, err);
    }
}

/* ---- access control lists ---------------------------------------------------------------------
 */

int memory_acl(struct postern_account *account, struct postern_span mailbox,
               int (*each)(void *ctx, const struct postern_acl *one), void *ctx)
{
    int err = name_check(&mailbox);

    if (err)
        return err;
    pthread_mutex_lock(&account->memory->mutex);
    err = is_there(account, mailbox) ? acl_each(buffer_span(&account->metadata), mailbox, each, ctx)
                                     : POSTERN_E_NOT_FOUND;
    pthread_mutex_unlock(&account->memory->mutex);
    return err;
}

int memory_set_acl(struct postern_account *account, struct postern_span mailbox,
                   const struct postern_acl *change, enum postern_flags_how how)
{
    struct buffer after = {0};
    int err = name_check(&mailbox);

    if (err)
        return err;
    pthread_mutex_lock(&account->memory->mutex);
    err = is_there(account, mailbox)
              ? acl_change(buffer_span(&account->metadata), mailbox, change, how, &after)
              : POSTERN_E_NOT_FOUND;
    err = take_over(account, &after, err);
    if (!err)
        box_changed(box_named(account, mailbox)); /* who may not read it leaves */
    pthread_mutex_unlock(&account->memory->mutex);
    return err;
}

static bool is_mailbox(void *ctx, struct postern_span name)
{
    return is_there(ctx, name);
}

int memory_new_acl(struct postern_account *account, struct postern_span mailbox)
{
    struct buffer after = {0};
    int err = acl_new(buffer_span(&account->metadata), mailbox, is_mailbox, account, &after);

    return take_over(account, &after, err);
}

int memory_sharers(struct postern_store *store, struct postern_span user,
                   int (*each)(void *ctx, struct postern_span owner), void *ctx)
{
    struct memory *memory = store->self;
    int result = 0;

    pthread_mutex_lock(&memory->mutex);
    for (struct postern_account *one = memory->accounts; one && !result; one = one->next)
        if (acl_names(buffer_span(&one->metadata), user))
            result = each(ctx, postern_span_of(one->user));
    pthread_mutex_unlock(&memory->mutex);
    return result;
}
