/* SPDX-License-Identifier: MIT */
/* check - index and files held against each other, by what lies on disk, without the store's own
 * mending. Repairing is the store's own: it is made to look at everything once. */
#include "store/folder/check.h"
#include "store/folder/sync.h"

#include "base/span.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct check {
    struct postern_account account; /* only what place_open() and file_open() want */
    void (*each)(void *ctx, const struct fault *fault);
    void *ctx;
    int count;
};

const char *fault_text(enum fault_kind kind)
{
    static const char *const texts[FAULT_KINDS] = {
        [FAULT_INDEX_LOST] = "the index is missing or cannot be read",
        [FAULT_LOG_TORN] = "the index ends in a change that was cut off",
        [FAULT_RECORD_DAMAGED] = "a record is damaged",
        [FAULT_NO_FILE] = "a record without a file",
        [FAULT_NO_RECORD] = "a file without a record",
        [FAULT_UID_TWICE] = "two files with one UID",
        [FAULT_FILE_LEFT] = "a deleted message whose file is still there",
        [FAULT_FILE_UNREADABLE] = "a file that is no message of this account",
    };

    return kind < FAULT_KINDS ? texts[kind] : "";
}

static void tell(struct check *check, enum fault_kind kind, const struct index_mailbox *mailbox,
                 struct postern_span file, uint32_t uid)
{
    struct fault fault = {.kind = kind, .file = file, .uid = uid};

    if (mailbox)
        fault.mailbox = mailbox->name;
    check->count++;
    check->each(check->ctx, &fault);
}

static void check_row(struct check *check, struct index_mailbox *mailbox,
                      const struct index_row *row, const struct listing *listing)
{
    const struct folder_kind *kind = check->account.store->kind;
    struct postern_span name = row_name(mailbox, row);
    struct found *found;
    struct stat facts;
    int fd;

    if (!row_is_whole(mailbox, row)) {
        tell(check, FAULT_RECORD_DAMAGED, mailbox, (struct postern_span){0}, row->uid);
        return;
    }
    found = listing_find(listing, kind->key_of(name));
    if (!found) {
        tell(check, FAULT_NO_FILE, mailbox, name, row->uid);
        return;
    }
    found->place = 1;
    fd = file_open(&check->account, mailbox, found->sub, found_name(listing, found), &facts);
    if (fd < 0 || (row->bits & ROW_SCANNED && (uint64_t)facts.st_size != row->size_raw))
        tell(check, FAULT_FILE_UNREADABLE, mailbox, found_name(listing, found), row->uid);
    if (fd >= 0)
        close(fd);
}

static bool is_doomed(const struct folder_kind *kind, const struct index_mailbox *mailbox,
                      struct postern_span name)
{
    struct postern_span each;
    size_t at = 0;
    unsigned sub;

    while (doomed_next(&mailbox->doomed, &at, &sub, &each))
        if (span_equal(kind->key_of(each), kind->key_of(name)))
            return true;
    return false;
}

