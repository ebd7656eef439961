/* SPDX-License-Identifier: MIT */
/* metadata - annotations in a file of the account, beside the index: a mark, a checksum, the
 * records. Each change writes it anew and renames: whoever reads sees the one or the other. What
 * cannot be made out is told as damaged and not written over. */
#include "store/acl.h"
#include "store/metadata.h"

#include "base/span.h"
#include "store/folder/folder.h"
#include "store/quota.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "metadata"
#define FILE_NEW "metadata.new"
#define FILE_OLD "metadata.old"
#define MARK UINT64_C(0x316174656d747370) /* "pstmeta1" on a little-endian machine */

struct head {
    uint64_t mark, checksum;
};

static int read_all(int fd, struct buffer *out)
{
    for (;;) {
        char *room = buffer_room(out, 16384);
        ssize_t n = room ? read(fd, room, 16384) : -1;

        if (!room)
            return POSTERN_E_NOMEM;
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? POSTERN_E_IO : 0;
        buffer_commit(out, (size_t)n);
        if (buffer_length(out) > METADATA_BYTES_MAX * 2)
            return POSTERN_E_CORRUPT;
    }
}

/* load_from - the records; none when there is no file yet. */
static int load_from(int dir, const char *name, struct buffer *records)
{
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    struct head head;
    int err;

    if (fd < 0)
        return errno == ENOENT ? 0 : folder_error(errno);
    err = read_all(fd, records);
    close(fd);
    if (err)
        return err;
    if (buffer_length(records) < sizeof head)
        return POSTERN_E_CORRUPT;
    memcpy(&head, buffer_span(records).p, sizeof head);
    buffer_take(records, sizeof head);
    return head.mark == MARK && head.checksum == span_hash(buffer_span(records))
               ? 0
               : POSTERN_E_CORRUPT;
}

static int load(const struct postern_account *account, struct buffer *records)
{
    return account->dir < 0 ? 0 : load_from(account->dir, FILE_NAME, records);
}

/* exchange - the new file for the old; what cannot be made to last is taken back. */
static int exchange(int dir)
{
    bool had_old;
    int err = 0;

    unlinkat(dir, FILE_OLD, 0);
    had_old = linkat(dir, FILE_NAME, dir, FILE_OLD, 0) == 0;
    if (!had_old && errno != ENOENT)
        return folder_error(errno);
    if (renameat(dir, FILE_NEW, dir, FILE_NAME) < 0)
        err = folder_error(errno);
    else if ((err = folder_sync(dir)) < 0 && had_old)
        (void)renameat(dir, FILE_OLD, dir, FILE_NAME);
    else if (err < 0)
        unlinkat(dir, FILE_NAME, 0);
    unlinkat(dir, FILE_OLD, 0);
    return err;
}

