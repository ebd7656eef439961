/* SPDX-License-Identifier: MIT */
/* imap_change - STORE, COPY and EXPUNGE: messages changed, copied or moved, deleted. */
#include "serve/imap_session.h"

#include "base/span.h"
#include "store/space.h"

/* are_all_made - a mailbox has no more keywords than this: that is a limit, and no lack of room. */
static bool are_all_made(struct serve_imap *s, struct postern_mailbox *mailbox)
{
    struct postern_span last;

    return imap_ops(s)->keyword_name(mailbox, POSTERN_KEYWORDS_MAX - 1, &last) == 0;
}

/* I 2.3.2-3 */
int imap_keyword_bits(struct serve_imap *s, struct postern_mailbox *mailbox, bool make,
                      uint64_t *bits_r)
{
    *bits_r = 0;
    for (size_t i = 0; i < s->question.keyword_count; i++) {
        int number = imap_ops(s)->keyword(mailbox, s->question.keywords[i], make);

        if (number == POSTERN_E_FULL && are_all_made(s, mailbox))
            return POSTERN_E_TOO_LONG;
        if (number < 0 && (make || number != POSTERN_E_NOT_FOUND))
            return number;
        if (number >= 0)
            *bits_r |= UINT64_C(1) << number;
    }
    return 0;
}

static int store_work(struct serve_imap *s, unsigned wait_flag)
{
    const struct postern_imap_question *q = &s->question;
    struct postern_flags_change change = {.how = q->how,
                                          .flags = q->flags,
                                          .conditional = q->conditional,
                                          .kept_flags = q->kept_flags,
                                          .kept_keywords = q->kept_keywords,
                                          .unchanged_since = q->since};
    int err = imap_keyword_bits(s, s->mailbox, q->how != POSTERN_FLAGS_REMOVE, &change.keywords), n;
    uint32_t *skipped;

    (void)wait_flag;
    skipped =
        err ? NULL : (uint32_t *)(void *)buffer_room(&s->uids, q->uid_count * sizeof *skipped + 1);
    if (!skipped)
        return err ? err : POSTERN_E_NOMEM;
    n = imap_ops(s)->flags(s->mailbox, q->uids, q->uid_count, &change, skipped);
    if (n > 0)
        buffer_commit(&s->uids, (size_t)n * sizeof *skipped);
    return n < 0 ? n : 0;
}

void imap_finish_uids(struct serve_imap *s, int err)
{
    struct postern_span uids = buffer_span(&s->uids), names[POSTERN_KEYWORDS_MAX];

    if (err < 0)
        login_log_error(&s->login, "change", err);
    if (!err && s->question.kind == POSTERN_IMAP_STORE)
        imap_learn(s, s->mailbox, names);
    postern_imap_answer_uids(s->engine, s->question.id, err, s->uid_validity,
                             (const uint32_t *)(const void *)uids.p, uids.n / sizeof(uint32_t));
    buffer_done(&s->uids);
}

uint32_t *imap_room_for(struct serve_imap *s, size_t count)
{
    uint32_t *uids = (uint32_t *)(void *)buffer_room(&s->uids, count * sizeof *uids + 1);

    if (uids)
        buffer_commit(&s->uids, count * sizeof *uids);
    return uids;
}

static int add_size(void *ctx, const struct postern_message_info *info)
{
    *(uint64_t *)ctx += info->size_wire;
    return 0;
}

uint64_t imap_sizes(const struct serve_imap *s, const uint32_t *uids, size_t count)
{
    uint64_t octets = 0;

    for (size_t i = 0; i < count; i++)
        imap_ops(s)->each(s->mailbox, (struct postern_uid_range){uids[i], uids[i]}, 0, add_size,
                          &octets);
    return octets;
}

int imap_fits_disk(const struct serve_imap *s, uint64_t octets)
{
    return space_for(s->site->space, octets, 0) ? POSTERN_E_AGAIN : 0;
}

bool imap_is_at_home(const struct serve_imap *s, struct postern_span owner)
{
    return span_equal(buffer_span(&s->mailbox_owner), owner);
}

static bool is_carried(const struct serve_imap *s, const struct imap_place *place)
{
    return !imap_is_at_home(s, place->owner) || s->question.kept_flags || s->question.kept_keywords;
}

/* I 2.3.3-2 I 6.4.7-1 I 6.4.8-2 */
static int copy_work(struct serve_imap *s, unsigned wait_flag)
{
    const struct postern_store_ops *ops = imap_ops(s);
    const struct postern_imap_question *q = &s->question;
    struct postern_mailbox *to = NULL;
    struct postern_status status;
    struct imap_place place;
    int err = imap_place(s, q->name, wait_flag, &place);

    if (!err)
        err = ops->open(place.account, place.name, 0, &to);
    if (!err)
        err = ops->refresh(to, 0, &status);
    if (!err && !q->on) /* a move gives back what it writes */
        err = imap_fits_disk(s, imap_sizes(s, q->uids, q->uid_count));
    if (!err) {
        uint32_t *uids = imap_room_for(s, q->uid_count);

        s->uid_validity = status.uid_validity;
        err = !uids ? POSTERN_E_NOMEM
              : is_carried(s, &place)
                  ? imap_carry(s, to, uids)
                  : ops->copy(s->mailbox, q->uids, q->uid_count, to, q->on, uids);
        if (err == POSTERN_E_NOT_FOUND) /* the mailbox is there: it is a message that is not */
            err = POSTERN_E_STALE;
    }
    if (!err && q->on)
        ops->tidy(s->mailbox);
    ops->close(&to);
    return err;
}

static int expunge_work(struct serve_imap *s, unsigned wait_flag)
{
    int err = imap_ops(s)->expunge(s->mailbox, s->question.uids, s->question.uid_count);

    (void)wait_flag;
    if (!err)
        imap_ops(s)->tidy(s->mailbox);
    return err;
}

static void expunge_finish(struct serve_imap *s, int err)
{
    if (err < 0)
        login_log_error(&s->login, "expunge", err);
    else
        s->expunged += s->question.uid_count;
    postern_imap_answer(s->engine, s->question.id, err);
}

const struct imap_work imap_store_work = {
    .work = store_work, .finish = imap_finish_uids, .writes = true};
const struct imap_work imap_copy_work = {
    .work = copy_work, .finish = imap_finish_uids, .writes = true};
const struct imap_work imap_expunge_work = {
    .work = expunge_work, .finish = expunge_finish, .writes = true};