static int by_uid(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

/* check_uids - each UID in the names once. */
static int check_uids(struct check *check, const struct index_mailbox *mailbox,
                      const struct listing *listing)
{
    uint32_t *uids = malloc((listing->count + 1) * sizeof *uids);
    size_t count = 0;

    if (!uids)
        return POSTERN_E_NOMEM;
    for (size_t i = 0; i < listing->count; i++) {
        struct file_facts facts;

        check->account.store->kind->read_name(found_name(listing, &listing->all[i]), &facts);
        if (facts.uid && facts.uid_validity == mailbox->facts.uid_validity)
            uids[count++] = facts.uid;
    }
    qsort(uids, count, sizeof *uids, by_uid);
    for (size_t i = 1; i < count; i++)
        if (uids[i] == uids[i - 1])
            tell(check, FAULT_UID_TWICE, mailbox, (struct postern_span){0}, uids[i]);
    free(uids);
    return 0;
}

static void check_files(struct check *check, const struct index_mailbox *mailbox,
                        const struct listing *listing)
{
    const struct folder_kind *kind = check->account.store->kind;

    for (size_t i = 0; i < listing->count; i++) {
        struct postern_span name = found_name(listing, &listing->all[i]);

        if (!listing->all[i].place)
            tell(check, is_doomed(kind, mailbox, name) ? FAULT_FILE_LEFT : FAULT_NO_RECORD, mailbox,
                 name, 0);
    }
}

static int check_mailbox(struct check *check, struct index_mailbox *mailbox)
{
    struct listing listing = {0};
    struct place place;
    int err = place_open(&place, &check->account, mailbox);

    if (!err)
        err = listing_read(&listing, &place);
    for (size_t i = 0; i < mailbox_rows(mailbox) && !err; i++)
        if (!(mailbox_row(mailbox, i)->bits & ROW_GONE))
            check_row(check, mailbox, mailbox_row(mailbox, i), &listing);
    if (!err) {
        check_files(check, mailbox, &listing);
        err = check_uids(check, mailbox, &listing);
    }
    listing_done(&listing);
    place_close(&place);
    return err;
}

static int check_index(struct check *check)
{
    struct index *index = &check->account.index;
    int err = index_open(index, check->account.dir);

    if (err)
        return err;
    if (index->was_lost)
        tell(check, FAULT_INDEX_LOST, NULL, (struct postern_span){0}, 0);
    if (index->torn)
        tell(check, FAULT_LOG_TORN, NULL, (struct postern_span){0}, 0);
    for (size_t i = 0; i < index->count && !err; i++)
        if (index->mailboxes[i]->facts.exists)
            err = check_mailbox(check, index->mailboxes[i]);
    index_close(index);
    return err;
}

static struct folder_store *folder_of(struct postern_store *store)
{
    return store->ops->tidy == folder_tidy ? store->self : NULL;
}

int folder_check(struct postern_store *postern_store, struct postern_span user,
                 void (*each)(void *ctx, const struct fault *fault), void *ctx)
{
    struct folder_store *store = folder_of(postern_store);
    struct check check = {.each = each, .ctx = ctx, .account = {.store = store, .dir = -1}};
    char path[PATH_MAX];
    int err;

    if (!store)
        return POSTERN_E_UNSUPPORTED;
    err = user_is_safe(user) ? folder_path(store, user, path) : POSTERN_E_NOT_FOUND;
    if (err)
        return err;
    check.account.base = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (check.account.base < 0)
        return folder_error(errno);
    check.account.dir = folder_dir_open(check.account.base, store->kind->index, false);
    if (check.account.dir < 0)
        tell(&check, FAULT_INDEX_LOST, NULL, (struct postern_span){0}, 0);
    else
        err = check_index(&check);
    folder_fd_close(&check.account.dir);
    close(check.account.base);
    return err ? err : check.count;
}

/* ---- mending --------------------------------------------------------------------------------- */

/* look_at_rows - each of them: a damaged one marks its mailbox. */
static void look_at_rows(struct index *index)
{
    for (size_t i = 0; i < index->count; i++) {
        struct index_mailbox *mailbox = index->mailboxes[i];

        for (size_t place = 0; place < mailbox_rows(mailbox); place++)
            if (!(mailbox_row(mailbox, place)->bits & ROW_GONE))
                row_is_whole(mailbox, mailbox_row(mailbox, place));
    }
}

static int sync_each(struct postern_account *account)
{
    size_t count = account->index.count;
    uint64_t *ids = malloc((count + 1) * sizeof *ids);
    int err = ids ? 0 : POSTERN_E_NOMEM;

    for (size_t i = 0; i < count && !err; i++)
        ids[i] =
            account->index.mailboxes[i]->facts.exists ? account->index.mailboxes[i]->facts.id : 0;
    for (size_t i = 0; i < count && !err; i++)
        if (ids[i])
            err = mailbox_sync(account, ids[i], 0, true);
    free(ids);
    return err;
}

int folder_repair(struct postern_store *store, struct postern_span user)
{
    struct postern_account *account = NULL;
    int err =
        folder_of(store) ? folder_account_open(store, user, 0, &account) : POSTERN_E_UNSUPPORTED;

    if (err)
        return err;
    err = account_enter(account, 0);
    if (!err) {
        look_at_rows(&account->index);
        account_leave(account);
        err = account_enter_lock(account, 0);
    }
    if (!err) {
        err = sync_each(account);
        account_leave(account);
    }
    folder_account_close(&account);
    return err;
}

int folder_rebuild(struct postern_store *store, struct postern_span user)
{
    struct postern_account *account = NULL;
    int err =
        folder_of(store) ? folder_account_open(store, user, 0, &account) : POSTERN_E_UNSUPPORTED;

    if (err)
        return err;
    err = account_enter_lock(account, 0);
    if (!err) {
        if (renameat(account->dir, "index", account->dir, "index.before") < 0)
            err = folder_error(errno);
        account_leave(account);
    }
    folder_account_close(&account);
    return err ? err : folder_repair(store, user);
}