static int save(struct postern_account *account, struct postern_span records)
{
    struct head head = {MARK, span_hash(records)};
    int fd, err;

    if (account->dir < 0)
        return POSTERN_E_READ_ONLY;
    account->limits_inode = 0;
    fd =
        openat(account->dir, FILE_NEW, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return folder_error(errno);
    err = folder_write_all(fd, span_make((const char *)&head, sizeof head));
    if (!err)
        err = folder_write_all(fd, records);
    if (!err)
        err = folder_sync(fd);
    if (close(fd) < 0 && !err)
        err = POSTERN_E_IO;
    if (!err)
        err = exchange(account->dir);
    if (err)
        unlinkat(account->dir, FILE_NEW, 0);
    return err;
}

void annotations_stamp(const struct postern_account *account, struct postern_status *all,
                       size_t count)
{
    struct buffer records = {0};

    if (load(account, &records) == 0)
        for (size_t i = 0; buffer_length(&records) && i < count; i++)
            all[i].annotations = metadata_stamp(buffer_span(&records), all[i].name);
    buffer_done(&records);
}

void account_limits(struct postern_account *account, struct postern_quota *limits)
{
    struct buffer records = {0};
    struct stat facts;

    if (account->dir < 0 || fstatat(account->dir, FILE_NAME, &facts, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    if (account->limits_inode != facts.st_ino || account->limits_of.s != facts.st_mtim.tv_sec ||
        account->limits_of.ns != facts.st_mtim.tv_nsec) {
        account->has_limits =
            load(account, &records) == 0 && quota_read(buffer_span(&records), &account->limits);
        account->limits_inode = facts.st_ino;
        account->limits_of = (struct index_time){facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec};
        buffer_done(&records);
    }
    if (!account->has_limits)
        return;
    limits->bytes_max = account->limits.bytes_max;
    limits->messages_max = account->limits.messages_max;
}

/* check - the mailbox is there; "" is the account. With its lock. */
static int check(struct postern_account *account, struct postern_span *mailbox)
{
    const struct index_mailbox *rows;
    int err = mailbox->n ? name_check(mailbox) : 0;

    if (err || mailbox->n == 0)
        return err;
    err = account_discover(account);
    rows = err ? NULL : index_mailbox_named(&account->index, *mailbox);
    return err ? err : rows && rows->facts.exists ? 0 : POSTERN_E_NOT_FOUND;
}

/* look - the records, as they are. */
static int look(struct postern_account *account, struct postern_span *mailbox,
                struct buffer *records)
{
    int err = account_enter(account, 0);

    if (err)
        return err;
    err = check(account, mailbox);
    if (!err)
        err = load(account, records);
    account_leave(account);
    return err;
}

int folder_metadata(struct postern_account *account, struct postern_span mailbox,
                    int (*each)(void *ctx, const struct postern_metadata *one), void *ctx)
{
    struct buffer records = {0};
    int err = look(account, &mailbox, &records);

    if (!err)
        err = metadata_each(buffer_span(&records), mailbox, each, ctx);
    buffer_done(&records);
    return err;
}

/* save_changed - if they are others now. */
static int save_changed(struct postern_account *account, const struct buffer *before,
                        const struct buffer *after)
{
    if (span_equal(buffer_span(before), buffer_span(after)))
        return 0;
    return save(account, buffer_span(after));
}

/* change_begin - the lock, the mailbox, and the records as they are. */
static int change_begin(struct postern_account *account, struct postern_span *mailbox,
                        struct buffer *before)
{
    int err = account_enter_lock(account, 0);

    if (err)
        return err;
    err = check(account, mailbox);
    if (!err)
        err = load(account, before);
    if (err)
        account_leave(account);
    return err;
}

/* change_end - the records are to be these, unless they could not be made. Who watches the mailbox
 * looks again: perhaps he may not read it any more. */
static int change_end(struct postern_account *account, struct postern_span mailbox,
                      struct buffer *before, struct buffer *after, int err)
{
    const struct index_mailbox *rows = index_mailbox_named(&account->index, mailbox);

    if (!err)
        err = save_changed(account, before, after);
    if (!err && rows)
        watch_news(account, rows->facts.id);
    account_leave(account);
    buffer_done(before);
    buffer_done(after);
    return err;
}

/* raise_modseq - of a mailbox whose annotations change (RFC 7162 3.2). With the lock.
 * I 7162:3.2-3 */
static int raise_modseq(struct postern_account *account, struct postern_span mailbox)
{
    const struct index_mailbox *rows = index_mailbox_named(&account->index, mailbox);
    struct index_facts facts;
    struct buffer group = {0};

    if (!rows)
        return POSTERN_E_NOT_FOUND;
    facts = rows->facts;
    facts.modseq++;
    group_facts(&group, &facts, rows->name, rows->dir);
    return index_commit(&account->index, &group, false, true);
}

int folder_set_metadata(struct postern_account *account, struct postern_span mailbox,
                        const struct postern_metadata *changes, size_t count)
{
    struct buffer before = {0}, after = {0};
    int err = change_begin(account, &mailbox, &before);

    if (err) {
        buffer_done(&before);
        return err;
    }
    err = metadata_change(buffer_span(&before), mailbox, changes, count, &after);
    if (!err && mailbox.n && !span_equal(buffer_span(&before), buffer_span(&after)))
        err = raise_modseq(account, mailbox);
    return change_end(account, mailbox, &before, &after, err);
}

void folder_move_metadata(struct postern_account *account, struct postern_span from,
                          struct postern_span to)
{
    struct buffer before = {0}, after = {0};
    int (*change)(struct postern_span all, struct postern_span from, struct postern_span to,
                  struct buffer * out) =
        span_equal(from, SPAN("INBOX")) && to.p ? metadata_copy : metadata_move;

    if (load(account, &before) == 0 && change(buffer_span(&before), from, to, &after) == 0)
        (void)save_changed(account, &before, &after);
    buffer_done(&before);
    buffer_done(&after);
}

/* ---- access control lists ---------------------------------------------------------------------
 */

int folder_acl(struct postern_account *account, struct postern_span mailbox,
               int (*each)(void *ctx, const struct postern_acl *one), void *ctx)
{
    struct buffer records = {0};
    int err = look(account, &mailbox, &records);

    if (!err)
        err = acl_each(buffer_span(&records), mailbox, each, ctx);
    buffer_done(&records);
    return err;
}

int folder_set_acl(struct postern_account *account, struct postern_span mailbox,
                   const struct postern_acl *change, enum postern_flags_how how)
{
    struct buffer before = {0}, after = {0};
    int err = change_begin(account, &mailbox, &before);

    if (err) {
        buffer_done(&before);
        return err;
    }
    err = acl_change(buffer_span(&before), mailbox, change, how, &after);
    return change_end(account, mailbox, &before, &after, err);
}

static bool exists(void *ctx, struct postern_span name)
{
    struct postern_account *account = ctx;
    const struct index_mailbox *rows = index_mailbox_named(&account->index, name);

    return rows && rows->facts.exists;
}

int folder_new_acl(struct postern_account *account, struct postern_span mailbox)
{
    struct buffer before = {0}, after = {0};
    int err = load(account, &before);

    if (!err)
        err = acl_new(buffer_span(&before), mailbox, exists, account, &after);
    if (!err)
        err = save_changed(account, &before, &after);
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
    if ((size_t)snprintf(path + n, sizeof path - n, "/%s/" FILE_NAME, index) < sizeof path - n &&
        load_from(AT_FDCWD, path, &records) == 0 && acl_names(buffer_span(&records), search->user))
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
