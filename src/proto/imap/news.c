/* SPDX-License-Identifier: MIT */
/* news - what others did in the selected mailbox, told between commands (RFC 9051 7.5, RFC 7162).
 * The view is what the client was told; a message that is gone stays in it, under its number, until
 * an EXPUNGE may be sent.
 * Order: VANISHED or EXPUNGE, EXISTS (only if there are more than the client now thinks), RECENT,
 * changed flags. */
#include "proto/imap/context.h"
#include "proto/imap/esearch.h"
#include "proto/imap/notify.h"
#include "proto/imap/rights.h"

/* gone - the parts of the view that are not in the ranges, given to each(). */
static void gone(struct postern_imap *s, const struct postern_imap_mailbox *now,
                 void (*each)(struct postern_imap *s, struct postern_uid_range range))
{
    size_t at = 0;

    for (size_t i = 0; i < s->view.count; i++) {
        uint64_t first = s->view.runs[i].first, last = s->view.runs[i].last;

        while (first <= last) {
            while (at < now->range_count && now->ranges[at].last < first)
                at++;
            if (at == now->range_count || now->ranges[at].first > last) {
                each(s, (struct postern_uid_range){(uint32_t)first, (uint32_t)last});
                break;
            }
            if (now->ranges[at].first > first)
                each(s, (struct postern_uid_range){(uint32_t)first, now->ranges[at].first - 1});
            first = (uint64_t)now->ranges[at].last + 1;
        }
    }
}

/* I 2.3.1.2-3 I 7.5.1-1 */
static void tell_expunged(struct postern_imap *s, struct postern_uid_range range)
{
    /* numbers fall as each is told; s->told_down of them have fallen */
    for (uint64_t uid = range.first; uid <= range.last; uid++) {
        uint32_t number = view_number(&s->view, (uint32_t)uid);

        write_text(s, "* ");
        write_number(s, number - s->told_down);
        write_text(s, " EXPUNGE\r\n");
        s->told_down++;
    }
}

/* I 7162:3.2.7-1 I 7162:3.2.10.2-1
 * I 9586:3-3 I 9586:3-4 */
static void tell_vanished(struct postern_imap *s, struct postern_uid_range range)
{
    write_text(s, s->told_down++ ? "," : "* VANISHED ");
    write_ranges(s, &range, 1);
}

static void count_gone(struct postern_imap *s, struct postern_uid_range range)
{
    s->told_down += range.last - range.first + 1;
}

/* take_gone - tell them; the view is then what is there, up to its end.
 * I 5182:2.1-7 I 5267:4.3.4-1 */
static void take_gone(struct postern_imap *s, const struct postern_imap_mailbox *now)
{
    uint32_t last = s->view.messages ? view_uid(&s->view, s->view.messages) : 0;
    struct imap_view next = {.allocator = s->o.allocator};

    gone(s, now, context_gone); /* by the numbers that they still have (RFC 5267 4.3.4) */
    s->told_down = 0;
    gone(s, now, s->qresync || s->uid_only ? tell_vanished : tell_expunged);
    if (s->qresync || s->uid_only)
        write_text(s, "\r\n");
    for (size_t i = 0; i < now->range_count && now->ranges[i].first <= last; i++) {
        struct postern_uid_range range = now->ranges[i];

        range.last = range.last < last ? range.last : last;
        if (view_add(&next, range) < 0)
            imap_no_memory(s);
    }
    memory_free(s->o.allocator, s->view.runs);
    s->view.runs = next.runs;
    s->view.count = next.count;
    s->view.room = next.room;
    s->view.messages = next.messages;
}

/* I 7162:3.2.10.2-2 I 2.3.1.2-2 I 6.3.12-8 I 7.4.1-1 I 5.2-3 I 5267:4.3.3-1 I 3501:7.3.2-1 */
static void take_new(struct postern_imap *s, const struct postern_imap_mailbox *now)
{
    uint32_t last = s->view.messages ? view_uid(&s->view, s->view.messages) : 0;
    uint32_t before = s->view.messages;

    if (last < s->view.uid_next - 1)
        last = s->view.uid_next - 1; /* what came and went was never told, and is not now */
    s->new_from = last + 1;
    for (size_t i = 0; i < now->range_count; i++) {
        struct postern_uid_range range = now->ranges[i];

        if (range.last <= last)
            continue;
        range.first = range.first > last ? range.first : last + 1;
        if (view_add(&s->view, range) < 0)
            imap_no_memory(s);
        notify_arrived(s, range);
        for (uint64_t uid = range.first; s->contexts && uid <= range.last; uid++)
            context_note(s, (uint32_t)uid);
    }
    if (s->view.uid_next < now->status.uid_next)
        s->view.uid_next = now->status.uid_next;
    if (s->view.messages == before)
        return;
    write_text(s, "* ");
    write_number(s, s->view.messages);
    write_text(s, " EXISTS\r\n");
    if (s->rev2)
        return;
    write_text(s, "* ");
    write_number(s, view_recent(&s->view));
    write_text(s, " RECENT\r\n");
}

/* note_changed - searches that go on being told of look at them again. known: below it the client
 * knew of the messages. */
static void note_changed(struct postern_imap *s, const struct postern_imap_mailbox *now,
                         uint32_t known)
{
    for (size_t i = 0; i < now->changed_count; i++)
        if (now->changed[i].uid < known)
            context_note(s, now->changed[i].uid);
}

