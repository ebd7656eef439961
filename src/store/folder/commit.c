/* SPDX-License-Identifier: MIT */
/* commit - new messages become those of a mailbox. The order that nothing can be lost by: the file
 * written and synced in the staging folder; then, as the index's only writer, a UID, the file moved
 * to its name, the folder synced, the index committed; then the answer. Whoever commits does it for
 * all who wait, with one sync of the folder and one of the index.
 *
 * The names of a set, or of a file whose name cannot tell all that came with it, are doomed
 * beforehand: a crash in the middle removes those that are there. */
#include "store/folder/append.h"

#include "base/span.h"
#include "store/quota.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* ---- placing --------------------------------------------------------------------------------- */

/* struct batch - what one commit does for all who wait. */
struct batch {
    struct postern_account *account;
    struct buffer group;
    struct postern_quota usage; /* with what the batch adds */
    struct running {            /* a mailbox, and what it will have given when the batch is over */
        uint64_t id, modseq;
        uint32_t uid_next;
    } * running;
    size_t count;
};

static struct running *running_of(struct batch *batch, const struct index_mailbox *rows)
{
    struct running *all;

    for (size_t i = 0; i < batch->count; i++)
        if (batch->running[i].id == rows->facts.id)
            return &batch->running[i];
    all = realloc(batch->running, (batch->count + 1) * sizeof *all);
    if (!all)
        return NULL;
    batch->running = all;
    all[batch->count] =
        (struct running){rows->facts.id, rows->facts.modseq + 1, rows->facts.uid_next};
    return &all[batch->count++];
}

/* name_file - the name and the sub-folder that a delivery gets. */
static int name_file(struct postern_delivery *delivery, const struct index_mailbox *rows,
                     uint32_t uid)
{
    const struct folder_kind *kind = delivery->mailbox->account->store->kind;
    struct new_name what = {.number = delivery->number,
                            .size_raw = delivery->scan.size_raw,
                            .size_wire = delivery->scan.size_wire,
                            .uid_validity = rows->facts.uid_validity,
                            .uid = uid};
    uint32_t letters = keywords_to_letters(&delivery->place, rows, delivery->what.keywords);
    char name[FOLDER_NAME_BYTES];
    int err = 0;

    if (delivery->name[0])
        return 0; /* it was doomed under this name */
    err = kind->make_name(&what, name, sizeof name);
    memcpy(delivery->name, name, sizeof name);
    if (!err && (delivery->what.flags || letters) &&
        kind->flag_name(postern_span_of(name), delivery->what.flags, letters, delivery->name,
                        sizeof delivery->name))
        delivery->sub = 1;
    return err;
}

static void describe(struct batch *batch, const struct postern_delivery *delivery,
                     const struct index_mailbox *rows, uint64_t modseq)
{
    const struct folder_kind *kind = batch->account->store->kind;
    struct postern_span name = postern_span_of(delivery->name);
    struct index_row row = {.uid = delivery->uid,
                            .modseq = modseq,
                            .saved_s = time(NULL),
                            .keywords = delivery->what.keywords,
                            .email_id = delivery->email_id ? delivery->email_id
                                                           : span_hash(kind->key_of(name))};
    struct stat facts;

    row_take_scan(&row, &delivery->scan);
    row.bits |= (uint16_t)(delivery->what.flags & POSTERN_FLAGS_ALL);
    if (delivery->sub)
        row.bits |= ROW_SECOND_SUB;
    if (fstat(delivery->fd, &facts) == 0) {
        row.date_s = facts.st_mtim.tv_sec;
        row.mtime_ns = (uint32_t)facts.st_mtim.tv_nsec;
    }
    row_write(&batch->group, rows->facts.id, &row, name, delivery->what.unique_id);
}

/* I 2.3.1.1-1 */
static int place_one(struct batch *batch, struct postern_delivery *delivery)
{
    struct postern_account *account = batch->account;
    struct index_mailbox *rows = index_mailbox_of(&account->index, delivery->mailbox->id);
    struct running *running = rows && rows->facts.exists ? running_of(batch, rows) : NULL;
    int sub, err;

    if (!running)
        return rows && rows->facts.exists ? POSTERN_E_NOMEM : POSTERN_E_NOT_FOUND;
    if (running->uid_next == UINT32_MAX)
        return POSTERN_E_FULL;
    if (delivery->what.unique_id.n && mailbox_unique(account, rows, delivery->what.unique_id))
        return POSTERN_E_EXISTS;
    delivery->uid = running->uid_next;
    err = name_file(delivery, rows, delivery->uid);
    sub = err ? err : place_sub(&delivery->place, delivery->sub);
    if (sub < 0)
        return sub;
    if (renameat2(delivery->place.staging, delivery->staged, sub, delivery->name,
                  RENAME_NOREPLACE) < 0)
        return folder_error(errno);
    delivery->placed = true;
    running->uid_next++;
    describe(batch, delivery, rows, running->modseq);
    return batch->group.error;
}

