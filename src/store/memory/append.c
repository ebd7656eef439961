/* SPDX-License-Identifier: MIT */
/* append - messages delivered: written first, then all that are committed together appear at once.
 */
#include "store/memory/memory.h"

#include "base/span.h"
#include <stdlib.h>

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

static void describe(struct message *message, const struct postern_delivery *delivery)
{
    message->info.flags = delivery->what.flags & POSTERN_FLAGS_ALL;
    message->info.keywords = delivery->what.keywords;
    if (delivery->what.date_s)
        message->info.date_s = delivery->what.date_s;
    if (delivery->unique[0])
        memcpy(message->unique, delivery->unique, sizeof message->unique);
}

/* replaces - a message that goes when this one comes; only one that is committed alone can. */
static bool replaces(struct postern_delivery *const *deliveries, size_t count)
{
    return count == 1 && deliveries[0]->what.replaced;
}

/* size_replaced - 0: it is gone already. */
static uint64_t size_replaced(const struct postern_delivery *delivery)
{
    const struct message *message =
        box_find(delivery->what.replaced_in->box, delivery->what.replaced);

    return message ? message->info.size_wire : 0;
}

static int check(const struct box *box, struct postern_delivery **deliveries,
                 struct octets **octets, size_t count)
{
    uint64_t bytes = 0;

    if (box->dropped)
        return POSTERN_E_NOT_FOUND;
    for (size_t i = 0; i < count; i++)
        bytes += octets[i]->scan.size_wire;
    if (account_check_room(box->account, bytes, count,
                           replaces(deliveries, count) ? size_replaced(deliveries[0]) : 0) < 0)
        return POSTERN_E_FULL;
    for (size_t i = 0; i < count; i++)
        if (deliveries[i]->unique[0] && unique_is_there(box, deliveries[i]->unique))
            return POSTERN_E_EXISTS;
    return 0;
}

/* make_room - so that nothing can fail once the first message is in. */
static int make_room(struct box *box, struct postern_delivery **deliveries, size_t count)
{
    int err = box_room(box, count);

    if (!err && replaces(deliveries, count))
        err = box_vanished_room(deliveries[0]->what.replaced_in->box, 1);
    return err;
}

/* add_all - takes the octets. */
static void add_all(struct box *box, struct postern_delivery **deliveries, struct octets **octets,
                    size_t count, uint32_t *uids_r)
{
    uint64_t modseq = box->modseq + 1;

    for (size_t i = 0; i < count; i++) {
        struct message *message = box_add(box, modseq, octets[i]);

        describe(message, deliveries[i]);
        octets[i] = NULL;
        if (uids_r)
            uids_r[i] = message->info.uid;
    }
    box_changed(box);
    if (replaces(deliveries, count))
        (void)box_expunge(deliveries[0]->what.replaced_in->box, &deliveries[0]->what.replaced, 1);
}

static int commit_all(struct postern_delivery **deliveries, struct octets **octets, size_t count,
                      uint32_t *uids_r)
{
    struct postern_mailbox *mailbox = deliveries[0]->mailbox;
    int err;

    pthread_mutex_lock(&mailbox->memory->mutex);
    err = check(mailbox->box, deliveries, octets, count);
    if (!err)
        err = make_room(mailbox->box, deliveries, count);
    if (!err)
        add_all(mailbox->box, deliveries, octets, count, uids_r);
    pthread_mutex_unlock(&mailbox->memory->mutex);
    return err;
}

int memory_commit(struct postern_delivery **deliveries, size_t count, uint32_t *uids_r)
{
    struct octets **octets = calloc(count + 1, sizeof(struct octets *));
    int err = octets ? 0 : POSTERN_E_NOMEM;

    for (size_t i = 0; i < count && !err; i++)
        if (!(octets[i] = octets_of(deliveries[i])))
            err = POSTERN_E_NOMEM;
    if (!err && count)
        err = commit_all(deliveries, octets, count, uids_r);
    for (size_t i = 0; i < count; i++) {
        if (octets)
            free(octets[i]);
        memory_abort(&deliveries[i]);
    }
    free(octets);
    return err;
}
