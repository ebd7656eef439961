/* SPDX-License-Identifier: MIT */
/* imap_message - the questions about messages: looking, reading, flags, copies, deletion, new ones.
 */
#include "serve/imap_session.h"

#include "base/memory.h"
#include "base/span.h"
#include "serve/room.h"
#include "store/space.h"
#include <stdlib.h>

#define READ_BYTES 65536
#define SHOWN_MAX 256 /* parsed forms at once, and octets of them */
#define SHOWN_BYTES 32768

/* ---- looking --------------------------------------------------------------------------------- */

static int note_info(void *ctx, const struct postern_message_info *info)
{
    struct serve_imap *s = ctx;

    buffer_append(&s->infos, span_make((const char *)info, sizeof *info));
    return s->infos.error || buffer_length(&s->infos) / sizeof *info == s->question.count;
}

static int messages_work(struct serve_imap *s, unsigned wait_flag)
{
    struct postern_mailbox *box;
    int r = imap_reach(s, wait_flag, &box);

    if (!r)
        r = imap_ops(s)->each(box, s->question.range, 0, note_info, s);
    return r < 0 ? r : 0;
}

static void messages_finish(struct serve_imap *s, int err)
{
    struct postern_span infos = buffer_span(&s->infos);

    postern_imap_answer_messages(s->engine, s->question.id, err,
                                 (const struct postern_message_info *)(const void *)infos.p,
                                 infos.n / sizeof(struct postern_message_info));
    buffer_take(&s->infos, buffer_length(&s->infos));
}

/* struct imap_shown - parsed forms that are lent to the engine. */
struct imap_shown {
    struct postern_structure all[SHOWN_MAX];
    char room[SHOWN_BYTES];
};

void imap_shown_drop(struct serve_imap *s, enum postern_imap_question_kind kind)
{
    if (kind == POSTERN_IMAP_MESSAGES || kind == POSTERN_IMAP_STRUCTURE ||
        kind == POSTERN_IMAP_CONTENT || kind == POSTERN_IMAP_READ || kind == POSTERN_IMAP_STORE)
        return;
    memory_free(NULL, s->shown);
    s->shown = NULL;
}

/* show_several - of how many, from the first on, the parsed form is at hand. */
static int show_several(struct serve_imap *s, struct postern_mailbox *box, unsigned wait_flag)
{
    const struct postern_imap_question *q = &s->question;
    size_t most = q->uid_count < SHOWN_MAX ? q->uid_count : SHOWN_MAX;

    if (most < 2 || !imap_ops(s)->structures)
        return 0;
    if (!s->shown)
        s->shown = memory_resize(NULL, NULL, sizeof *s->shown);
    if (!s->shown)
        return POSTERN_E_NOMEM;
    return imap_ops(s)->structures(box, q->uids, most, wait_flag, s->shown->room,
                                   sizeof s->shown->room, s->shown->all);
}

static int structure_work(struct serve_imap *s, unsigned wait_flag)
{
    struct postern_mailbox *box;
    int n = imap_reach(s, wait_flag, &box);

    if (!n)
        n = show_several(s, box, wait_flag);
    s->shown_count = n > 0 ? (size_t)n : 0;
    if (n)
        return n < 0 ? n : 0;
    return imap_ops(s)->structure(box, s->question.uid, wait_flag, &s->block);
}

static void structure_finish(struct serve_imap *s, int err)
{
    if (err < 0)
        login_log_error(&s->login, "structure", err);
    if (!err && s->shown_count)
        postern_imap_answer_structures(s->engine, s->question.id, s->shown->all, s->shown_count);
    else
        postern_imap_answer_structure(s->engine, s->question.id, err, s->block);
    free((char *)(uintptr_t)s->block.p);
    s->block = (struct postern_span){0};
}

/* ---- reading --------------------------------------------------------------------------------- */

static int content_work(struct serve_imap *s, unsigned wait_flag)
{
    struct postern_facts facts;
    struct postern_mailbox *box;
    int err = imap_reach(s, wait_flag, &box);

    imap_content_close(s);
    return err ? err : imap_ops(s)->message(box, s->question.uid, wait_flag, &s->content, &facts);
}

static void content_finish(struct serve_imap *s, int err)
{
    if (err < 0)
        login_log_error(&s->login, "message", err);
    else
        s->fetched++;
    postern_imap_answer_content(s->engine, s->question.id, err, ++s->content_id);
}