/* take_flags - told, unless the client wishes to hear nothing of them; of new messages it asks. */
static void take_flags(struct postern_imap *s, const struct postern_imap_mailbox *now,
                       uint32_t known)
{
    if (s->notify && !(s->notify->selected & NOTIFY_FLAGS)) {
        if (!s->flags_since)
            s->flags_since = s->view.modseq;
        return;
    }
    for (size_t i = 0; i < now->changed_count; i++)
        if (now->changed[i].uid < known && view_number(&s->view, now->changed[i].uid) &&
            !imap_is_told(s, &now->changed[i]))
            imap_write_changed(s, &now->changed[i]);
    s->flags_since = 0;
}

/* I 7162:3.2-2 I 7162:3.2.10.2-3 I 7162:3.2.10.2-4 I 5.2-1 I 5256:3-9 I 5.2-2 I 7.5.1-2 I 7.5.1-3
 */
static void take_news(struct postern_imap *s, const struct postern_imap_mailbox *now)
{
    bool may = s->row ? !(s->row->flags & ROW_NO_EXPUNGE) || (s->by_uid && !s->by_number)
                      : !s->notify || !s->notify->delayed;
    bool owed = s->owes_expunge;
    uint32_t known = s->view.uid_next;

    if (!rights_renew(s, now->status.rights) || now->unchanged)
        return;
    if (now->status.uid_validity != s->view.uid_validity) {
        write_text(s, "* BYE [CLOSED] the mailbox was made anew\r\n");
        s->closing = true;
        return;
    }
    imap_learn_keywords(s, now->keywords, now->keyword_count, true);
    s->told_down = 0;
    gone(s, now, count_gone);
    s->owes_expunge = s->told_down > 0 && !may;
    if (s->owes_expunge && !owed)
        s->owed_modseq = s->view.modseq;
    if (s->owes_expunge && s->notify && !s->notify->delayed)
        s->has_news = true; /* they follow the command */
    if (s->told_down && may)
        take_gone(s, now);
    note_changed(s, now, known);
    take_new(s, now);
    take_flags(s, now, known);
    s->view.modseq = now->status.modseq;
    if (s->qresync && (owed || s->owes_expunge))
        imap_write_highest(s);
}

/* I 3.2-2 I 6.4.4.1-3 */
void imap_unselect(struct postern_imap *s)
{
    if (s->state != POSTERN_IMAP_SELECTED)
        return;
    s->state = POSTERN_IMAP_AUTHENTICATED;
    (void)imap_set_text(s, &s->mailbox, (struct postern_span){NULL, 0}); /* takes no memory */
    view_done(&s->view);
    s->keyword_count = 0;
    context_drop_all(s);
    s->owes_expunge = false;
    s->flags_since = 0;
    if (s->watching == WATCHES_SELECTED)
        s->watching = WATCHES_NOTHING; /* UNSELECT says it */
    memory_free(s->o.allocator, s->saved);
    s->saved = NULL;
    s->saved_count = 0;
    memory_free(s->o.allocator, s->keywords);
    s->keywords = NULL;
    imap_tell(s, POSTERN_IMAP_UNSELECT, 0);
}

/* take_removed - to who wants no news only what the command itself removed is told. */
static void take_removed(struct postern_imap *s)
{
    uint32_t *all = NULL;
    struct imap_set view = {&(struct postern_uid_range){1, UINT32_MAX}, 1}, left;
    size_t count = imap_set_uids(s, &view, &all), kept = 0, at = 0;

    for (size_t i = 0; i < count; i++) {
        while (at < s->removed_count && s->removed[at] < all[i])
            at++;
        if (at == s->removed_count || s->removed[at] != all[i])
            all[kept++] = all[i];
    }
    s->removed_count = 0;
    if (s->failed || kept == count)
        return;
    imap_uids_set(s, all, kept, &left);
    if (!s->failed)
        take_gone(s,
                  &(struct postern_imap_mailbox){.ranges = left.ranges, .range_count = left.count});
}

void imap_news_ended(struct postern_imap *s)
{
    if (s->result)
        imap_write_result(s);
    else if (s->closing)
        imap_over(s);
}

/* told - all that there is of the selected mailbox. */
static void told(struct postern_imap *s)
{
    if (!s->result && !s->closing && s->after_news)
        s->after_news(s);
    else
        notify_look(s, imap_news_ended);
}

static void judged(struct postern_imap *s)
{
    arrived_fetch(s, told);
}

/* took - an error of NEWS is the next command's to see; a mailbox that is gone is told. */
static void took(struct postern_imap *s, const struct imap_answer *answer)
{
    if (!answer->err && notify_is_frozen(s)) {
        take_removed(s);
    } else if (!answer->err) {
        take_news(s, answer->mailbox);
    } else if (answer->err == POSTERN_E_NOT_FOUND) {
        write_text(s, "* BYE [CLOSED] the mailbox was removed\r\n");
        s->closing = true;
    }
    context_judge(s, judged);
}

/* I 6.1.2-2 */
void imap_news_ask(struct postern_imap *s)
{
    uint64_t since = s->view.modseq;

    if (s->flags_since && (!s->notify || s->notify->selected & NOTIFY_FLAGS))
        since = s->flags_since;
    s->has_news = false;
    s->question = (struct postern_imap_question){.since = since, .on = s->owes_expunge};
    imap_ask(s, POSTERN_IMAP_NEWS, took);
}

/* I 7162:3.2.10.2-5 I 2.2.2-3 */
void imap_finish(struct postern_imap *s)
{
    bool tells = s->state == POSTERN_IMAP_SELECTED && s->row && !(s->row->flags & ROW_NO_NEWS) &&
                 !s->closing && (!notify_is_frozen(s) || s->removed_count);

    esearch_restore(s); /* news are of the selected mailbox */
    if (s->input.drop)
        return; /* the rest of what was refused is still to come; input.c writes it then */
    if (tells)
        imap_news_ask(s);
    else
        notify_look(s, imap_news_ended);
}
