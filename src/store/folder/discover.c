/* SPDX-License-Identifier: MIT */
/* discover - the index's mailboxes and the folders on disk brought together: folders that others
 * made or removed, renames and removals that a crash cut off. Looked for when the account's folder
 * has changed. */
#include "store/folder/folder.h"

#include "base/span.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define TRASH "trash."

static uint64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

int account_new_facts(struct postern_account *account, struct postern_span name,
                      struct index_facts *facts_r)
{
    struct index *index = &account->index;
    uint64_t now = now_us(), validity = now / 1000000u;
    bool inbox = span_equal(name, SPAN("INBOX"));

    for (size_t i = 0; i < index->count; i++)
        if (index->mailboxes[i]->facts.uid_validity >= validity)
            validity = (uint64_t)index->mailboxes[i]->facts.uid_validity + 1;
    if (validity > UINT32_MAX)
        return POSTERN_E_FULL;
    *facts_r = (struct index_facts){.id = inbox                  ? INBOX_ID
                                          : index->next_id > now ? index->next_id
                                                                 : now,
                                    .modseq = now,
                                    .first_modseq = now,
                                    .uid_validity = (uint32_t)validity,
                                    .uid_next = 1,
                                    .seen = {{0, -1}, {0, -1}},
                                    .exists = 1};
    if (!inbox)
        index->next_id = facts_r->id + 1;
    return 0;
}

