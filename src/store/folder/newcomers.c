/* SPDX-License-Identifier: MIT */
/* newcomers - files that no row knows get UIDs, in the order of their delivery times.
 *
 * A file may bring its UID along: in its name (,U=VALIDITY-UID), when we wrote it and the index was
 * lost or behind, or in Dovecot's list, when it is indexed for the first time. It is believed when
 * nobody can have seen another message under that UID. After a loss, UIDs for the others begin far
 * above what is known: what was given to files that are gone cannot be known. */
#include "store/folder/sync.h"
#include "store/folder/uidlist.h"

#include "base/span.h"
#include <stdlib.h>
#include <unistd.h>

#define JUMP_AFTER_LOSS 1000000u
#define AHEAD_MAX (1u << 20) /* a UID in a name may be so far ahead of what was given */
#define UID_MAX 0xf0000000u

struct newcomer {
    struct found *found;
    struct postern_span name, unique;
    unsigned long long number; /* of seconds, as names begin */
    struct file_facts facts;   /* of the name; the UID perhaps of the list */
};

struct newcomers {
    struct newcomer *all;
    size_t count;
    struct uidlist uidlist;
    bool named; /* one has its UID in its name */
};

/* is_doomed - by its key: others may have renamed it since. */
static bool is_doomed(const struct sync *sync, struct postern_span name)
{
    const struct folder_kind *kind = sync->account->store->kind;
    struct postern_span each;
    size_t at = 0;
    unsigned sub;

    while (doomed_next(&sync->mailbox->doomed, &at, &sub, &each))
        if (span_equal(kind->key_of(each), kind->key_of(name)))
            return true;
    return false;
}

static void describe(const struct sync *sync, struct newcomers *newcomers, struct newcomer *one)
{
    const struct folder_kind *kind = sync->account->store->kind;
    const struct uidlist_entry *known;

    one->name = found_name(&sync->listing, one->found);
    one->number = strtoull(one->name.p, NULL, 10);
    kind->read_name(one->name, &one->facts);
    if (one->facts.uid) {
        newcomers->named = true;
        return;
    }
    known = uidlist_find(&newcomers->uidlist, kind->key_of(one->name));
    if (known) {
        one->facts.uid_validity = newcomers->uidlist.uid_validity;
        one->facts.uid = known->uid;
        one->unique = known->unique;
    }
}

static int gather(struct sync *sync, struct newcomers *newcomers)
{
    newcomers->all = calloc(sync->listing.count + 1, sizeof *newcomers->all);
    if (!newcomers->all)
        return POSTERN_E_NOMEM;
    if (sync->facts.uid_validity == 0 && uidlist_read(&newcomers->uidlist, &sync->place) < 0)
        return POSTERN_E_NOMEM;
    for (size_t i = 0; i < sync->listing.count; i++) {
        struct found *found = &sync->listing.all[i];

        if (found->place || is_doomed(sync, found_name(&sync->listing, found)))
            continue;
        newcomers->all[newcomers->count].found = found;
        describe(sync, newcomers, &newcomers->all[newcomers->count++]);
    }
    return 0;
}

/* choose_validity - of a mailbox that has none yet: the highest that its files know, or a new one.
 */
static int choose_validity(struct sync *sync, const struct newcomers *newcomers)
{
    struct index_facts fresh;
    uint32_t validity = newcomers->uidlist.uid_validity;
    int err = account_new_facts(sync->account, SPAN(""), &fresh);

    if (err)
        return err;
    for (size_t i = 0; i < newcomers->count; i++)
        if (newcomers->all[i].facts.uid && newcomers->all[i].facts.uid_validity > validity)
            validity = newcomers->all[i].facts.uid_validity;
    sync->facts.uid_validity = validity ? validity : fresh.uid_validity;
    if (validity == newcomers->uidlist.uid_validity && newcomers->uidlist.uid_next)
        sync->facts.uid_next = newcomers->uidlist.uid_next;
    return 0;
}

