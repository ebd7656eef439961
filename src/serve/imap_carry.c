/* SPDX-License-Identifier: MIT */
/* imap_carry - messages to a mailbox of another account, or without some of their flags: each is
 * read and written anew, then all are committed as one set. A move deletes them here after that, so
 * what goes wrong in between leaves two copies and never none. */
#include "serve/imap_session.h"

#include "base/memory.h"
#include "base/span.h"

#define CARRY_BYTES 65536

/* struct carry - on its way. */
struct carry {
    struct serve_imap *s;
    struct postern_mailbox *from, *to;
    struct postern_delivery **deliveries;
    struct postern_message_info info; /* of the one at hand */
};

static int note_info(void *ctx, const struct postern_message_info *info)
{
    ((struct carry *)ctx)->info = *info;
    return 1;
}

/* map_keywords - by their names, which the other mailbox numbers otherwise. */
static int map_keywords(struct carry *carry, uint64_t *keywords_r)
{
    const struct postern_store_ops *ops = imap_ops(carry->s);

    for (unsigned i = 0; i < POSTERN_KEYWORDS_MAX; i++) {
        struct postern_span name;
        int number;

        if (!(carry->info.keywords >> i & 1) || ops->keyword_name(carry->from, i, &name) < 0)
            continue;
        number = ops->keyword(carry->to, name, true);
        if (number < 0)
            return number;
        *keywords_r |= UINT64_C(1) << number;
    }
    return 0;
}

static int carry_octets(struct carry *carry, uint32_t uid, struct postern_delivery *delivery)
{
    const struct postern_store_ops *ops = imap_ops(carry->s);
    char *bytes = memory_resize(NULL, NULL, CARRY_BYTES);
    struct postern_content *content = NULL;
    struct postern_facts facts;
    uint64_t offset = 0;
    int n, err = bytes ? ops->message(carry->from, uid, 0, &content, &facts) : POSTERN_E_NOMEM;

    while (!err && (n = ops->read(content, offset, bytes, CARRY_BYTES)) != 0) {
        err = n < 0 ? n : ops->write(delivery, span_make(bytes, (size_t)n));
        offset += n > 0 ? (uint64_t)n : 0;
    }
    ops->content_close(&content);
    memory_free(NULL, bytes);
    return err;
}

static int carry_one(struct carry *carry, uint32_t uid, struct postern_delivery **delivery_r)
{
    const struct postern_imap_question *q = &carry->s->question;
    const struct postern_store_ops *ops = imap_ops(carry->s);
    struct postern_new_message what = {0};
    int r = ops->each(carry->from, (struct postern_uid_range){uid, uid}, 0, note_info, carry);

    if (r <= 0)
        return r < 0 ? r : POSTERN_E_NOT_FOUND;
    what.flags = carry->info.flags & ~q->kept_flags;
    what.date_s = carry->info.date_s;
    r = q->kept_keywords ? 0 : map_keywords(carry, &what.keywords);
    if (!r)
        r = ops->begin(carry->to, &what, delivery_r);
    return r ? r : carry_octets(carry, uid, *delivery_r);
}

int imap_carry(struct serve_imap *s, struct postern_mailbox *to, uint32_t *uids_r)
{
    const struct postern_imap_question *q = &s->question;
    const struct postern_store_ops *ops = imap_ops(s);
    struct carry carry = {.s = s, .from = s->mailbox, .to = to};
    int err = 0;

    carry.deliveries = memory_new(NULL, (q->uid_count + 1) * sizeof(struct postern_delivery *));
    if (!carry.deliveries)
        return POSTERN_E_NOMEM;
    for (size_t i = 0; i < q->uid_count && !err; i++)
        err = carry_one(&carry, q->uids[i], &carry.deliveries[i]);
    if (!err) {
        err = ops->commit(carry.deliveries, q->uid_count, uids_r);
    } else {
        for (size_t i = 0; i < q->uid_count; i++)
            if (carry.deliveries[i])
                ops->abort(&carry.deliveries[i]);
    }
    memory_free(NULL, carry.deliveries);
    if (!err && q->on)
        err = ops->expunge(s->mailbox, q->uids, q->uid_count);
    return err;
}
