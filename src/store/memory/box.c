/* SPDX-License-Identifier: MIT */
/* box - the mailboxes of an account, as a list, and their messages, as an array in order of UID. */
#include "store/memory/memory.h"

#include "base/span.h"
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

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

static void ring(int event)
{
    uint64_t one = 1;
    ssize_t n = write(event, &one, sizeof one);

    (void)n; /* full: it is readable as it is */
}

void account_changed(struct postern_account *account)
{
    for (struct postern_watch *each = account->watches; each; each = each->next)
        ring(each->event);
}

void box_changed(struct memory *memory, struct box *box)
{
    account_changed(box->account);
    postern_snapshot_unref(&box->snapshot);
    for (struct postern_mailbox *each = memory->handles; each; each = each->next)
        if (each->box == box && each->event >= 0)
            ring(each->event);
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

void box_expunge(struct box *box, uint32_t uid, uint64_t modseq)
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
