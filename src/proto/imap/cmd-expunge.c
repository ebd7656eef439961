/* SPDX-License-Identifier: MIT */
/* cmd-expunge - EXPUNGE, UID EXPUNGE and CLOSE (RFC 9051 6.4.1, 6.4.3, 6.4.9). What is \Deleted is
 * looked up, deleted as one set, and told with the news. */
#include "proto/imap/commands.h"
#include "proto/imap/rights.h"

#define EXPUNGE_BATCH 256

struct imap_expunge {
    struct imap_set set;
    bool closes;
    size_t range;
    uint32_t next_uid;
    uint32_t *uids;
    size_t count, room;
};

/* ok_highest - what was removed is told: up to there the client knows all (RFC 7162 3.2.7).
 * I 7162:3.2.7-2 I 7162:3.2.9-1 */
static void ok_highest(struct postern_imap *s)
{
    struct buffer code = {.allocator = s->o.allocator};
    struct postern_span kept = {0};

    s->after_news = NULL;
    buffer_append_text(&code, "HIGHESTMODSEQ ");
    buffer_append_number(&code, s->view.modseq);
    buffer_append_char(&code, '\0');
    if (code.error || arena_copy(&s->arena, buffer_span(&code), &kept) < 0)
        imap_no_memory(s);
    else
        imap_partly(s, true, kept.p, "done");
    buffer_done(&code);
}

void imap_ok_removed(struct postern_imap *s, const char *text)
{
    if (!s->qresync) {
        imap_partly(s, true, NULL, text);
        return;
    }
    s->after_news = ok_highest;
    imap_news_ask(s);
}

/* I 7162:3.2.8-1 I 7162:3.2.8-2 */
static void done(struct postern_imap *s)
{
    if (s->expunge->closes) {
        imap_unselect(s);
        imap_ok(s, NULL, "left");
        return;
    }
    if (s->expunge->count)
        imap_ok_removed(s, "done");
    else
        imap_ok(s, NULL, "done");
}

static void expunged(struct postern_imap *s, const struct imap_answer *answer)
{
    if (answer->err)
        imap_refuse(s, answer->err);
    else
        done(s);
}

static void note(struct postern_imap *s, uint32_t uid)
{
    struct imap_expunge *expunge = s->expunge;

    if (expunge->count == expunge->room) {
        size_t room = expunge->room ? expunge->room * 2 : EXPUNGE_BATCH;
        uint32_t *more = arena_alloc(&s->arena, room * sizeof *more);

        if (!more) {
            imap_no_memory(s);
            return;
        }
        if (expunge->count)
            memcpy(more, expunge->uids, expunge->count * sizeof *more);
        expunge->uids = more;
        expunge->room = room;
    }
    expunge->uids[expunge->count++] = uid;
}

static void look_on(struct postern_imap *s);

/* I 6.4.9-4 */
static void looked(struct postern_imap *s, const struct imap_answer *answer)
{
    struct imap_expunge *expunge = s->expunge;

    if (answer->err) {
        imap_refuse(s, answer->err);
        return;
    }
    for (size_t i = 0; i < answer->count; i++)
        if (answer->messages[i].flags & POSTERN_FLAG_DELETED &&
            view_number(&s->view, answer->messages[i].uid))
            note(s, answer->messages[i].uid);
    if (answer->count == EXPUNGE_BATCH &&
        answer->messages[answer->count - 1].uid < s->question.range.last) {
        expunge->next_uid = answer->messages[answer->count - 1].uid + 1;
    } else {
        expunge->range++;
        expunge->next_uid = 0;
    }
    s->work = look_on;
}

static void look_on(struct postern_imap *s)
{
    struct imap_expunge *expunge = s->expunge;
    struct postern_uid_range range;

    s->work = NULL;
    if (expunge->range < expunge->set.count) {
        range = expunge->set.ranges[expunge->range];
        range.first = expunge->next_uid ? expunge->next_uid : range.first;
        s->question = (struct postern_imap_question){.range = range, .count = EXPUNGE_BATCH};
        imap_ask(s, POSTERN_IMAP_MESSAGES, looked);
    } else if (expunge->count) {
        if (s->by_uid)
            expunge->count = imap_limit_cut(s, &expunge->uids, expunge->count);
        s->question =
            (struct postern_imap_question){.uids = expunge->uids, .uid_count = expunge->count};
        imap_ask(s, POSTERN_IMAP_EXPUNGE, expunged);
    } else {
        done(s);
    }
}

static struct imap_expunge *expunge_new(struct postern_imap *s)
{
    struct imap_expunge *expunge = arena_alloc(&s->arena, sizeof *expunge);
    struct postern_uid_range *all = arena_alloc(&s->arena, sizeof *all);

    if (!expunge || !all) {
        imap_no_memory(s);
        return NULL;
    }
    *all = (struct postern_uid_range){1, UINT32_MAX};
    *expunge = (struct imap_expunge){.set = {all, 1}};
    s->expunge = expunge;
    return expunge;
}

/* I 2.3.1.1-3 I 6.4.3-1 I 6.4.3-2 I 4315:2.1-1 I 4315:2.1-2 */
void imap_cmd_expunge(struct postern_imap *s)
{
    struct imap_expunge *expunge = expunge_new(s);

    if (!expunge)
        return;
    if (s->by_uid) {
        parse_space(&s->in);
        parse_set(s, &s->in, true, &expunge->set);
    }
    if (!imap_good(s))
        return;
    if (s->read_only)
        imap_no(s, "READ-ONLY", "the mailbox can only be read");
    else if (!rights_has(s, POSTERN_RIGHT_EXPUNGE))
        imap_refuse(s, POSTERN_E_DENIED);
    else
        look_on(s);
}

/* I 6.4.1-1 I 6.4.1-2
 * I 4314:4-7 */
void imap_cmd_close(struct postern_imap *s)
{
    struct imap_expunge *expunge = expunge_new(s);

    if (!expunge || !imap_good(s))
        return;
    expunge->closes = true;
    if (s->read_only || !rights_has(s, POSTERN_RIGHT_EXPUNGE)) /* RFC 4314 4: it is left then */
        done(s);
    else
        look_on(s);
}
