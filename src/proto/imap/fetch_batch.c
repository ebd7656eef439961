/* SPDX-License-Identifier: MIT */
/* fetch_batch - the messages of a FETCH, so many at a time, and \Seen for those whose text is told.
 *
 * A message that is gone, but not yet told to be, is passed over; then the command ends with
 * NO [EXPUNGEISSUED] (RFC 2180 4.1.3). */
#include "proto/imap/fetch.h"

static void stored(struct postern_imap *s, const struct imap_answer *answer);

/* in_order - the place in the batch of its i-th message by UID. */
static size_t in_order(const struct postern_imap *s, size_t i)
{
    return s->limit_uid ? s->fetch->batch_n - 1 - i : i;
}

/* set_seen - of the batch those that are not; they are looked at again then.
 * I 7162:3.1.4.1-3 I 6.4.5-3 */
static bool set_seen(struct postern_imap *s)
{
    struct imap_fetch *fetch = s->fetch;
    static const struct postern_imap_question add = {.how = POSTERN_FLAGS_ADD,
                                                     .flags = POSTERN_FLAG_SEEN};
    uint32_t *uids = arena_alloc(&s->arena, FETCH_BATCH * sizeof *uids);
    size_t count = 0;

    if (!uids) {
        imap_no_memory(s);
        return true;
    }
    for (size_t i = 0; i < fetch->batch_n; i++) {
        size_t at = in_order(s, i);

        fetch->newly_seen[at] = !(fetch->batch[at].flags & POSTERN_FLAG_SEEN) &&
                                fetch->batch[at].modseq > fetch->changed_since &&
                                view_number(&s->view, fetch->batch[at].uid);
        if (fetch->newly_seen[at])
            uids[count++] = fetch->batch[at].uid;
    }
    if (!count)
        return false;
    s->question = add;
    s->question.uids = uids;
    s->question.uid_count = count;
    imap_ask(s, POSTERN_IMAP_STORE, stored);
    return true;
}

static void took_again(struct postern_imap *s, const struct imap_answer *answer)
{
    struct imap_fetch *fetch = s->fetch;

    for (size_t i = 0, at = 0; !answer->err && i < fetch->batch_n; i++) {
        struct postern_message_info *info = &fetch->batch[in_order(s, i)];

        while (at < answer->count && answer->messages[at].uid < info->uid)
            at++;
        if (at < answer->count && answer->messages[at].uid == info->uid)
            *info = answer->messages[at];
    }
    s->work = fetch_go;
}

/* stored - a disk that is full must not keep anybody from reading: then they stay unseen. */
static void stored(struct postern_imap *s, const struct imap_answer *answer)
{
    if (answer->err) {
        memset(s->fetch->newly_seen, 0, sizeof s->fetch->newly_seen);
        s->work = fetch_go;
        return;
    }
    s->question =
        (struct postern_imap_question){.range = s->fetch->batch_range, .count = FETCH_BATCH};
    imap_ask(s, POSTERN_IMAP_MESSAGES, took_again);
}

static const struct postern_uid_range *range_at(const struct postern_imap *s)
{
    const struct imap_fetch *fetch = s->fetch;

    return &fetch->set.ranges[s->limit_uid ? fetch->set.count - 1 - fetch->range : fetch->range];
}

/* set_next - where the next batch begins; from the highest down, where it ends. */
static void set_next(struct postern_imap *s)
{
    struct imap_fetch *fetch = s->fetch;
    struct postern_uid_range whole = *range_at(s), done = fetch->batch_range;

    if (s->limit_uid ? done.first == whole.first : done.last == whole.last) {
        fetch->range++;
        fetch->next_uid = 0;
    } else {
        fetch->next_uid = s->limit_uid ? done.first - 1 : done.last + 1;
    }
}

/* I 6.3.3-3 */
static void took_batch(struct postern_imap *s, const struct imap_answer *answer)
{
    struct imap_fetch *fetch = s->fetch;
    struct postern_uid_range asked = s->question.range;

    if (answer->err && fetch->then) { /* who wants to know asks */
        fetch_finish(s);
        return;
    }
    if (answer->err) {
        s->work = NULL;
        imap_refuse(s, answer->err);
        return;
    }
    fetch->at = 0;
    fetch->batch_n = answer->count < FETCH_BATCH ? answer->count : FETCH_BATCH;
    memset(fetch->newly_seen, 0, sizeof fetch->newly_seen);
    for (size_t i = 0; i < fetch->batch_n; i++)
        fetch->batch[in_order(s, i)] = answer->messages[i];
    fetch->batch_range = asked;
    if (fetch->batch_n == FETCH_BATCH && !s->limit_uid)
        fetch->batch_range.last = fetch->batch[FETCH_BATCH - 1].uid;
    /* whatever of the view lies there and did not come is gone */
    fetch->missing |= view_place(&s->view, fetch->batch_range.last + 1) -
                          view_place(&s->view, fetch->batch_range.first) >
                      fetch->batch_n;
    set_next(s);
    s->work = fetch_go;
    if (fetch->sets_seen && !s->read_only && s->rights & POSTERN_RIGHT_SEEN && set_seen(s))
        s->work = NULL;
}

void fetch_next_batch(struct postern_imap *s)
{
    struct imap_fetch *fetch = s->fetch;
    struct postern_uid_range range;

    if (fetch->range == fetch->set.count) {
        fetch_finish(s);
        return;
    }
    range = imap_batch_range(s, *range_at(s), fetch->next_uid, FETCH_BATCH);
    s->work = NULL;
    s->question = (struct postern_imap_question){.range = range, .count = FETCH_BATCH};
    imap_ask(s, POSTERN_IMAP_MESSAGES, took_batch);
}
