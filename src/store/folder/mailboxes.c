/* SPDX-License-Identifier: MIT */
/* mailboxes - listed, made, removed, renamed, opened. The index is written first where a crash
 * between could lose something, and last where it could only leave an empty folder; discover.c ends
 * what was cut off. */
#include "store/folder/folder.h"
#include "store/levels.h"

#include "base/span.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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

void folder_status_of(const struct postern_account *account, struct index_mailbox *mailbox,
                      struct postern_status *status_r)
{
    const struct index_facts *facts = &mailbox->facts;

    (void)account;
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

static struct index_mailbox *existing(struct postern_account *account, struct postern_span name)
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
        folder_status_of(account, account->index.mailboxes[i], &all[i]);
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
    mailbox = err ? NULL : existing(account, name);
    if (mailbox)
        err = mailbox_sync(account, mailbox->facts.id, flags, false);
    else if (!waits) /* it may have been made by another */
        err = POSTERN_E_AGAIN;
    mailbox = err ? NULL : existing(account, name);
    if (mailbox) {
        folder_status_of(account, mailbox, status_r);
        status_r->name = name;
    } else if (!err) {
        err = POSTERN_E_NOT_FOUND;
    }
    account_leave(account);
    return err;
}

void account_usage(struct postern_account *account, struct postern_quota *quota_r)
{
    *quota_r = (struct postern_quota){.bytes_max = account->store->bytes_max,
                                      .messages_max = account->store->messages_max};
    account_limits(account, quota_r);
    for (size_t i = 0; i < account->index.count; i++) {
        quota_r->bytes += account->index.mailboxes[i]->size_bytes;
        quota_r->messages += account->index.mailboxes[i]->messages;
    }
}

int folder_quota(struct postern_account *account, struct postern_quota *quota_r)
{
    int err = account_enter(account, 0);

    if (err)
        return err;
    account_usage(account, quota_r);
    account_leave(account);
    return 0;
}

void folder_limit(struct postern_store *postern_store, const struct postern_quota *quota)
{
    struct folder_store *store = postern_store->self;

    store->bytes_max = quota->bytes_max;
    store->messages_max = quota->messages_max;
}

/* ---- making ---------------------------------------------------------------------------------- */

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

/* make_levels - what is missing above name. */
static int make_levels(struct postern_account *account, struct postern_span name)
{
    int err = 0;

    for (size_t n = 1; n < name.n && !err; n++) {
        struct postern_span level = span_make(name.p, n);

        if (name.p[n] == '/' && !existing(account, level))
            err = make_one(account, level, POSTERN_SPECIAL_NONE);
    }
    return err;
}

static int change_begin(struct postern_account *account, struct postern_span *name)
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
    int err = change_begin(account, &name);
    struct buffer dir = {0};

    if (err)
        return err;
    err = existing(account, name) ? POSTERN_E_EXISTS : name_to_dir(name, &dir);
    if (!err)
        err = folder_new_acl(account, name);
    if (!err)
        err = make_levels(account, name);
    if (!err)
        err = make_one(account, name, special);
    buffer_done(&dir);
    account_leave(account);
    return err;
}

/* ---- removing -------------------------------------------------------------------------------- */

