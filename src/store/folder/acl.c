/* SPDX-License-Identifier: MIT */
/* acl - access control lists, kept among the annotations, and who shares something with whom. */
#include "store/acl.h"
#include "store/folder/annotations.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

int folder_acl(struct postern_account *account, struct postern_span mailbox,
               int (*each)(void *ctx, const struct postern_acl *one), void *ctx)
{
    struct buffer records = {0};
    int err = annotations_look(account, &mailbox, false, &records);

    if (!err)
        err = acl_each(buffer_span(&records), mailbox, each, ctx);
    buffer_done(&records);
    return err;
}

int folder_set_acl(struct postern_account *account, struct postern_span mailbox,
                   const struct postern_acl *change, enum postern_flags_how how)
{
    struct buffer before = {0}, after = {0};
    int err = annotations_change_begin(account, &mailbox, false, &before);

    if (err) {
        buffer_done(&before);
        return err;
    }
    err = acl_change(buffer_span(&before), mailbox, change, how, &after);
    return annotations_change_end(account, mailbox, &before, &after, err);
}

static bool exists(void *ctx, struct postern_span name)
{
    return mailbox_existing(ctx, name) != NULL;
}

int folder_new_acl(struct postern_account *account, struct postern_span mailbox)
{
    struct buffer before = {0}, after = {0};
    int err = annotations_load(account, &before);

    if (!err)
        err = acl_new(buffer_span(&before), mailbox, exists, account, &after);
    if (!err)
        err = annotations_save_changed(account, &before, &after);
    buffer_done(&before);
    buffer_done(&after);
    return err == POSTERN_E_CORRUPT ? 0 : err; /* nobody but the owner can do anything then */
}

/* struct search - for accounts that share something. */
struct search {
    struct folder_store *store;
    struct postern_span user;
    int (*each)(void *ctx, struct postern_span owner);
    void *ctx;
};

/* look_into - an account's file, without opening the account. One that cannot be read shares
 * nothing. */
static int look_into(void *ctx, struct postern_span owner)
{
    const struct search *search = ctx;
    const char *index = search->store->kind->index;
    struct buffer records = {0};
    char path[PATH_MAX];
    size_t n;
    int result = 0;

    if (folder_path(search->store, owner, path) < 0)
        return 0;
    n = strlen(path);
    if ((size_t)snprintf(path + n, sizeof path - n, "/%s/" ANNOTATIONS_FILE, index) <
            sizeof path - n &&
        annotations_load_from(AT_FDCWD, path, &records) == 0 &&
        acl_names(buffer_span(&records), search->user))
        result = search->each(search->ctx, owner);
    buffer_done(&records);
    return result;
}

int folder_sharers(struct postern_store *store, struct postern_span user,
                   int (*each)(void *ctx, struct postern_span owner), void *ctx)
{
    struct search search = {store->self, user, each, ctx};

    return folder_list_users(store, look_into, &search);
}
