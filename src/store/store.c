/* SPDX-License-Identifier: MIT */
/* store - what is the same for every store. */
#include "store/snapshot.h"

#include "base/span.h"
#include "codec/pattern.h"
#include <stdlib.h>

/* I 11.5-1 */
bool user_is_safe(struct postern_span user)
{
    if (user.n == 0 || user.n > 255 || user.p[0] == '.')
        return false;
    for (size_t i = 0; i < user.n; i++)
        if (user.p[i] == '/' || (unsigned char)user.p[i] < ' ' || user.p[i] == 127)
            return false;
    return true;
}

void postern_store_free(struct postern_store *store)
{
    if (!store || !store->ops)
        return;
    store->ops->free(store);
    *store = (struct postern_store){0};
}

int postern_store_inbox(struct postern_store *store, struct postern_span user, unsigned flags,
                        struct postern_mailbox **mailbox_r)
{
    struct postern_account *account = NULL;
    int err = store->ops->account_open(store, user, flags, &account);

    if (!err)
        err = store->ops->open(account, SPAN("INBOX"), flags, mailbox_r);
    store->ops->account_close(&account);
    return err;
}

int postern_store_deliver(struct postern_store *store, struct postern_mailbox *mailbox,
                          struct postern_span message, uint32_t *uid_r)
{
    struct postern_delivery *delivery = NULL;
    int err = store->ops->begin(mailbox, NULL, &delivery);

    if (!err)
        err = store->ops->write(delivery, message);
    if (!err)
        return store->ops->commit(&delivery, 1, uid_r);
    store->ops->abort(&delivery);
    return err;
}

int postern_store_message(struct postern_store *store, struct postern_mailbox *mailbox,
                          struct postern_span unique_id, unsigned flags,
                          struct postern_content **content_r, struct postern_facts *facts_r)
{
    struct postern_entry entry;
    uint32_t uid;
    int err = store->ops->find(mailbox, unique_id, &entry, &uid);

    return err ? err : store->ops->message(mailbox, uid, flags, content_r, facts_r);
}

int postern_store_expunge(struct postern_store *store, struct postern_mailbox *mailbox,
                          const struct postern_span *unique_ids, size_t count)
{
    uint32_t *uids = malloc((count + 1) * sizeof *uids);
    struct postern_entry entry;
    size_t found = 0;
    int err = uids ? 0 : POSTERN_E_NOMEM;

    for (size_t i = 0; i < count && !err; i++) {
        err = store->ops->find(mailbox, unique_ids[i], &entry, &uids[found]);
        found += err == 0;
        err = err == POSTERN_E_NOT_FOUND ? 0 : err;
    }
    if (!err)
        err = store->ops->expunge(mailbox, uids, found);
    if (!err)
        store->ops->tidy(mailbox);
    free(uids);
    return err;
}

bool postern_name_matches(struct postern_span name, struct postern_span pattern)
{
    return pattern_matches(name, pattern);
}
