/* SPDX-License-Identifier: MIT */
/* handles - a mailbox that is open. Many may have it open; one of them may lock it. */
#include "store/memory/memory.h"

#include "base/span.h"
#include <stdlib.h>

static struct postern_mailbox *handle_make(struct memory *memory, struct box *box)
{
    struct postern_mailbox *mailbox = calloc(1, sizeof *mailbox);

    if (!mailbox)
        return NULL;
    *mailbox = (struct postern_mailbox){.memory = memory, .box = box};
    box->handles++;
    return mailbox;
}

int memory_open(struct postern_account *account, struct postern_span name, unsigned flags,
                struct postern_mailbox **mailbox_r)
{
    struct memory *memory = account->memory;
    struct postern_mailbox *mailbox = NULL;
    struct box *box;
    int err = name_check(&name);

    if (!err && flags & POSTERN_STORE_CREATE) {
        err = memory_create(account, name, POSTERN_SPECIAL_NONE);
        err = err == POSTERN_E_EXISTS ? 0 : err;
    }
    if (err)
        return err;
    pthread_mutex_lock(&memory->mutex);
    box = box_named(account, name);
    if (!box || !box->exists)
        err = POSTERN_E_NOT_FOUND;
    else if (!(mailbox = handle_make(memory, box)))
        err = POSTERN_E_NOMEM;
    pthread_mutex_unlock(&memory->mutex);
    if (!err)
        *mailbox_r = mailbox;
    return err;
}

void memory_unlock(struct postern_mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->memory->mutex);
    if (mailbox->has_lock)
        mailbox->box->locked = false;
    mailbox->has_lock = false;
    pthread_mutex_unlock(&mailbox->memory->mutex);
}

int memory_lock(struct postern_mailbox *mailbox)
{
    int err = 0;

    pthread_mutex_lock(&mailbox->memory->mutex);
    if (mailbox->box->locked && !mailbox->has_lock)
        err = POSTERN_E_IN_USE;
    else
        mailbox->box->locked = mailbox->has_lock = true;
    pthread_mutex_unlock(&mailbox->memory->mutex);
    return err;
}

void memory_close(struct postern_mailbox **mailbox)
{
    struct memory *memory;
    struct box *box;

    if (!mailbox || !*mailbox)
        return;
    memory_unlock(*mailbox);
    memory = (*mailbox)->memory;
    box = (*mailbox)->box;
    pthread_mutex_lock(&memory->mutex);
    if (--box->handles == 0 && box->dropped)
        box_free(box);
    pthread_mutex_unlock(&memory->mutex);
    free(*mailbox);
    *mailbox = NULL;
}

/* memory_enter - the mutex; let go again when the mailbox is gone. */
int memory_enter(struct postern_mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->memory->mutex);
    if (!mailbox->box->dropped)
        return 0;
    pthread_mutex_unlock(&mailbox->memory->mutex);
    return POSTERN_E_NOT_FOUND;
}

void memory_leave(struct postern_mailbox *mailbox)
{
    pthread_mutex_unlock(&mailbox->memory->mutex);
}