static void take_back(struct commit_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->deliveries[i]->placed)
            unlinkat(place_sub(&set->deliveries[i]->place, set->deliveries[i]->sub),
                     set->deliveries[i]->name, 0);
}

/* doom_set - the names that a set will have, so that a crash leaves none of them. */
static int doom_set(struct batch *batch, struct commit_set *set)
{
    struct index_mailbox *rows =
        index_mailbox_of(&batch->account->index, set->deliveries[0]->mailbox->id);
    struct running *running = rows ? running_of(batch, rows) : NULL;
    struct buffer group = {0};
    int err = running ? 0 : POSTERN_E_NOT_FOUND;

    for (size_t i = 0; i < set->count && !err; i++) {
        err = name_file(set->deliveries[i], rows, running->uid_next + (uint32_t)i);
        group_doom(&group, rows->facts.id, set->deliveries[i]->sub,
                   postern_span_of(set->deliveries[i]->name));
    }
    if (!err)
        err = index_commit(&batch->account->index, &group, true, false);
    buffer_done(&group);
    return err;
}

static void expunge_moved(struct batch *batch, const struct commit_set *set)
{
    struct index_mailbox *rows = index_mailbox_of(&batch->account->index, set->from);
    struct running *running = rows ? running_of(batch, rows) : NULL;

    if (running)
        group_expunge_set(&batch->group, rows, set->moved, set->count, running->modseq);
}

/* is_whole_by_itself - one file whose name tells all that came with it: a crash before the index is
 * written leaves a message as it should be. */
static bool is_whole_by_itself(const struct batch *batch, const struct commit_set *set)
{
    const struct postern_new_message *what = &set->deliveries[0]->what;
    char name[FOLDER_NAME_BYTES];

    return set->count == 1 && !set->from && !what->keywords && !what->unique_id.n &&
           (!what->flags ||
            batch->account->store->kind->flag_name(SPAN("x"), what->flags, 0, name, sizeof name));
}

/* leave_room - what is replaced counts no more. */
static void leave_room(struct batch *batch, const struct commit_set *set,
                       struct postern_quota *usage)
{
    struct index_mailbox *rows = index_mailbox_of(&batch->account->index, set->from);
    const struct index_row *row = rows ? mailbox_find(rows, set->moved[0]) : NULL;

    if (!row || row->bits & ROW_GONE)
        return;
    usage->bytes -= row->size_wire < usage->bytes ? row->size_wire : usage->bytes;
    usage->messages -= usage->messages > 0;
}

/* take_room - POSTERN_E_FULL when the set would be more than the account may have. */
static int take_room(struct batch *batch, const struct commit_set *set)
{
    struct postern_quota usage = batch->usage;

    if (set->from && !set->deliveries[0]->what.replaced)
        return 0; /* they are only moved */
    if (set->from)
        leave_room(batch, set, &usage);
    for (size_t i = 0; i < set->count; i++) {
        usage.bytes += set->deliveries[i]->scan.size_wire;
        usage.messages++;
    }
    if (quota_room(&usage, 0, 0) < 0)
        return POSTERN_E_FULL;
    batch->usage = usage;
    return 0;
}

static int place_set(struct batch *batch, struct commit_set *set)
{
    size_t group_n = buffer_length(&batch->group);
    int err = take_room(batch, set);

    if (!err && !is_whole_by_itself(batch, set))
        err = doom_set(batch, set);

    for (size_t i = 0; i < set->count && !err; i++)
        err = place_one(batch, set->deliveries[i]);
    if (!err && set->from)
        expunge_moved(batch, set);
    if (err) {
        take_back(set);
        batch->group.tail = batch->group.head + group_n;
    }
    return err;
}

/* ---- committing ------------------------------------------------------------------------------ */

