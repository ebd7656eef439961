/* SPDX-License-Identifier: MIT */
/* subscribe - to a mailbox, or to a name that has none. */
#include "store/folder/folder.h"

#include "base/span.h"

int group_subscription(struct postern_account *account, struct postern_span name,
                       struct buffer *group)
{
    struct index_facts facts;
    int err = account_new_facts(account, name, &facts);

    facts.exists = 0;
    facts.subscribed = 1;
    if (!err)
        group_facts(group, &facts, name, SPAN(""));
    return err;
}

int folder_subscribe(struct postern_account *account, struct postern_span name, bool on)
{
    struct index_mailbox *mailbox;
    struct buffer group = {0};
    int err = name_check(&name);

    if (!err)
        err = account_enter_lock(account, 0);
    if (err)
        return err;
    mailbox = index_mailbox_named(&account->index, name);
    if (mailbox && (mailbox->facts.exists || on)) {
        struct index_facts facts = mailbox->facts;

        facts.subscribed = on;
        group_facts(&group, &facts, mailbox->name, mailbox->dir);
    } else if (mailbox) {
        group_dropped(&group, mailbox->facts.id);
    } else if (on) {
        err = group_subscription(account, name, &group);
    }
    if (!err)
        err = index_commit(&account->index, &group, true, true);
    buffer_done(&group);
    account_leave(account);
    return err;
}
