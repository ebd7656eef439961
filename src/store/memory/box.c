/* SPDX-License-Identifier: MIT */
/* box - the mailboxes of an account, as a list, and their messages, as an array in order of UID. */
#include "store/memory/memory.h"

#include "base/span.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct box *box_named(const struct postern_account *account, struct postern_span name)
{
    struct box *box = account->boxes;

    while (box && !span_equal(postern_span_of(box->name), name))
        box = box->next;
    return box;
}

static uint32_t validity_after(const struct postern_account *account)
{
    uint32_t validity = (uint32_t)time(NULL);

    for (const struct box *box = account->boxes; box; box = box->next)
        if (box->uid_validity >= validity)
            validity = box->uid_validity + 1;
    return validity;
}

struct box *box_make(struct postern_account *account, struct postern_span name)
{
    struct box *box = calloc(1, sizeof *box);

    if (!box || !(box->name = strndup(name.p, name.n))) {
        free(box);
        return NULL;
    }
    box->account = account;
    box->id = ++account->memory->number;
    box->modseq = 1;
    box->uid_validity = validity_after(account);
    box->uid_next = 1;
    box->exists = true;
    box->next = account->boxes;
    account->boxes = box;
    return box;
}

void octets_unref(struct octets *octets)
{
    if (atomic_fetch_sub(&octets->references, 1) == 1)
        free(octets);
}

void box_free(struct box *box)
{
    for (size_t i = 0; i < box->count; i++)
        octets_unref(box->messages[i].octets);
    for (unsigned i = 0; i < POSTERN_KEYWORDS_MAX; i++)
        free(box->keywords[i]);
    postern_snapshot_unref(&box->snapshot);
    free(box->messages);
    free(box->vanished);
    free(box->name);
    free(box);
}

void box_drop(struct box *box)
{
    struct box **at = &box->account->boxes;

    while (*at != box)
        at = &(*at)->next;
    *at = box->next;
    box->dropped = true;
    box->exists = false;
    if (box->handles == 0)
        box_free(box);
}

struct message *box_find(const struct box *box, uint32_t uid)
{
    for (size_t i = 0; i < box->count; i++)
        if (box->messages[i].info.uid == uid)
            return &box->messages[i];
    return NULL;
}

int box_room(struct box *box, size_t count)
{
    size_t room = box->room ? box->room : 8;
    struct message *messages;

    while (room < box->count + count)
        room *= 2;
    if (room == box->room)
        return 0;
    messages = realloc(box->messages, room * sizeof *messages);
    if (!messages)
        return POSTERN_E_NOMEM;
    box->messages = messages;
    box->room = room;
    return 0;
}

/* I 7162:3.1-5 I 8508:4.6-1 */
struct message *box_add(struct box *box, uint64_t modseq, struct octets *octets)
{
    struct message *message = &box->messages[box->count++];

    *message = (struct message){.octets = octets};
    message->info.uid = box->uid_next++;
    message->info.modseq = box->modseq = modseq;
    message->info.size_wire = octets->scan.size_wire;
    message->info.date_s = message->info.saved_s = time(NULL);
    message->info.email_id = ++box->account->memory->number;
    snprintf(message->unique, sizeof message->unique, "m%llu",
             (unsigned long long)message->info.email_id);
    return message;
}

int box_vanished_room(struct box *box, size_t count)
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

static void expunge_one(struct box *box, uint32_t uid, uint64_t modseq)
{
    struct message *message = box_find(box, uid);

    if (!message)
        return;
    octets_unref(message->octets);
    memmove(message, message + 1,
            (size_t)(box->messages + box->count - (message + 1)) * sizeof *message);
    box->count--;
    box->modseq = modseq;
    box->vanished[box->vanished_count++] = (struct vanished){modseq, uid};
}

/* I 7162:3.2-1 */
int box_expunge(struct box *box, const uint32_t *uids, size_t count)
{
    uint64_t modseq = box->modseq + 1;
    int err = box->dropped ? POSTERN_E_NOT_FOUND : box_vanished_room(box, count);

    for (size_t i = 0; i < count && !err; i++)
        expunge_one(box, uids[i], modseq);
    if (!err && box->modseq == modseq)
        box_changed(box);
    return err;
}
