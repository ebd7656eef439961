/* SPDX-License-Identifier: MIT */
/* messages - flagged, copied, expunged. Each is one step under the mutex, so all or nothing comes
 * by itself, but for memory: that is taken first. */
#include "store/memory/memory.h"

#include "base/span.h"
#include <stdlib.h>

/* I 7162:3.1-3 I 7162:3.1-4 I 7162:3.1.3-1 I 7162:3.1.3-8 I 7162:3.1.11-1 */
int memory_flags(struct postern_mailbox *mailbox, const uint32_t *uids, size_t count,
                 const struct postern_flags_change *change, uint32_t *skipped_r)
{
    struct box *box = mailbox->box;
    uint32_t *each = uids_sorted(uids, &count);
    bool changed = false;
    uint64_t modseq;
    int skipped = 0;

    if (!each)
        return POSTERN_E_NOMEM;
    pthread_mutex_lock(&mailbox->memory->mutex);
    modseq = box->modseq + 1;
    for (size_t i = 0; i < count && !box->dropped; i++) {
        struct message *message = box_find(box, each[i]);

        if (!message)
            continue;
        if (change->conditional && message->info.modseq > change->unchanged_since) {
            if (skipped_r)
                skipped_r[skipped] = each[i];
            skipped++;
        } else if (flags_changed(change, &message->info.flags, &message->info.keywords)) {
            message->info.modseq = box->modseq = modseq;
            changed = true;
        }
    }
    if (changed)
        box_changed(box);
    pthread_mutex_unlock(&mailbox->memory->mutex);
    free(each);
    return box->dropped ? POSTERN_E_NOT_FOUND : skipped;
}

int memory_expunge(struct postern_mailbox *mailbox, const uint32_t *uids, size_t count)
{
    int err;

    pthread_mutex_lock(&mailbox->memory->mutex);
    err = box_expunge(mailbox->box, uids, count);
    pthread_mutex_unlock(&mailbox->memory->mutex);
    return err;
}

static int keyword_in(struct box *box, const char *name)
{
    for (int i = 0; i < POSTERN_KEYWORDS_MAX; i++) {
        if (!box->keywords[i] && !(box->keywords[i] = strdup(name)))
            return POSTERN_E_NOMEM;
        if (span_equal_nocase(postern_span_of(box->keywords[i]), postern_span_of(name)))
            return i;
    }
    return POSTERN_E_FULL;
}

/* map_keywords - into the numbers of the other mailbox. */
static int map_keywords(const struct box *from, struct box *to, uint64_t keywords,
                        uint64_t *mapped_r)
{
    uint64_t mapped = 0;

    for (unsigned i = 0; i < POSTERN_KEYWORDS_MAX; i++)
        if (keywords >> i & 1) {
            int number = keyword_in(to, from->keywords[i]);

            if (number < 0)
                return number;
            mapped |= UINT64_C(1) << number;
        }
    *mapped_r = mapped;
    return 0;
}

static int check_copy(const struct box *from, const uint32_t *uids, size_t count, struct box *to,
                      bool move)
{
    uint64_t keywords, bytes = 0;
    int err = from->dropped || to->dropped ? POSTERN_E_NOT_FOUND : box_room(to, count);

    for (size_t i = 0; i < count && !err; i++) {
        const struct message *message = box_find(from, uids[i]);

        if (i && uids[i] <= uids[i - 1])
            err = POSTERN_E_USAGE;
        else if (!message)
            err = POSTERN_E_NOT_FOUND;
        else
            err = map_keywords(from, to, message->info.keywords, &keywords);
        bytes += message ? message->info.size_wire : 0;
    }
    return err || move ? err : account_check_room(to->account, bytes, count, 0);
}

static void copy_all(const struct box *from, const uint32_t *uids, size_t count, struct box *to,
                     uint32_t *uids_r)
{
    uint64_t modseq = to->modseq + 1;

    for (size_t i = 0; i < count; i++) {
        struct message *old = box_find(from, uids[i]), *copy;
        struct postern_message_info info = old->info;

        atomic_fetch_add(&old->octets->references, 1);
        copy = box_add(to, modseq, old->octets);
        copy->info.flags = info.flags;
        copy->info.date_s = info.date_s;
        copy->info.email_id = info.email_id;
        (void)map_keywords(from, to, info.keywords, &copy->info.keywords);
        if (uids_r)
            uids_r[i] = copy->info.uid;
    }
}

/* I 6851:3.3-4
 * I 8474:5.1-2 I 8514:4.2-1 I 9208:5.2-1 */
int memory_copy(struct postern_mailbox *from, const uint32_t *uids, size_t count,
                struct postern_mailbox *to, bool move, uint32_t *uids_r)
{
    struct memory *memory = from->memory;
    int err;

    if (from->box->account != to->box->account)
        return POSTERN_E_USAGE;
    pthread_mutex_lock(&memory->mutex);
    err = check_copy(from->box, uids, count, to->box, move);
    if (!err && move)
        err = box_vanished_room(from->box, count);
    if (!err && count) {
        copy_all(from->box, uids, count, to->box, uids_r);
        box_changed(to->box);
        if (move)
            err = box_expunge(from->box, uids, count);
    }
    pthread_mutex_unlock(&memory->mutex);
    return err;
}
