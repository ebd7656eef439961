/* SPDX-License-Identifier: MIT */
/* view - what an open mailbox shows of its messages, present and vanished, and of its keywords. */
#include "store/memory/memory.h"

#include "base/span.h"

uint8_t message_entry_flags(const struct message *message)
{
    return message->octets->scan.utf8_header ? POSTERN_ENTRY_UTF8 : 0;
}

static int make_snapshot(struct box *box)
{
    struct snapshot_builder *builder;
    int err = snapshot_builder_new(&builder, box->count);

    for (size_t i = 0; !err && i < box->count; i++)
        err = snapshot_builder_add(builder, postern_span_of(box->messages[i].unique),
                                   box->messages[i].info.uid, box->messages[i].info.size_wire,
                                   message_entry_flags(&box->messages[i]));
    if (err) {
        snapshot_builder_free(&builder);
        return err;
    }
    box->snapshot = snapshot_builder_end(&builder);
    return 0;
}

int memory_snapshot(struct postern_mailbox *mailbox, unsigned flags,
                    struct postern_snapshot **snapshot_r)
{
    int err = memory_enter(mailbox);

    (void)flags;
    if (err)
        return err;
    if (!mailbox->box->snapshot)
        err = make_snapshot(mailbox->box);
    if (!err)
        *snapshot_r = postern_snapshot_ref(mailbox->box->snapshot);
    memory_leave(mailbox);
    return err;
}

int memory_refresh(struct postern_mailbox *mailbox, unsigned flags, struct postern_status *status_r)
{
    int err = memory_enter(mailbox);

    (void)flags;
    if (err)
        return err;
    memory_status_of(mailbox->box, status_r);
    memory_leave(mailbox);
    return 0;
}

int memory_recent(struct postern_mailbox *mailbox, uint32_t *from_r)
{
    int err = memory_enter(mailbox);

    if (err)
        return err;
    *from_r = mailbox->box->recent_from ? mailbox->box->recent_from : 1;
    mailbox->box->recent_from = mailbox->box->uid_next;
    memory_leave(mailbox);
    return 0;
}

int memory_ranges(struct postern_mailbox *mailbox, struct postern_uid_range *ranges_r, size_t room)
{
    const struct box *box = mailbox->box;
    size_t count = 0;
    int err = memory_enter(mailbox);

    if (err)
        return err;
    for (size_t i = 0; i < box->count; i++) {
        uint32_t uid = box->messages[i].info.uid;

        if (i == 0 || box->messages[i - 1].info.uid != uid - 1)
            count++;
        if (count <= room) {
            if (i == 0 || box->messages[i - 1].info.uid != uid - 1)
                ranges_r[count - 1].first = uid;
            ranges_r[count - 1].last = uid;
        }
    }
    memory_leave(mailbox);
    return (int)count;
}

int memory_first_unseen(struct postern_mailbox *mailbox, uint32_t *uid_r)
{
    const struct box *box = mailbox->box;
    size_t at = 0;
    int err = memory_enter(mailbox);

    if (err)
        return err;
    while (at < box->count && box->messages[at].info.flags & POSTERN_FLAG_SEEN)
        at++;
    *uid_r = at < box->count ? box->messages[at].info.uid : 0;
    memory_leave(mailbox);
    return 0;
}

int memory_each(struct postern_mailbox *mailbox, struct postern_uid_range range, uint64_t since,
                int (*each)(void *ctx, const struct postern_message_info *info), void *ctx)
{
    int result = memory_enter(mailbox);

    if (result)
        return result;
    for (size_t i = 0; i < mailbox->box->count && !result; i++) {
        const struct postern_message_info *info = &mailbox->box->messages[i].info;

        if (info->uid >= range.first && info->uid <= range.last && info->modseq > since)
            result = each(ctx, info);
    }
    memory_leave(mailbox);
    return result;
}

int memory_vanished(struct postern_mailbox *mailbox, uint64_t since,
                    int (*each)(void *ctx, struct postern_uid_range range), void *ctx)
{
    int result = memory_enter(mailbox);

    if (result)
        return result;
    for (size_t i = 0; i < mailbox->box->vanished_count && !result; i++) {
        const struct vanished *gone = &mailbox->box->vanished[i];

        if (gone->modseq > since)
            result = each(ctx, (struct postern_uid_range){gone->uid, gone->uid});
    }
    memory_leave(mailbox);
    return result;
}

int memory_keyword(struct postern_mailbox *mailbox, struct postern_span name, bool make)
{
    char **keywords = mailbox->box->keywords;
    int number = 0, err;

    if (!keyword_is_good(name))
        return POSTERN_E_SYNTAX;
    err = memory_enter(mailbox);
    if (err)
        return err;
    while (number < POSTERN_KEYWORDS_MAX && keywords[number] &&
           !span_equal_nocase(postern_span_of(keywords[number]), name))
        number++;
    if (number == POSTERN_KEYWORDS_MAX)
        number = make ? POSTERN_E_FULL : POSTERN_E_NOT_FOUND;
    else if (!keywords[number] && !make)
        number = POSTERN_E_NOT_FOUND;
    else if (!keywords[number] && !(keywords[number] = strndup(name.p, name.n)))
        number = POSTERN_E_NOMEM;
    memory_leave(mailbox);
    return number;
}

int memory_keyword_name(struct postern_mailbox *mailbox, unsigned number,
                        struct postern_span *name_r)
{
    if (number >= POSTERN_KEYWORDS_MAX || !mailbox->box->keywords[number])
        return POSTERN_E_NOT_FOUND;
    *name_r = postern_span_of(mailbox->box->keywords[number]);
    return 0;
}
