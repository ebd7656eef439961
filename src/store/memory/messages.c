/* SPDX-License-Identifier: MIT */
/* messages - appended, flagged, copied, expunged. Each is one step under the mutex, so all or
 * nothing comes by itself, but for memory: that is taken first. */
#include "store/memory/memory.h"

#include "base/span.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* ---- appending ------------------------------------------------------------------------------- */

int memory_begin(struct postern_mailbox *mailbox, const struct postern_new_message *what,
                 struct postern_delivery **delivery_r)
{
    struct postern_delivery *delivery;

    if (what && what->unique_id.n > POSTERN_UID_MAX)
        return POSTERN_E_TOO_LONG;
    delivery = calloc(1, sizeof *delivery);
    if (!delivery)
        return POSTERN_E_NOMEM;
    delivery->mailbox = mailbox;
    if (what)
        delivery->what = *what;
    if (what && what->unique_id.n)
        memcpy(delivery->unique, what->unique_id.p, what->unique_id.n);
    *delivery_r = delivery;
    return 0;
}

int memory_write(struct postern_delivery *delivery, struct postern_span bytes)
{
    for (size_t i = 0; i < bytes.n; i++) {
        if (bytes.p[i] == '\n' && delivery->last != '\r')
            buffer_append_char(&delivery->bytes, '\r');
        buffer_append_char(&delivery->bytes, bytes.p[i]);
        delivery->last = bytes.p[i];
    }
    return delivery->bytes.error;
}

void memory_abort(struct postern_delivery **delivery)
{
    if (!delivery || !*delivery)
        return;
    buffer_done(&(*delivery)->bytes);
    free(*delivery);
    *delivery = NULL;
}

static struct octets *octets_of(const struct postern_delivery *delivery)
{
    struct postern_span bytes = buffer_span(&delivery->bytes);
    struct octets *octets =
        delivery->bytes.error ? NULL : malloc(sizeof *octets + bytes.n); /* UNSAFE: no wrap */

    if (!octets)
        return NULL;
    octets->scan = (struct scan){0};
    atomic_init(&octets->references, 1);
    octets->n = bytes.n;
    if (bytes.n)
        memcpy(octets->bytes, bytes.p, bytes.n);
    scan_feed(&octets->scan, bytes);
    scan_end(&octets->scan);
    return octets;
}

static bool unique_is_there(const struct box *box, const char *unique)
{
    for (size_t i = 0; i < box->count; i++)
        if (strcmp(box->messages[i].unique, unique) == 0)
            return true;
    return false;
}

/* add - the room is there already.
 * I 7162:3.1-5
 * I 8508:4.6-1 */
static struct message *add(struct memory *memory, struct box *box, uint64_t modseq,
                           struct octets *octets)
{
    struct message *message = &box->messages[box->count++];

    *message = (struct message){.octets = octets};
    message->info.uid = box->uid_next++;
    message->info.modseq = box->modseq = modseq;
    message->info.size_wire = octets->scan.size_wire;
    message->info.date_s = message->info.saved_s = time(NULL);
    message->info.email_id = ++memory->number;
    snprintf(message->unique, sizeof message->unique, "m%llu",
             (unsigned long long)message->info.email_id);
    return message;
}

static void describe(struct message *message, const struct postern_delivery *delivery)
{
    message->info.flags = delivery->what.flags & POSTERN_FLAGS_ALL;
    message->info.keywords = delivery->what.keywords;
    if (delivery->what.date_s)
        message->info.date_s = delivery->what.date_s;
    if (delivery->unique[0])
        memcpy(message->unique, delivery->unique, sizeof message->unique);
}

static int vanished_room(struct box *box, size_t count)
{
    size_t room = box->vanished_room ? box->vanished_room : 8;
    struct vanished *vanished;

    while (room < box->vanished_count + count)
        room *= 2;
    vanished = realloc(box->vanished, room * sizeof *vanished);
    if (!vanished)
        return POSTERN_E_NOMEM;
    box->vanished = vanished;
    box->vanished_room = room;
    return 0;
}

/* I 7162:3.2-1 */
static int expunge(struct memory *memory, struct box *box, const uint32_t *uids, size_t count)
{
    uint64_t modseq = box->modseq + 1;
    int err = box->dropped ? POSTERN_E_NOT_FOUND : vanished_room(box, count);

    for (size_t i = 0; i < count && !err; i++)
        box_expunge(box, uids[i], modseq);
    if (!err && box->modseq == modseq)
        box_changed(memory, box);
    return err;
}

/* size_replaced - of the message that goes when this one comes; 0: none does. */
static uint64_t size_replaced(const struct postern_delivery *delivery)
{
    const struct message *message =
        delivery->what.replaced ? box_find(delivery->what.replaced_in->box, delivery->what.replaced)
                                : NULL;

    return message ? message->info.size_wire : 0;
}