/* sync_folders - each folder once, however many files it got. */
static int sync_folders(struct commit_set *sets)
{
    struct stat facts, before = {0};
    int err = 0;

    for (struct commit_set *set = sets; set && !err; set = set->next)
        for (size_t i = 0; i < set->count && !err && !set->result; i++) {
            int sub = place_sub(&set->deliveries[i]->place, set->deliveries[i]->sub);

            if (fstat(sub, &facts) == 0 && facts.st_ino == before.st_ino)
                continue;
            before = facts;
            err = folder_sync_mail(set->deliveries[i]->mailbox->account->store, sub);
        }
    return err;
}

/* prepare - a mailbox that has no UIDs of its own yet, or lost some, is looked at first. */
static int prepare(struct postern_account *account, uint64_t id)
{
    const struct index_mailbox *rows = index_mailbox_of(&account->index, id);

    if (!rows || (rows->facts.uid_validity && !rows->facts.adopt))
        return 0;
    return mailbox_sync(account, id, 0, true);
}

static void commit_all(struct postern_account *account, struct commit_set *sets)
{
    struct batch batch = {.account = account};
    int err = account_enter_lock(account, 0);
    bool entered = !err;

    if (entered)
        account_usage(account, &batch.usage);
    for (struct commit_set *set = sets; set && entered; set = set->next)
        set->known = own_begin(account, set->deliveries[0]->mailbox->id);
    for (struct commit_set *set = sets; set && entered; set = set->next) {
        set->result = prepare(account, set->deliveries[0]->mailbox->id);
        if (!set->result)
            set->result = place_set(&batch, set);
    }
    if (!err)
        err = sync_folders(sets);
    if (!err && buffer_length(&batch.group))
        err = index_commit(&account->index, &batch.group, true, false);
    for (struct commit_set *set = sets; set; set = set->next) {
        if (err && !set->result) {
            take_back(set);
            set->result = err;
        }
        if (!set->result) {
            own_end(account, set->deliveries[0]->mailbox->id, set->known);
            watch_news(account, set->deliveries[0]->mailbox->id);
        }
    }
    buffer_done(&batch.group);
    free(batch.running);
    if (entered)
        account_leave(account);
}

/* wait_turn - until somebody has committed the set, or it is ours to commit for all who wait: then
 * those, else NULL. */
static struct commit_set *wait_turn(struct postern_account *account, struct commit_set *set)
{
    struct commit_set *sets = NULL;

    pthread_mutex_lock(&account->queue_mutex);
    set->next = account->queue;
    account->queue = set;
    while (account->committing && !set->done)
        pthread_cond_wait(&account->committed, &account->queue_mutex);
    if (!set->done) {
        account->committing = true;
        sets = account->queue;
        account->queue = NULL;
    }
    pthread_mutex_unlock(&account->queue_mutex);
    return sets;
}

static void tell_done(struct postern_account *account, struct commit_set *sets)
{
    pthread_mutex_lock(&account->queue_mutex);
    for (struct commit_set *set = sets, *next; set; set = next) {
        next = set->next;
        set->done = true; /* its owner may go on, and take it along */
    }
    account->committing = false;
    pthread_cond_broadcast(&account->committed);
    pthread_mutex_unlock(&account->queue_mutex);
}

int folder_commit_set(struct commit_set *set, uint32_t *uids_r)
{
    struct postern_account *account = set->deliveries[0]->mailbox->account;
    struct commit_set *sets;

    for (size_t i = 0; i < set->count && !set->result; i++)
        set->result = delivery_finish(set->deliveries[i]);
    if (!set->result) {
        sets = wait_turn(account, set);
        if (sets) {
            commit_all(account, sets);
            tell_done(account, sets);
        }
    }
    for (size_t i = 0; i < set->count; i++) {
        if (!set->result && uids_r)
            uids_r[i] = set->deliveries[i]->uid;
        folder_abort(&set->deliveries[i]);
    }
    return set->result;
}

int folder_commit(struct postern_delivery **deliveries, size_t count, uint32_t *uids_r)
{
    struct commit_set set = {.deliveries = deliveries, .count = count};

    if (count == 1 && deliveries[0]->what.replaced) {
        set.from = deliveries[0]->what.replaced_in->id;
        set.moved = &deliveries[0]->what.replaced;
    }
    return count ? folder_commit_set(&set, uids_r) : 0;
}