static int read_work(struct serve_imap *s, unsigned wait_flag)
{
    (void)s, (void)wait_flag;
    return 0;
}

static void read_finish(struct serve_imap *s, int err)
{
    const struct postern_imap_question *q = &s->question;
    char bytes[READ_BYTES];
    int n = POSTERN_E_NOT_FOUND;

    (void)err;
    if (s->content && q->content == s->content_id)
        n = imap_ops(s)->read(s->content, q->offset, bytes,
                              q->length < sizeof bytes ? q->length : sizeof bytes);
    if (n < 0)
        login_log_error(&s->login, "read", n);
    postern_imap_answer_read(s->engine, q->id, n < 0 ? n : 0,
                             span_make(bytes, n < 0 ? 0 : (size_t)n));
}

/* ---- changing -------------------------------------------------------------------------------- */

/* are_all_made - a mailbox has no more keywords than this: that is a limit, and no lack of room. */
static bool are_all_made(struct serve_imap *s, struct postern_mailbox *mailbox)
{
    struct postern_span last;

    return imap_ops(s)->keyword_name(mailbox, POSTERN_KEYWORDS_MAX - 1, &last) == 0;
}

/* keyword_bits - of names; those that are only taken away need not be there. I 2.3.2-3 */
static int keyword_bits(struct serve_imap *s, struct postern_mailbox *mailbox, bool make,
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
    int err = keyword_bits(s, s->mailbox, q->how != POSTERN_FLAGS_REMOVE, &change.keywords), n;
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

static void uids_finish(struct serve_imap *s, int err)
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

/* room_for - so many UIDs, as good as written. */
static uint32_t *room_for(struct serve_imap *s, size_t count)
{
    uint32_t *uids = (uint32_t *)(void *)buffer_room(&s->uids, count * sizeof *uids + 1);

    if (uids)
        buffer_commit(&s->uids, count * sizeof *uids);
    return uids;
}

/* ---- is there room --------------------------------------------------------------------------- */

static int add_size(void *ctx, const struct postern_message_info *info)
{
    *(uint64_t *)ctx += info->size_wire;
    return 0;
}

/* sizes - of these here, together. */
static uint64_t sizes(const struct serve_imap *s, const uint32_t *uids, size_t count)
{
    uint64_t octets = 0;

    for (size_t i = 0; i < count; i++)
        imap_ops(s)->each(s->mailbox, (struct postern_uid_range){uids[i], uids[i]}, 0, add_size,
                          &octets);
    return octets;
}

/* fits_disk - no quota: it may be there later (D12). */
static int fits_disk(const struct serve_imap *s, uint64_t octets)
{
    return space_for(s->site->space, octets, 0) ? POSTERN_E_AGAIN : 0;
}

/* ---- from one mailbox to another --------------------------------------------------------------
 */

/* is_at_home - in the account of the selected mailbox. */
static bool is_at_home(const struct serve_imap *s, struct postern_span owner)
{
    return span_equal(buffer_span(&s->mailbox_owner), owner);
}

static bool is_carried(const struct serve_imap *s, const struct imap_place *place)
{
    return !is_at_home(s, place->owner) || s->question.kept_flags || s->question.kept_keywords;
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
        err = fits_disk(s, sizes(s, q->uids, q->uid_count));
    if (!err) {
        uint32_t *uids = room_for(s, q->uid_count);

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

/* ---- new ones -------------------------------------------------------------------------------- */

void imap_drop_appends(struct serve_imap *s)
{
    for (size_t i = 0; i < s->delivery_count; i++)
        if (s->deliveries[i])
            imap_ops(s)->abort(&s->deliveries[i]);
    memory_free(NULL, s->deliveries);
    s->deliveries = NULL;
    s->delivery_count = 0;
    if (s->target)
        imap_ops(s)->close(&s->target);
}

/* fits_quota - said before the octets are asked for. What is replaced does not count (RFC 8508). */
static int fits_quota(struct serve_imap *s, const struct imap_place *place)
{
    struct postern_quota quota;
    int err = imap_ops(s)->quota(place->account, &quota);

    if (err)
        return err == POSTERN_E_UNSUPPORTED ? 0 : err;
    if (s->question.uid_count && s->mailbox && is_at_home(s, place->owner)) {
        uint64_t replaced = sizes(s, s->question.uids, 1);

        quota.bytes -= replaced < quota.bytes ? replaced : quota.bytes;
        quota.messages -= quota.messages > 0;
    }
    return quota_room(&quota, s->question.size_bytes);
}

static int append_work(struct serve_imap *s, unsigned wait_flag)
{
    const struct postern_imap_question *q = &s->question;
    struct postern_new_message what = {.flags = q->flags, .date_s = q->date_s};
    struct postern_delivery **more;
    struct imap_place place;
    int err = imap_place(s, q->name, wait_flag, &place);

    imap_leave_other(s); /* parts of others are to be as they are now */
    if (!err && !s->target)
        err = imap_ops(s)->open(place.account, place.name, 0, &s->target);
    if (!err)
        err = fits_quota(s, &place);
    if (!err)
        err = fits_disk(s, s->question.size_bytes);
    if (!err)
        err = keyword_bits(s, s->target, true, &what.keywords);
    if (!err && s->delivery_count == IMAP_APPENDS_MAX)
        err = POSTERN_E_TOO_LONG;
    if (err)
        return err;
    more = memory_resize(NULL, s->deliveries, (s->delivery_count + 1) * sizeof *more);
    if (!more)
        return POSTERN_E_NOMEM;
    s->deliveries = more;
    more[s->delivery_count] = NULL;
    s->replaces_after = q->uid_count && !is_at_home(s, place.owner);
    if (q->uid_count && !s->replaces_after) {
        what.replaced_in = s->mailbox;
        what.replaced = q->uids[0];
    }
    err = imap_ops(s)->begin(s->target, &what, &more[s->delivery_count]);
    s->delivery_count += !err;
    return err;
}

static int write_work(struct serve_imap *s, unsigned wait_flag)
{
    (void)wait_flag;
    if (!s->delivery_count)
        return POSTERN_E_USAGE;
    return imap_ops(s)->write(s->deliveries[s->delivery_count - 1], s->question.bytes);
}

static void append_finish(struct serve_imap *s, int err)
{
    if (err < 0) {
        login_log_error(&s->login, "append", err);
        imap_drop_appends(s);
    }
    postern_imap_answer(s->engine, s->question.id, err);
}

static int commit_work(struct serve_imap *s, unsigned wait_flag)
{
    struct postern_status status;
    uint32_t *uids = room_for(s, s->delivery_count);
    int err;

    (void)wait_flag;
    if (!uids)
        return POSTERN_E_NOMEM;
    err = imap_ops(s)->commit(s->deliveries, s->delivery_count, uids);
    if (!err) {
        if (s->replaces_after) /* of another account: the new one is there first */
            imap_ops(s)->expunge(s->mailbox, s->question.uids, s->question.uid_count);
        if (s->question.uid_count)
            imap_ops(s)->tidy(s->mailbox);
        s->appended += s->delivery_count;
        err = imap_ops(s)->refresh(s->target, 0, &status);
        s->uid_validity = err ? 0 : status.uid_validity;
        err = 0;
    }
    return err;
}

static void commit_finish(struct serve_imap *s, int err)
{
    imap_drop_appends(s);
    uids_finish(s, err);
}

/* ---- the table ------------------------------------------------------------------------------- */

const struct imap_work *imap_message_work(enum postern_imap_question_kind kind)
{
    static const struct imap_work works[] = {
        [POSTERN_IMAP_MESSAGES] = {messages_work, messages_finish, true, false},
        [POSTERN_IMAP_STRUCTURE] = {structure_work, structure_finish, true, false},
        [POSTERN_IMAP_CONTENT] = {content_work, content_finish, true, false},
        [POSTERN_IMAP_READ] = {read_work, read_finish, true, false},
        [POSTERN_IMAP_STORE] = {store_work, uids_finish, false, true},
        [POSTERN_IMAP_COPY] = {copy_work, uids_finish, false, true},
        [POSTERN_IMAP_EXPUNGE] = {expunge_work, expunge_finish, false, true},
        [POSTERN_IMAP_APPEND] = {append_work, append_finish, false, true},
        [POSTERN_IMAP_WRITE] = {write_work, append_finish, false, true},
        [POSTERN_IMAP_COMMIT] = {commit_work, commit_finish, false, true}};

    if (kind >= sizeof works / sizeof *works || !works[kind].work)
        return NULL;
    return &works[kind];
}
