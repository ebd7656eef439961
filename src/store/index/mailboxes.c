/* SPDX-License-Identifier: MIT */
/* mailboxes - those of an index, made and freed. */
#include "store/index/index.h"

#include "base/span.h"
#include <stdlib.h>

struct index_mailbox *index_mailbox_of(const struct index *index, uint64_t id)
{
    for (size_t i = 0; i < index->count; i++)
        if (index->mailboxes[i]->facts.id == id)
            return index->mailboxes[i];
    return NULL;
}

struct index_mailbox *index_mailbox_named(const struct index *index, struct postern_span name)
{
    for (size_t i = 0; i < index->count; i++)
        if (span_equal(index->mailboxes[i]->name, name))
            return index->mailboxes[i];
    return NULL;
}

struct index_mailbox *index_mailbox_add(struct index *index, uint64_t id)
{
    struct index_mailbox *mailbox;

    if (index->count == index->room) {
        size_t room = index->room ? index->room * 2 : 4;
        struct index_mailbox **all = realloc(index->mailboxes, room * sizeof(void *));

        if (!all)
            return NULL;
        index->mailboxes = all;
        index->room = room;
    }
    mailbox = calloc(1, sizeof *mailbox);
    if (!mailbox)
        return NULL;
    mailbox->facts.id = id;
    mailbox->extra.plain = true;
    mailbox->changes = index->loads << 40; /* differs from what another load counted */
    if (index->next_id <= id)
        index->next_id = id + 1;
    index->mailboxes[index->count++] = mailbox;
    return mailbox;
}

void index_mailbox_free(struct index_mailbox *mailbox)
{
    free(mailbox->seen_whole);
    recent_forget(mailbox);
    for (unsigned i = 0; i < mailbox->keyword_count; i++)
        free((char *)mailbox->keywords[i].p);
    free(mailbox->keywords);
    free((char *)mailbox->name.p);
    free(mailbox->tail);
    free(mailbox->runs);
    free(mailbox->history);
    buffer_done(&mailbox->extra);
    buffer_done(&mailbox->doomed);
    free(mailbox);
}

void index_mailbox_drop(struct index *index, uint64_t id)
{
    for (size_t i = 0; i < index->count; i++)
        if (index->mailboxes[i]->facts.id == id) {
            index_mailbox_free(index->mailboxes[i]);
            index->mailboxes[i] = index->mailboxes[--index->count];
            return;
        }
}
