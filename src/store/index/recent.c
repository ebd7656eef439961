/* SPDX-License-Identifier: MIT */
/* recent - the last changes of a mailbox, so that whoever watches it need not go through a hundred
 * thousand rows for each flag that is set. */
#include "store/index/index.h"

#include <stdlib.h>
#include <string.h>

struct index_recent {
    uint64_t floor; /* what changed above this mod-sequence stands below */
    size_t count;   /* changes so far: the next one goes to count % RECENT_MAX */
    struct {
        uint64_t modseq;
        uint32_t uid;
    } all[RECENT_MAX];
};

void recent_note(struct index_mailbox *mailbox, uint32_t uid, uint64_t modseq)
{
    struct index_recent *recent = mailbox->recent;
    size_t at;

    if (!recent) {
        recent = calloc(1, sizeof *recent);
        if (!recent) /* then all rows are gone through, as before */
            return;
        recent->floor = mailbox->facts.modseq;
        mailbox->recent = recent;
    }
    at = recent->count++ % RECENT_MAX;
    if (recent->count > RECENT_MAX && recent->floor < recent->all[at].modseq)
        recent->floor = recent->all[at].modseq;
    recent->all[at].modseq = modseq;
    recent->all[at].uid = uid;
}

void recent_forget(struct index_mailbox *mailbox)
{
    free(mailbox->recent);
    mailbox->recent = NULL;
}

/* insert - at its place, once; how many there are then. */
static size_t insert(uint32_t *uids, size_t n, uint32_t uid)
{
    size_t at = n;

    while (at && uids[at - 1] > uid)
        at--;
    if (at && uids[at - 1] == uid)
        return n;
    memmove(uids + at + 1, uids + at, (n - at) * sizeof *uids);
    uids[at] = uid;
    return n + 1;
}

bool recent_since(const struct index_mailbox *mailbox, uint64_t since, uint32_t uids_r[RECENT_MAX],
                  size_t *count_r)
{
    const struct index_recent *recent = mailbox->recent;

    if (!recent || since < recent->floor)
        return false;
    *count_r = 0;
    for (size_t i = 0; i < RECENT_MAX && i < recent->count; i++)
        if (recent->all[i].modseq > since)
            *count_r = insert(uids_r, *count_r, recent->all[i].uid);
    return true;
}