static bool is_there(const struct postern_account *account, struct postern_span dir)
{
    char path[FOLDER_NAME_BYTES + 8];
    struct stat facts;

    snprintf(path, sizeof path, "%.*s/cur", SPAN_ARG(dir));
    return fstatat(account->base, path, &facts, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(facts.st_mode);
}

static bool is_gone(const struct postern_account *account, struct postern_span dir)
{
    char path[FOLDER_NAME_BYTES];
    struct stat facts;

    snprintf(path, sizeof path, "%.*s", SPAN_ARG(dir));
    return fstatat(account->base, path, &facts, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

static const struct index_mailbox *mailbox_in(const struct index *index, struct postern_span dir)
{
    for (size_t i = 0; i < index->count; i++)
        if (index->mailboxes[i]->facts.exists && span_equal(index->mailboxes[i]->dir, dir))
            return index->mailboxes[i];
    return NULL;
}

/* add - a mailbox that is on disk and not in the index. */
static int add(struct postern_account *account, struct postern_span name, struct postern_span dir,
               struct buffer *group)
{
    struct index_mailbox *old = index_mailbox_named(&account->index, name);
    struct index_facts facts;
    int err = account_new_facts(account, name, &facts);

    if (err)
        return err;
    if (account->index.was_lost) {
        facts.uid_validity = 0; /* the files may know it */
        facts.adopt = 1;
    }
    if (old && old->facts.exists)
        return 0; /* in another folder still; a rename is under way */
    if (old) {
        facts.subscribed = old->facts.subscribed;
        group_dropped(group, old->facts.id);
    }
    group_facts(group, &facts, name, dir);
    return group->error;
}

static int add_dir(struct postern_account *account, struct postern_span dir, struct buffer *group)
{
    struct buffer name = {0};
    int err = 0;

    if (dir.n < 2 || mailbox_in(&account->index, dir) || dir_to_name(dir, &name) < 0 ||
        !is_there(account, dir)) {
        buffer_done(&name);
        return 0;
    }
    err = add(account, buffer_span(&name), dir, group);
    buffer_done(&name);
    return err;
}

static int add_dirs(struct postern_account *account, struct buffer *group)
{
    struct dirent *entry;
    DIR *dir;
    int err = folder_dir_read(account->base, ".", &dir);

    if (err < 0)
        return err;
    while (!err && (entry = readdir(dir)))
        if (entry->d_name[0] == '.' && entry->d_name[1] != '.' &&
            (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN))
            err = add_dir(account, postern_span_of(entry->d_name), group);
    closedir(dir);
    return err;
}

/* drop_gone - those whose folders somebody removed. */
static void drop_gone(struct postern_account *account, struct buffer *group)
{
    for (size_t i = 0; i < account->index.count; i++) {
        const struct index_mailbox *mailbox = account->index.mailboxes[i];

        if (mailbox->facts.exists && mailbox->dir.n && is_gone(account, mailbox->dir))
            group_dropped(group, mailbox->facts.id);
    }
}

/* finish_renames - a rename is in the index first; the folders follow. */
static int finish_renames(struct postern_account *account, struct buffer *group)
{
    int err = 0;
    bool any = false;

    for (size_t i = 0; i < account->index.count && !err; i++) {
        const struct index_mailbox *mailbox = account->index.mailboxes[i];
        struct buffer dir = {0};

        err = mailbox->facts.exists ? name_to_dir(mailbox->name, &dir) : 0;
        buffer_append_char(&dir, '\0');
        if (!err && mailbox->facts.exists && !dir.error &&
            !span_equal(span_make(dir.data, buffer_length(&dir) - 1), mailbox->dir)) {
            any = true;
            if (renameat2(account->base, mailbox->dir.p, account->base, dir.data,
                          RENAME_NOREPLACE) < 0 &&
                errno != ENOENT)
                err = folder_error(errno);
            else
                group_facts(group, &mailbox->facts, mailbox->name,
                            span_make(dir.data, buffer_length(&dir) - 1));
        }
        buffer_done(&dir);
    }
    return err || !any ? err : folder_sync(account->base);
}

/* sweep - what is left of removed mailboxes. */
static void sweep(struct postern_account *account)
{
    struct dirent *entry;
    DIR *dir;

    if (account->dir < 0 || folder_dir_read(account->dir, ".", &dir) < 0)
        return;
    while ((entry = readdir(dir)))
        if (span_begins(postern_span_of(entry->d_name), SPAN(TRASH)))
            folder_remove_tree(account->dir, entry->d_name);
    closedir(dir);
}

/* collect - what is different, as a group. */
static int collect(struct postern_account *account, struct buffer *group)
{
    int err = 0;

    if (!index_mailbox_of(&account->index, INBOX_ID))
        err = add(account, SPAN("INBOX"), SPAN(""), group);
    if (err || !account->store->kind->has_mailboxes)
        return err;
    err = finish_renames(account, group);
    if (err || buffer_length(group))
        return err;
    drop_gone(account, group);
    return add_dirs(account, group);
}

static int collect_and_commit(struct postern_account *account)
{
    struct buffer group = {0};
    int err = 0;

    /* what was brought together may have been in the way of more; each round makes headway */
    for (unsigned rounds = 0; rounds < 4 && !err; rounds++) {
        err = collect(account, &group);
        if (err || buffer_length(&group) == 0)
            break;
        err = index_commit(&account->index, &group, true, true);
    }
    buffer_done(&group);
    return err;
}

static bool is_different(struct postern_account *account)
{
    struct buffer group = {0};
    bool different;

    for (size_t i = 0; i < account->index.count; i++) {
        const struct index_mailbox *mailbox = account->index.mailboxes[i];
        struct buffer dir = {0};

        different = mailbox->facts.exists && name_to_dir(mailbox->name, &dir) == 0 &&
                    !span_equal(buffer_span(&dir), mailbox->dir);
        buffer_done(&dir);
        if (different)
            return true;
    }
    if (!index_mailbox_of(&account->index, INBOX_ID))
        return true;
    drop_gone(account, &group);
    if (add_dirs(account, &group) < 0)
        group.error = POSTERN_E_IO;
    different = buffer_length(&group) || group.error;
    buffer_done(&group);
    return different;
}

int account_discover(struct postern_account *account)
{
    struct stat facts;
    struct index_time time;
    bool had_lock = account->index.lock >= 0;
    int err;

    if (fstat(account->base, &facts) < 0)
        return folder_error(errno);
    time = folder_time(&facts);
    if (time_is_same(time, account->seen) && account->index.count)
        return 0;
    if (!account->store->kind->has_mailboxes && account->index.count) {
        account->seen = time;
        return 0;
    }
    if (!is_different(account)) {
        account->seen = time_settled(time);
        return 0;
    }
    err = had_lock ? 0 : index_lock(&account->index, true);
    if (!err) {
        err = collect_and_commit(account);
        sweep(account);
        if (!had_lock)
            index_unlock(&account->index);
    }
    return err;
}
