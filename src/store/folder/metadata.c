/* SPDX-License-Identifier: MIT */
/* metadata - the annotations of an account and its mailboxes, told and changed. */
#include "store/folder/annotations.h"
#include "store/levels.h"
#include "store/metadata.h"

#include "base/span.h"

int folder_metadata(struct postern_account *account, struct postern_span mailbox,
                    int (*each)(void *ctx, const struct postern_metadata *one), void *ctx)
{
    struct buffer records = {0};
    int err = annotations_look(account, &mailbox, true, &records);

    if (!err)
        err = metadata_each(buffer_span(&records), mailbox, each, ctx);
    buffer_done(&records);
    return err;
}

/* raise_modseq - of a mailbox whose annotations change (RFC 7162 3.2). With the lock.
 * I 7162:3.2-3 */
static int raise_modseq(struct postern_account *account, struct postern_span mailbox)
{
    const struct index_mailbox *rows = mailbox_existing(account, mailbox);
    struct index_facts facts;
    struct buffer group = {0};

    if (!rows) /* a level: it has none */
        return 0;
    facts = rows->facts;
    facts.modseq++;
    group_facts(&group, &facts, rows->name, rows->dir);
    return index_commit(&account->index, &group, false, true);
}

int folder_set_metadata(struct postern_account *account, struct postern_span mailbox,
                        const struct postern_metadata *changes, size_t count)
{
    struct buffer before = {0}, after = {0};
    int err = annotations_change_begin(account, &mailbox, true, &before);

    if (err) {
        buffer_done(&before);
        return err;
    }
    err = metadata_change(buffer_span(&before), mailbox, changes, count, &after);
    if (!err && mailbox.n && !span_equal(buffer_span(&before), buffer_span(&after)))
        err = raise_modseq(account, mailbox);
    return annotations_change_end(account, mailbox, &before, &after, err);
}

/* drop_levels - what was above a mailbox that is gone, and is no level any more, has no
 * annotations. I 5464:4.1-3 */
static void drop_levels(struct postern_account *account, struct postern_span gone,
                        struct buffer *records)
{
    while (levels_up(&gone)) {
        struct buffer after = {0};

        if (mailbox_existing(account, gone) || annotations_is_level(account, gone))
            return;
        if (metadata_move(buffer_span(records), gone, (struct postern_span){NULL, 0}, &after)) {
            buffer_done(&after);
            return;
        }
        buffer_done(records);
        *records = after;
    }
}

void folder_move_metadata(struct postern_account *account, struct postern_span from,
                          struct postern_span to)
{
    struct buffer before = {0}, after = {0};
    int (*change)(struct postern_span all, struct postern_span from, struct postern_span to,
                  struct buffer * out) =
        span_equal(from, SPAN("INBOX")) && to.p ? metadata_copy : metadata_move;

    if (annotations_load(account, &before) == 0 &&
        change(buffer_span(&before), from, to, &after) == 0) {
        drop_levels(account, from, &after);
        (void)annotations_save_changed(account, &before, &after);
    }
    buffer_done(&before);
    buffer_done(&after);
}
