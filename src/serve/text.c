/* SPDX-License-Identifier: MIT */
/* text - what an engine gathers of each message becomes a text of the index. A slice of them is one
 * transaction; what cannot be read, or is too long, is noted as not known. */
#include "serve/text.h"

#include "base/span.h"
#include "serve/clock.h"
#include "proto/imap/gather.h"
#include "store/text/text_index.h"
#include <stdlib.h>

#define PIECE_BYTES 65536
#define SLICE_MESSAGES 1000
#define MESSAGE_BYTES_MAX 4194304 /* longer ones are read by each search */
#define GONE_MOST 1000 /* texts of messages that are gone, besides as many as there are */

/* struct bringing - a mailbox whose texts are brought into the index. */
struct bringing {
    const struct postern_store_ops *ops;
    struct postern_mailbox *mailbox;
    struct text_index *index;
    struct text_box box;
    struct postern_status status;
    uint32_t upto;
    uint32_t uids[SLICE_MESSAGES];
    size_t uid_count;
    char piece[PIECE_BYTES];
};

/* ---- one message ----------------------------------------------------------------------------- */

/* gather_content - all of an open message. */
static int gather_content(struct bringing *b, struct postern_content *content,
                          struct postern_span block, struct buffer *text_r)
{
    struct text_gather *gather;
    uint64_t offset = 0;
    int n, err = gather_new(&gather, block), ended;

    if (err)
        return err;
    while ((n = b->ops->read(content, offset, b->piece, sizeof b->piece)) > 0) {
        gather_feed(gather, span_make(b->piece, (size_t)n));
        offset += (uint64_t)n;
    }
    ended = gather_end(&gather, text_r);
    if (n < 0 && !ended)
        buffer_done(text_r);
    return n < 0 ? n : ended;
}

static int gather_message(struct bringing *b, uint32_t uid, struct buffer *text_r)
{
    struct postern_span block = {NULL, 0};
    struct postern_content *content = NULL;
    struct postern_facts facts;
    int err = b->ops->structure(b->mailbox, uid, 0, &block);

    if (!err)
        err = b->ops->message(b->mailbox, uid, 0, &content, &facts);
    if (!err)
        err = facts.size_raw > MESSAGE_BYTES_MAX ? POSTERN_E_TOO_LONG
                                                 : gather_content(b, content, block, text_r);
    if (content)
        b->ops->content_close(&content);
    free((char *)(uintptr_t)block.p);
    return err;
}

static int bring_one(struct bringing *b, uint32_t uid)
{
    struct buffer text = {0};
    int err = gather_message(b, uid, &text);

    if (err == POSTERN_E_NOMEM)
        return err;
    if (err)
        err = text_index_add(b->index, &b->box, uid, (struct postern_span){NULL, 0});
    else
        err = text_index_add(b->index, &b->box, uid, text.data ? buffer_span(&text) : SPAN(""));
    buffer_done(&text);
    return err;
}

/* ---- a mailbox ------------------------------------------------------------------------------- */

static int note_uid(void *ctx, const struct postern_message_info *info)
{
    struct bringing *b = ctx;

    b->uids[b->uid_count++] = info->uid;
    return b->uid_count == SLICE_MESSAGES;
}

/* bring_slice - texts into the index until the time `end`, at least one. 1: all are in. */
static int bring_slice(struct bringing *b, postern_time end)
{
    size_t i = 0;
    int err;

    b->uid_count = 0;
    err = b->ops->each(b->mailbox, (struct postern_uid_range){b->upto + 1, UINT32_MAX}, 0, note_uid,
                       b);
    if (err < 0)
        return err;
    err = text_index_begin(b->index);
    for (; !err && i < b->uid_count && (i == 0 || clock_now() < end); i++) {
        err = bring_one(b, b->uids[i]);
        b->upto = b->uids[i];
    }
    if (err) {
        text_index_abort(b->index);
        return err;
    }
    if (i == b->uid_count && b->uid_count < SLICE_MESSAGES)
        b->upto = b->status.uid_next - 1; /* those between are gone */
    err = text_index_commit(b->index, &b->box, b->upto);
    if (err)
        text_index_abort(b->index);
    return err ? err : b->upto + 1 >= b->status.uid_next;
}

/* forget_gone - where most texts are of messages that are gone, all begin anew. */
static int forget_gone(struct bringing *b, uint64_t count)
{
    int err;

    if (count <= 2 * (uint64_t)b->status.messages + GONE_MOST)
        return 0;
    err = text_index_clear(b->index);
    b->upto = err ? b->upto : 0;
    return err;
}

static int bring(struct bringing *b, postern_time budget)
{
    postern_time end = budget == POSTERN_NEVER ? POSTERN_NEVER : clock_now() + budget;
    uint64_t count;
    int r = text_index_upto(b->index, &b->box, &b->upto, &count);

    if (!r)
        r = forget_gone(b, count);
    if (r)
        return r;
    if (b->upto + 1 >= b->status.uid_next)
        return 1;
    do
        r = bring_slice(b, end);
    while (r == 0 && clock_now() < end);
    return r;
}

/* begin - the mailbox as it is now, and the index beside it. */
static int begin(const struct postern_store_ops *ops, struct postern_mailbox *mailbox,
                 struct bringing **bringing_r)
{
    struct bringing *b;
    char path[4096];
    int err = ops->cache_path ? ops->cache_path(mailbox, path, sizeof path) : POSTERN_E_UNSUPPORTED;

    if (err)
        return err;
    b = calloc(1, sizeof *b);
    if (!b)
        return POSTERN_E_NOMEM;
    b->ops = ops;
    b->mailbox = mailbox;
    err = ops->refresh(mailbox, 0, &b->status);
    if (!err && !b->status.id)
        err = POSTERN_E_UNSUPPORTED;
    if (!err)
        err = text_index_open(&b->index, path);
    b->box = (struct text_box){b->status.id, b->status.uid_validity};
    if (err)
        free(b);
    else
        *bringing_r = b;
    return err;
}

static void end(struct bringing *b)
{
    text_index_close(&b->index);
    free(b);
}

int text_bring_up(const struct postern_store_ops *ops, struct postern_mailbox *mailbox,
                  postern_time budget)
{
    struct bringing *b = NULL;
    int r = begin(ops, mailbox, &b);

    if (r)
        return r;
    r = bring(b, budget);
    end(b);
    return r;
}

int text_look_up(const struct postern_store_ops *ops, struct postern_mailbox *mailbox,
                 postern_time budget, struct postern_span text, struct buffer *ranges_r)
{
    struct bringing *b = NULL;
    int r = begin(ops, mailbox, &b);

    if (r)
        return r;
    r = bring(b, budget);
    if (r >= 0 || r == POSTERN_E_AGAIN || r == POSTERN_E_FULL)
        r = text_index_find(b->index, &b->box, text, ranges_r);
    end(b);
    return r;
}
