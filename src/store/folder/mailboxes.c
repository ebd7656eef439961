/* SPDX-License-Identifier: MIT */
/* mailboxes - listed, looked at, opened and closed. */
#include "store/folder/folder.h"
#include "store/levels.h"

#include "base/span.h"
#include <stdlib.h>

/* recent_of - how many messages have that UID or a higher one. */
static uint32_t recent_of(const struct index_mailbox *mailbox)
{
    uint32_t count = 0;

    for (size_t i = mailbox->run_count; i-- > 0;) {
        struct postern_uid_range run = mailbox->runs[i];

        if (run.last < mailbox->facts.recent_from)
            break;
        if (run.first < mailbox->facts.recent_from)
            run.first = mailbox->facts.recent_from;
        count += run.last - run.first + 1;
    }
    return count;
}

void folder_status_of(struct index_mailbox *mailbox, struct postern_status *status_r)
{
    const struct index_facts *facts = &mailbox->facts;

    *status_r = (struct postern_status){.name = mailbox->name,
                                        .id = facts->id,
                                        .uid_validity = facts->uid_validity,
                                        .uid_next = facts->uid_next,
                                        .modseq = facts->modseq,
                                        .messages = mailbox->messages,
                                        .unseen = mailbox->unseen,
                                        .deleted = mailbox->deleted,
                                        .recent = recent_of(mailbox),
                                        .recent_from = facts->recent_from ? facts->recent_from : 1,
                                        .size_bytes = mailbox->size_bytes,
                                        .deleted_bytes = mailbox_deleted_bytes(mailbox),
                                        .special = facts->special,
                                        .subscribed = facts->subscribed,
                                        .exists = facts->exists};
}

struct index_mailbox *mailbox_existing(struct postern_account *account, struct postern_span name)
{
    struct index_mailbox *mailbox = index_mailbox_named(&account->index, name);

    return mailbox && mailbox->facts.exists ? mailbox : NULL;
}

/* sync_all - each mailbox as its files are now. One that cannot be looked at stays as known. */
static int sync_all(struct postern_account *account)
{
    size_t count = account->index.count;
    uint64_t *ids = malloc((count + 1) * sizeof *ids);

    if (!ids)
        return POSTERN_E_NOMEM;
    for (size_t i = 0; i < count; i++)
        ids[i] = account->index.mailboxes[i]->facts.id;
    for (size_t i = 0; i < count; i++)
        (void)mailbox_sync(account, ids[i], 0, false);
    free(ids);
    return 0;
}

int folder_list(struct postern_account *account,
                int (*each)(void *ctx, const struct postern_status *status), void *ctx)
{
    struct postern_status *all = NULL;
    int err = account_enter(account, 0);

    if (err)
        return err;
    err = account_discover(account);
    if (!err)
        watch_all_extend(account); /* before they are looked at */
    if (!err)
        err = sync_all(account);
    if (!err && !(all = calloc(account->index.count + 1, sizeof *all)))
        err = POSTERN_E_NOMEM;
    for (size_t i = 0; i < account->index.count && !err; i++)
        folder_status_of(account->index.mailboxes[i], &all[i]);
    if (!err)
        annotations_stamp(account, all, account->index.count);
    if (!err)
        err = levels_show(all, account->index.count, each, ctx);
    free(all);
    account_leave(account);
    return err;
}

int folder_status(struct postern_account *account, struct postern_span name, unsigned flags,
                  struct postern_status *status_r)
{
    bool waits = !(flags & POSTERN_STORE_NO_WAIT);
    struct index_mailbox *mailbox;
    int err = name_check(&name);

    if (!err)
        err = account_enter(account, flags);
    if (err)
        return err;
    err = waits ? account_discover(account) : 0;
    mailbox = err ? NULL : mailbox_existing(account, name);
    if (mailbox)
        err = mailbox_sync(account, mailbox->facts.id, flags, false);
    else if (!waits) /* it may have been made by another */
        err = POSTERN_E_AGAIN;
    mailbox = err ? NULL : mailbox_existing(account, name);
    if (mailbox) {
        folder_status_of(mailbox, status_r);
        status_r->name = name;
    } else if (!err) {
        err = POSTERN_E_NOT_FOUND;
    }
    account_leave(account);
    return err;
}

/* mailbox_id - of an existing one; others may have made it since the last look. */
static int mailbox_id(struct postern_account *account, struct postern_span name, unsigned flags,
                      uint64_t *id_r)
{
    const struct index_mailbox *mailbox;
    int err = account_enter(account, flags);

    if (err)
        return err;
    mailbox = mailbox_existing(account, name);
    if (!mailbox && flags & POSTERN_STORE_NO_WAIT)
        err = POSTERN_E_AGAIN;
    else if (!mailbox && (err = account_discover(account)) == 0)
        mailbox = mailbox_existing(account, name);
    if (mailbox)
        *id_r = mailbox->facts.id;
    account_leave(account);
    return err ? err : mailbox ? 0 : POSTERN_E_NOT_FOUND;
}

int folder_open(struct postern_account *account, struct postern_span name, unsigned flags,
                struct postern_mailbox **mailbox_r)
{
    struct postern_mailbox *mailbox;
    uint64_t id = 0;
    int err = name_check(&name);

    if (!err)
        err = mailbox_id(account, name, flags, &id);
    if (err == POSTERN_E_NOT_FOUND && flags & POSTERN_STORE_CREATE) {
        err = folder_create(account, name, POSTERN_SPECIAL_NONE);
        if (!err || err == POSTERN_E_EXISTS)
            err = mailbox_id(account, name, flags, &id);
    }
    if (err)
        return err;
    mailbox = calloc(1, sizeof *mailbox);
    if (!mailbox)
        return POSTERN_E_NOMEM;
    *mailbox = (struct postern_mailbox){.account = account, .id = id, .lock_fd = -1};
    folder_account_ref(account);
    *mailbox_r = mailbox;
    return 0;
}

void folder_close(struct postern_mailbox **mailbox)
{
    struct postern_account *account;

    if (!mailbox || !*mailbox)
        return;
    account = (*mailbox)->account;
    pthread_mutex_lock(&account->mutex);
    fresh_flush(account);
    pthread_mutex_unlock(&account->mutex);
    folder_unlock(*mailbox);
    free((*mailbox)->name);
    for (unsigned i = 0; (*mailbox)->keywords && i < POSTERN_KEYWORDS_MAX; i++)
        free((*mailbox)->keywords[i]);
    free((*mailbox)->keywords);
    free(*mailbox);
    *mailbox = NULL;
    folder_account_close(&account);
}