/* subscription - a name that is subscribed to and not there (any more). */
static int subscription(struct postern_account *account, struct postern_span name,
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

static int remove_mailbox(struct postern_account *account, struct index_mailbox *mailbox,
                          const char *trash)
{
    struct buffer group = {0};
    int err = 0;

    if (renameat(account->base, mailbox->dir.p, account->dir, trash) < 0)
        return folder_error(errno);
    err = folder_sync(account->base);
    if (!err && mailbox->facts.subscribed)
        err = subscription(account, mailbox->name, &group);
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
    int err = change_begin(account, &name);
    struct index_mailbox *mailbox;
    char trash[32];
    uint64_t id;
    int dir;

    if (err)
        return err;
    mailbox = existing(account, name);
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

/* ---- renaming -------------------------------------------------------------------------------- */

/* renamed - the name that `from`, or one below it, gets. */
static int renamed(struct postern_span name, struct postern_span from, struct postern_span to,
                   struct buffer *out)
{
    struct buffer dir = {0};
    int err;

    buffer_append(out, to);
    buffer_append(out, span_from(name, from.n));
    err = out->error ? out->error : name_to_dir(buffer_span(out), &dir);
    if (!err && buffer_length(out) > POSTERN_MAILBOX_NAME_MAX)
        err = POSTERN_E_TOO_LONG;
    buffer_done(&dir);
    return err;
}

/* rename_one - into group; the folder still has its old name. */
static int rename_one(struct postern_account *account, const struct index_mailbox *mailbox,
                      struct postern_span to_name, struct buffer *group)
{
    struct index_mailbox *old = index_mailbox_named(&account->index, to_name);
    struct index_facts facts = mailbox->facts;
    int err = 0;

    if (old && old->facts.exists)
        return POSTERN_E_EXISTS;
    facts.subscribed = old && old->facts.subscribed;
    if (old)
        group_dropped(group, old->facts.id);
    if (mailbox->facts.subscribed)
        err = subscription(account, mailbox->name, group);
    group_facts(group, &facts, to_name, mailbox->dir);
    return err;
}

static int rename_all(struct postern_account *account, struct postern_span from,
                      struct postern_span to, struct buffer *group)
{
    int err = 0;
    bool any = false;

    for (size_t i = 0; i < account->index.count && !err; i++) {
        const struct index_mailbox *mailbox = account->index.mailboxes[i];
        struct buffer name = {0};

        if (!mailbox->facts.exists ||
            (!span_equal(mailbox->name, from) && !name_is_below(mailbox->name, from)))
            continue;
        any = true;
        err = renamed(mailbox->name, from, to, &name);
        if (!err)
            err = rename_one(account, mailbox, buffer_span(&name), group);
        buffer_done(&name);
    }
    return err ? err : any ? 0 : POSTERN_E_NOT_FOUND;
}

static int rename_inbox(struct postern_account *account, struct postern_span to)
{
    struct postern_mailbox *inbox = NULL, *target = NULL;
    uint32_t *uids = NULL;
    size_t count = 0;
    int err = folder_create(account, to, POSTERN_SPECIAL_NONE);

    if (!err)
        err = folder_open(account, SPAN("INBOX"), 0, &inbox);
    if (!err)
        err = folder_open(account, to, 0, &target);
    if (!err)
        err = account_enter(account, 0);
    if (!err) {
        const struct index_mailbox *mailbox = index_mailbox_of(&account->index, INBOX_ID);

        uids = malloc((mailbox_rows(mailbox) + 1) * sizeof *uids);
        for (size_t i = 0; uids && i < mailbox_rows(mailbox); i++)
            if (!(mailbox_row(mailbox, i)->bits & ROW_GONE))
                uids[count++] = mailbox_row(mailbox, i)->uid;
        account_leave(account);
        err = uids ? 0 : POSTERN_E_NOMEM;
    }
    if (!err && count)
        err = folder_copy(inbox, uids, count, target, true, NULL);
    if (!err)
        folder_move_metadata(account, SPAN("INBOX"), to);
    free(uids);
    folder_close(&inbox);
    folder_close(&target);
    return err;
}

int folder_rename(struct postern_account *account, struct postern_span from, struct postern_span to)
{
    struct buffer group = {0};
    int err = name_check(&from);

    if (!err)
        err = name_check(&to);
    if (!err && span_equal(from, SPAN("INBOX"))) /* it stays, so it may also be above */
        return rename_inbox(account, to);
    if (!err && name_is_below(to, from))
        err = POSTERN_E_SYNTAX;
    if (err)
        return err;
    err = change_begin(account, &to);
    if (err)
        return err;
    if (existing(account, to))
        err = POSTERN_E_EXISTS;
    if (!err)
        err = rename_all(account, from, to, &group);
    if (!err)
        err = folder_new_acl(account, to);
    if (!err)
        err = make_levels(account, to);
    if (!err)
        err = index_commit(&account->index, &group, true, false);
    buffer_done(&group);
    if (!err) {
        account->seen.ns = -1;
        (void)account_discover(account); /* the folders; not done, whoever comes next does it */
        folder_move_metadata(account, from, to);
    }
    account_leave(account);
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
        err = subscription(account, name, &group);
    }
    if (!err)
        err = index_commit(&account->index, &group, true, true);
    buffer_done(&group);
    account_leave(account);
    return err;
}

/* ---- opening --------------------------------------------------------------------------------- */

/* mailbox_id - of an existing one, made when asked for. */
static int mailbox_id(struct postern_account *account, struct postern_span name, unsigned flags,
                      uint64_t *id_r)
{
    const struct index_mailbox *mailbox;
    int err = account_enter(account, flags);

    if (err)
        return err;
    mailbox = existing(account, name);
    if (!mailbox && flags & POSTERN_STORE_NO_WAIT)
        err = POSTERN_E_AGAIN;
    else if (!mailbox && (err = account_discover(account)) == 0)
        mailbox = existing(account, name);
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
    *mailbox = (struct postern_mailbox){
        .account = account, .id = id, .lock_fd = -1, .event_fd = -1, .watches = {-1, -1}};
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
    watch_leave(*mailbox);
    free((*mailbox)->name);
    for (unsigned i = 0; (*mailbox)->keywords && i < POSTERN_KEYWORDS_MAX; i++)
        free((*mailbox)->keywords[i]);
    free((*mailbox)->keywords);
    free(*mailbox);
    *mailbox = NULL;
    folder_account_close(&account);
}
