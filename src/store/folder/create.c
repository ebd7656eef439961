/* SPDX-License-Identifier: MIT */
/* create - a mailbox is made: its folder first and the index after it, so that a crash between
 * leaves only an empty folder, which discover.c takes in. */
#include "store/folder/folder.h"

#include "base/span.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int make_marker(int fd)
{
    int marker = openat(fd, "maildirfolder", O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (marker < 0)
        return folder_error(errno);
    close(marker);
    return 0;
}

/* make_dir - a mailbox's folder with its sub-folders, synced. */
static int make_dir(struct postern_account *account, const char *dir)
{
    const struct folder_kind *kind = account->store->kind;
    int fd = folder_dir_open(account->base, dir, true), sub, err;

    if (fd < 0)
        return fd;
    err = make_marker(fd);
    for (unsigned i = 0; i <= kind->sub_count && !err; i++) {
        sub = folder_dir_open(fd, i < kind->sub_count ? kind->subs[i] : kind->staging, true);
        err = sub < 0 ? sub : 0;
        folder_fd_close(&sub);
    }
    if (!err)
        err = folder_sync(fd);
    close(fd);
    return err;
}

/* unmake_dir - what make_dir made, as far as it is empty. */
static void unmake_dir(struct postern_account *account, const char *dir)
{
    const struct folder_kind *kind = account->store->kind;
    int fd = folder_dir_open(account->base, dir, false);

    if (fd < 0)
        return;
    for (unsigned i = 0; i <= kind->sub_count; i++)
        unlinkat(fd, i < kind->sub_count ? kind->subs[i] : kind->staging, AT_REMOVEDIR);
    unlinkat(fd, "maildirfolder", 0);
    close(fd);
    unlinkat(account->base, dir, AT_REMOVEDIR);
}

/* make_one - folder and facts of one that is not there. */
static int make_one(struct postern_account *account, struct postern_span name,
                    enum postern_special_use special)
{
    struct index_mailbox *old = index_mailbox_named(&account->index, name);
    struct buffer dir = {0}, group = {0};
    struct index_facts facts;
    int err = account_new_facts(account, name, &facts);

    if (!err)
        err = name_to_dir(name, &dir);
    buffer_append_char(&dir, '\0');
    if (!err)
        err = dir.error ? dir.error : make_dir(account, dir.data);
    if (!err) {
        facts.special = (uint8_t)special;
        facts.subscribed = old && old->facts.subscribed;
        if (old)
            group_dropped(&group, old->facts.id);
        group_facts(&group, &facts, name, span_make(dir.data, buffer_length(&dir) - 1));
        err = index_commit(&account->index, &group, true, false);
    }
    if (err && dir.data && buffer_length(&dir) > 1)
        unmake_dir(account, dir.data);
    buffer_done(&group);
    buffer_done(&dir);
    return err;
}

int mailbox_make_levels(struct postern_account *account, struct postern_span name)
{
    int err = 0;

    for (size_t n = 1; n < name.n && !err; n++) {
        struct postern_span level = span_make(name.p, n);

        if (name.p[n] == '/' && !mailbox_existing(account, level))
            err = make_one(account, level, POSTERN_SPECIAL_NONE);
    }
    return err;
}

int mailboxes_change_begin(struct postern_account *account, struct postern_span *name)
{
    int err = name_check(name);

    if (!err && !account->store->kind->has_mailboxes && !span_equal(*name, SPAN("INBOX")))
        err = POSTERN_E_UNSUPPORTED;
    if (!err)
        err = account_enter_lock(account, 0);
    if (err)
        return err;
    err = account_discover(account);
    if (err)
        account_leave(account);
    return err;
}

int folder_create(struct postern_account *account, struct postern_span name,
                  enum postern_special_use special)
{
    int err = mailboxes_change_begin(account, &name);
    struct buffer dir = {0};

    if (err)
        return err;
    err = mailbox_existing(account, name) ? POSTERN_E_EXISTS : name_to_dir(name, &dir);
    if (!err)
        err = account_fits(account, name, 1);
    if (!err)
        err = folder_new_acl(account, name);
    if (!err)
        err = mailbox_make_levels(account, name);
    if (!err)
        err = make_one(account, name, special);
    buffer_done(&dir);
    account_leave(account);
    return err;
}