/* check_room - may the account have so much more? */
static int check_room(const struct box *box, uint64_t bytes, size_t messages, uint64_t replaced)
{
    struct postern_quota usage;

    memory_usage(box->account, &usage);
    usage.bytes -= replaced;
    usage.messages -= replaced > 0;
    return (usage.bytes_max && usage.bytes + bytes > usage.bytes_max) ||
                   (usage.messages_max && usage.messages + messages > usage.messages_max)
               ? POSTERN_E_FULL
               : 0;
}

static int check(const struct box *box, struct postern_delivery **deliveries,
                 struct octets **octets, size_t count)
{
    uint64_t bytes = 0;

    if (box->dropped)
        return POSTERN_E_NOT_FOUND;
    for (size_t i = 0; i < count; i++)
        bytes += octets[i]->scan.size_wire;
    if (check_room(box, bytes, count, count == 1 ? size_replaced(deliveries[0]) : 0) < 0)
        return POSTERN_E_FULL;
    for (size_t i = 0; i < count; i++)
        if (deliveries[i]->unique[0] && unique_is_there(box, deliveries[i]->unique))
            return POSTERN_E_EXISTS;
    return 0;
}

int memory_commit(struct postern_delivery **deliveries, size_t count, uint32_t *uids_r)
{
    struct memory *memory = count ? deliveries[0]->mailbox->memory : NULL;
    struct box *box = count ? deliveries[0]->mailbox->box : NULL;
    struct octets **octets = calloc(count + 1, sizeof(struct octets *));
    int err = octets ? 0 : POSTERN_E_NOMEM;

    for (size_t i = 0; i < count && !err; i++)
        if (!(octets[i] = octets_of(deliveries[i])))
            err = POSTERN_E_NOMEM;
    if (memory)
        pthread_mutex_lock(&memory->mutex);
    if (!err && count)
        err = check(box, deliveries, octets, count);
    if (!err && count)
        err = box_room(box, count);
    if (!err && count == 1 && deliveries[0]->what.replaced)
        err = vanished_room(deliveries[0]->what.replaced_in->box, 1);
    for (size_t i = 0, modseq = box ? box->modseq + 1 : 0; i < count && !err; i++) {
        struct message *message = add(memory, box, modseq, octets[i]);

        describe(message, deliveries[i]);
        octets[i] = NULL;
        if (uids_r)
            uids_r[i] = message->info.uid;
    }
    if (!err && count)
        box_changed(memory, box);
    if (!err && count == 1 &&
        deliveries[0]->what.replaced) /* there is room to note it: it cannot fail */
        (void)expunge(memory, deliveries[0]->what.replaced_in->box, &deliveries[0]->what.replaced,
                      1);
    if (memory)
        pthread_mutex_unlock(&memory->mutex);
    for (size_t i = 0; i < count; i++) {
        if (octets)
            free(octets[i]);
        memory_abort(&deliveries[i]);
    }
    free(octets);
    return err;
}

/* ---- changing -------------------------------------------------------------------------------- */

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

        if (!message || (change->conditional && message->info.modseq > change->unchanged_since)) {
            if (skipped_r)
                skipped_r[skipped] = each[i];
            skipped++;
        } else if (flags_changed(change, &message->info.flags, &message->info.keywords)) {
            message->info.modseq = box->modseq = modseq;
            changed = true;
        }
    }
    if (changed)
        box_changed(mailbox->memory, box);
    pthread_mutex_unlock(&mailbox->memory->mutex);
    free(each);
    return box->dropped ? POSTERN_E_NOT_FOUND : skipped;
}

int memory_expunge(struct postern_mailbox *mailbox, const uint32_t *uids, size_t count)
{
    int err;

    pthread_mutex_lock(&mailbox->memory->mutex);
    err = expunge(mailbox->memory, mailbox->box, uids, count);
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
    return err || move ? err : check_room(to, bytes, count, 0);
}

static void copy_all(struct memory *memory, struct box *from, const uint32_t *uids, size_t count,
                     struct box *to, uint32_t *uids_r)
{
    uint64_t modseq = to->modseq + 1;

    for (size_t i = 0; i < count; i++) {
        struct message *old = box_find(from, uids[i]), *copy;
        struct postern_message_info info = old->info;

        atomic_fetch_add(&old->octets->references, 1);
        copy = add(memory, to, modseq, old->octets);
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
        err = vanished_room(from->box, count);
    if (!err && count) {
        copy_all(memory, from->box, uids, count, to->box, uids_r);
        box_changed(memory, to->box);
        if (move)
            err = expunge(memory, from->box, uids, count);
    }
    pthread_mutex_unlock(&memory->mutex);
    return err;
}
