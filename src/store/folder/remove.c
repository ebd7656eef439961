/* SPDX-License-Identifier: MIT */
/* remove - a mailbox goes: its folder into the index's first, then out of the index, then its files
 * one by one. discover.c ends what a crash cut off. */
#include "store/folder/folder.h"

#include "base/span.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

static int remove_mailbox(struct postern_account *account, struct index_mailbox *mailbox,
                          const char *trash)
{
    struct buffer group = {0};
    int err = 0;

    if (renameat(account->base, mailbox->dir.p, account->dir, trash) < 0)
        return folder_error(errno);
    err = folder_sync(account->base);
    if (!err && mailbox->facts.subscribed)
        err = group_subscription(account, mailbox->name, &group);
    group_dropped(&group, mailbox->facts.id);
    if (!err)
        err = index_commit(&account->index, &group, true, true);
    if (err)
        renameat(account->dir, trash, account->base, mailbox->dir.p);
    buffer_done(&group);
    return err;
}

int folder_remove(struct postern_account *account, struct postern_span name)
{
    int err = mailboxes_change_begin(account, &name);
    struct index_mailbox *mailbox;
    char trash[32];
    uint64_t id;
    int dir;

    if (err)
        return err;
    mailbox = mailbox_existing(account, name);
    if (!mailbox || mailbox->facts.id == INBOX_ID || account->dir < 0) {
        account_leave(account);
        return !mailbox ? POSTERN_E_NOT_FOUND : POSTERN_E_DENIED;
    }
    id = mailbox->facts.id;
    snprintf(trash, sizeof trash, "trash.%llu", (unsigned long long)id);
    err = remove_mailbox(account, mailbox, trash);
    if (!err) {
        watch_news(account, id);
        folder_move_metadata(account, name, (struct postern_span){NULL, 0});
    }
    dir = err ? -1 : fcntl(account->dir, F_DUPFD_CLOEXEC, 0);
    account_leave(account);
    if (dir >= 0) /* else it is removed when the account is opened next */
        folder_remove_tree(dir, trash);
    folder_fd_close(&dir);
    return err;
}
