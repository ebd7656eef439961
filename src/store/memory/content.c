/* SPDX-License-Identifier: MIT */
/* content - one message: found by its unique-id, read, parsed. */
#include "store/memory/memory.h"
#include "store/structure.h"

#include "base/span.h"
#include <stdlib.h>

struct postern_content {
    struct octets *octets;
};

int memory_find(struct postern_mailbox *mailbox, struct postern_span unique_id,
                struct postern_entry *entry_r, uint32_t *uid_r)
{
    int err = memory_enter(mailbox);

    if (err)
        return err;
    err = POSTERN_E_NOT_FOUND;
    for (size_t i = 0; i < mailbox->box->count && err; i++) {
        const struct message *message = &mailbox->box->messages[i];

        if (!span_equal(postern_span_of(message->unique), unique_id))
            continue;
        *entry_r = (struct postern_entry){.size_bytes = message->info.size_wire,
                                          .uid_length = (uint8_t)unique_id.n,
                                          .flags = message_entry_flags(message)};
        *uid_r = message->info.uid;
        err = 0;
    }
    memory_leave(mailbox);
    return err;
}

int memory_unique_id(struct postern_mailbox *mailbox, uint32_t uid, char out[POSTERN_UID_MAX + 1])
{
    const struct message *message;
    int result = memory_enter(mailbox);

    if (result)
        return result;
    message = box_find(mailbox->box, uid);
    result = message ? (int)strlen(message->unique) : POSTERN_E_NOT_FOUND;
    if (message)
        memcpy(out, message->unique, (size_t)result + 1);
    memory_leave(mailbox);
    return result;
}

int memory_message(struct postern_mailbox *mailbox, uint32_t uid, unsigned flags,
                   struct postern_content **content_r, struct postern_facts *facts_r)
{
    struct postern_content *content;
    const struct message *message;
    int err = memory_enter(mailbox);

    (void)flags;
    if (err)
        return err;
    message = box_find(mailbox->box, uid);
    content = message ? malloc(sizeof *content) : NULL;
    if (content) {
        atomic_fetch_add(&message->octets->references, 1);
        content->octets = message->octets;
        *facts_r = (struct postern_facts){.size_raw = message->octets->n,
                                          .size_wire = message->octets->scan.size_wire,
                                          .wire_clean = message->octets->scan.wire_clean,
                                          .fd = -1};
        *content_r = content;
    }
    memory_leave(mailbox);
    return content ? 0 : message ? POSTERN_E_NOMEM : POSTERN_E_NOT_FOUND;
}

int memory_read(struct postern_content *content, uint64_t offset, char *out, size_t n)
{
    const struct octets *octets = content->octets;

    if (offset >= octets->n)
        return 0;
    if (n > octets->n - offset)
        n = octets->n - (size_t)offset;
    if (n > INT32_MAX)
        n = INT32_MAX;
    memcpy(out, octets->bytes + offset, n);
    return (int)n;
}

void memory_content_close(struct postern_content **content)
{
    if (!content || !*content)
        return;
    octets_unref((*content)->octets);
    free(*content);
    *content = NULL;
}

int memory_structure(struct postern_mailbox *mailbox, uint32_t uid, unsigned flags,
                     struct postern_span *block_r)
{
    struct postern_content *content = NULL;
    struct postern_facts facts;
    int err = memory_message(mailbox, uid, flags, &content, &facts);

    if (err)
        return err;
    err = structure_of(content, memory_read, facts.size_raw, block_r);
    memory_content_close(&content);
    return err;
}

/* memory_structures - all are at hand as soon as they are parsed. */
int memory_structures(struct postern_mailbox *mailbox, const uint32_t *uids, size_t count,
                      unsigned flags, char *room, size_t size, struct postern_structure *all_r)
{
    int n = 0;

    for (size_t i = 0; i < count; i++, n++) {
        struct postern_span block;
        int err = memory_structure(mailbox, uids[i], flags, &block);
        bool fits = !err && block.n <= size;

        if (fits) {
            memcpy(room, block.p, block.n);
            all_r[i] = (struct postern_structure){uids[i], span_make(room, block.n)};
            room += block.n;
            size -= block.n;
        }
        if (!err)
            free((char *)(uintptr_t)block.p);
        if (!fits)
            break;
    }
    return n;
}
