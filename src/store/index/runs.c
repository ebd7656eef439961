/* SPDX-License-Identifier: MIT */
/* runs - which UIDs a mailbox has, as ranges: rising, apart, never touching. */
#include "store/index/index.h"

#include <stdlib.h>
#include <string.h>

/* run_at - the first run that ends at uid or later. */
static size_t run_at(const struct index_mailbox *mailbox, uint32_t uid)
{
    size_t low = 0, high = mailbox->run_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (mailbox->runs[middle].last < uid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int insert_at(struct index_mailbox *mailbox, size_t at, struct postern_uid_range run)
{
    if (mailbox->run_count == mailbox->run_room) {
        size_t room = mailbox->run_room ? mailbox->run_room * 2 : 4;
        struct postern_uid_range *runs = realloc(mailbox->runs, room * sizeof *runs);

        if (!runs)
            return POSTERN_E_NOMEM;
        mailbox->runs = runs;
        mailbox->run_room = room;
    }
    memmove(mailbox->runs + at + 1, mailbox->runs + at,
            (mailbox->run_count - at) * sizeof *mailbox->runs);
    mailbox->runs[at] = run;
    mailbox->run_count++;
    return 0;
}

static void remove_at(struct index_mailbox *mailbox, size_t at)
{
    mailbox->run_count--;
    memmove(mailbox->runs + at, mailbox->runs + at + 1,
            (mailbox->run_count - at) * sizeof *mailbox->runs);
}

int runs_add(struct index_mailbox *mailbox, uint32_t uid)
{
    size_t at = run_at(mailbox, uid);
    struct postern_uid_range *runs = mailbox->runs;
    bool touches_before = at > 0 && runs[at - 1].last == uid - 1;
    bool touches_after = at < mailbox->run_count && runs[at].first == uid + 1;

    if (at < mailbox->run_count && runs[at].first <= uid)
        return 0;
    if (touches_before && touches_after) {
        runs[at - 1].last = runs[at].last;
        remove_at(mailbox, at);
    } else if (touches_before) {
        runs[at - 1].last = uid;
    } else if (touches_after) {
        runs[at].first = uid;
    } else {
        return insert_at(mailbox, at, (struct postern_uid_range){uid, uid});
    }
    return 0;
}

int runs_remove(struct index_mailbox *mailbox, uint32_t uid)
{
    size_t at = run_at(mailbox, uid);
    struct postern_uid_range *run = mailbox->runs + at;
    uint32_t last;

    if (at == mailbox->run_count || run->first > uid)
        return 0;
    last = run->last;
    if (run->first == last) {
        remove_at(mailbox, at);
    } else if (run->first == uid) {
        run->first++;
    } else if (last == uid) {
        run->last--;
    } else {
        run->last = uid - 1;
        return insert_at(mailbox, at + 1, (struct postern_uid_range){uid + 1, last});
    }
    return 0;
}