static int compare_spans(struct postern_span a, struct postern_span b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = memcmp(a.p, b.p, n);

    return order ? order : (a.n > b.n) - (a.n < b.n);
}

/* by_uid - those that bring a UID first, rising; then by age. */
static int by_uid(const void *a, const void *b)
{
    const struct newcomer *x = a, *y = b;

    if (x->facts.uid != y->facts.uid)
        return x->facts.uid - 1 < y->facts.uid - 1 ? -1 : 1; /* 0 last */
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return compare_spans(x->name, y->name);
}

/* may_keep - whether the UID that a file brings can be its own. */
static bool may_keep(const struct sync *sync, const struct newcomer *one, uint32_t last)
{
    uint32_t next = sync->mailbox->facts.uid_next, uid = one->facts.uid;

    if (uid == 0 || one->facts.uid_validity != sync->facts.uid_validity || uid <= last)
        return false;
    if (sync->facts.adopt)
        return uid < UID_MAX && !mailbox_find(sync->mailbox, uid);
    return uid >= next && uid - next < AHEAD_MAX;
}

static void settle_uids(struct sync *sync, struct newcomers *newcomers)
{
    uint32_t last = 0;
    bool sorted = true;

    qsort(newcomers->all, newcomers->count, sizeof *newcomers->all, by_uid);
    for (size_t i = 0; i < newcomers->count; i++) {
        struct newcomer *one = &newcomers->all[i];

        if (!may_keep(sync, one, last)) {
            sorted &= one->facts.uid == 0;
            one->facts.uid = 0;
            continue;
        }
        last = one->facts.uid;
        if (sync->facts.uid_next <= last)
            sync->facts.uid_next = last + 1;
    }
    if (!sorted)
        qsort(newcomers->all, newcomers->count, sizeof *newcomers->all, by_uid);
    if (sync->facts.adopt && newcomers->named && sync->facts.uid_next < UID_MAX)
        sync->facts.uid_next += JUMP_AFTER_LOSS;
}

static int write_row(struct sync *sync, const struct newcomer *one)
{
    const struct folder_kind *kind = sync->account->store->kind;
    const struct file_facts *facts = &one->facts;
    struct index_row row = {.uid = facts->uid, .modseq = sync->modseq, .date_s = INDEX_NO_DATE};
    int err;

    if (row.uid == 0) {
        if (sync->facts.uid_next == UINT32_MAX)
            return POSTERN_E_FULL;
        row.uid = sync->facts.uid_next++;
    }
    row.bits = (uint16_t)(facts->flags | (one->found->sub ? ROW_SECOND_SUB : 0));
    row.keywords = facts->letters ? letters_to_keywords(&sync->place, sync->mailbox, facts->letters,
                                                        0, &sync->maker)
                                  : 0;
    row.email_id = span_hash(kind->key_of(one->name));
    row.size_raw = facts->size_raw;
    row.size_wire = facts->size_wire;
    err = row_learn(sync->account, sync->mailbox, &row, one->name);
    row_write(&sync->group, sync->facts.id, &row, one->name, one->unique);
    return err ? err : sync->group.error;
}

int sync_newcomers(struct sync *sync)
{
    struct newcomers newcomers = {0};
    int err = gather(sync, &newcomers);

    if (!err && sync->facts.uid_validity == 0)
        err = choose_validity(sync, &newcomers);
    if (!err) {
        struct index_facts facts = sync->facts;

        settle_uids(sync, &newcomers);
        /* the new validity comes first, so that the rows are its own */
        if (facts.uid_validity != sync->mailbox->facts.uid_validity)
            group_facts(&sync->group, &facts, sync->mailbox->name, sync->mailbox->dir);
    }
    for (size_t i = 0; i < newcomers.count && !err; i++)
        err = write_row(sync, &newcomers.all[i]);
    uidlist_done(&newcomers.uidlist);
    free(newcomers.all);
    return err;
}
