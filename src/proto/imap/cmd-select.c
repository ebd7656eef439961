/* SPDX-License-Identifier: MIT */
/* cmd-select - SELECT, EXAMINE, CLOSE, UNSELECT (RFC 9051 6.3.2, 6.3.3, 6.4.1, 6.4.2; RFC
 * 7162 3.2). A mailbox that was selected is left first, whether the new one can be opened or not.
 * QRESYNC needs no history: where the application has none, what vanished is all that the client
 * may know and is not there. */
#include "proto/imap/commands.h"
#include "proto/imap/rights.h"

/* struct select - what SELECT asked for, until the mailbox is open. */
struct imap_select {
    bool examine, condstore, qresync;
    uint32_t uid_validity;
    uint64_t modseq;
    struct imap_set known;         /* absent: all */
    struct imap_set numbers, uids; /* which message has which UID, as the client knows it */
};

/* parse_uid_set - RFC 7162 7: UIDs without "*"; nothing is selected yet.
 * I 7162:3.2.5-2 */
static void parse_uid_set(struct postern_imap *s, struct imap_set *set_r)
{
    struct postern_span rest = s->in.rest;

    parse_set(s, &s->in, true, set_r);
    rest.n -= s->in.rest.n;
    s->in.bad |= rest.n && memchr(rest.p, '*', rest.n);
}

/* parse_qresync - "(validity modseq [known] [(numbers uids)])". */
static void parse_qresync(struct postern_imap *s, struct imap_select *select)
{
    select->qresync = true;
    parse_space(&s->in);
    parse_char(&s->in, '(');
    select->uid_validity = (uint32_t)parse_number(&s->in, UINT32_MAX);
    parse_space(&s->in);
    select->modseq = parse_number(&s->in, INT64_MAX);
    s->in.bad |= !select->uid_validity || !select->modseq;
    if (parse_try(&s->in, ' ')) {
        if (s->in.rest.n && s->in.rest.p[0] != '(') {
            parse_uid_set(s, &select->known);
            if (!parse_try(&s->in, ' ')) {
                parse_char(&s->in, ')');
                return;
            }
        }
        parse_char(&s->in, '(');
        parse_uid_set(s, &select->numbers);
        parse_space(&s->in);
        parse_uid_set(s, &select->uids);
        parse_char(&s->in, ')');
    }
    parse_char(&s->in, ')');
}

/* I 7162:3.2.3-2 I 7162:3.2.5-1 */
static void parse_parameters(struct postern_imap *s, struct imap_select *select)
{
    if (!parse_try(&s->in, ' '))
        return;
    parse_char(&s->in, '(');
    do {
        if (imap_offers(s, "CONDSTORE") && parse_try_word(&s->in, "CONDSTORE"))
            select->condstore = true;
        else if (s->qresync && parse_try_word(&s->in, "QRESYNC"))
            parse_qresync(s, select);
        else
            s->in.bad = true;
    } while (!s->in.bad && parse_try(&s->in, ' '));
    parse_char(&s->in, ')');
}

/* ---- the mailbox is open --------------------------------------------------------------------- */

static void write_code(struct postern_imap *s, const char *name, uint64_t number, const char *text)
{
    write_text(s, "* OK [");
    write_text(s, name);
    write_number(s, number);
    write_text(s, text);
    write_text(s, "\r\n");
}

/* I 7162:3.1.2-1 I 7162:3.1.2-2 */
void imap_write_highest(struct postern_imap *s)
{
    if (s->state != POSTERN_IMAP_SELECTED)
        return;
    if (imap_offers(s, "CONDSTORE"))
        write_code(s, "HIGHESTMODSEQ ", s->owes_expunge ? s->owed_modseq : s->view.modseq,
                   "] the highest mod-sequence");
    else
        write_text(s, "* OK [NOMODSEQ] there are no mod-sequences\r\n");
}

/* I 7162:3.1.2-3 */
void imap_enable_condstore(struct postern_imap *s)
{
    s->in.bad |= !imap_offers(s, "CONDSTORE");
    s->asks_condstore = true;
}

/* I 3501:6.3.1-2 */
static void write_unseen(struct postern_imap *s, const struct postern_imap_mailbox *mailbox)
{
    uint32_t number = view_number(&s->view, mailbox->first_unseen);

    if (number)
        write_code(s, "UNSEEN ", number, "] the first that was not seen");
}

/* I 2.3.1.1-4 I 2.3.1.1-6 I 6.3.2-1 I 3501:6.3.1-1 I 8474:4.2-1 */
static void write_mailbox_facts(struct postern_imap *s, const struct postern_imap_mailbox *mailbox)
{
    imap_write_mailbox_flags(s);
    write_text(s, "* ");
    write_number(s, s->view.messages);
    write_text(s, " EXISTS\r\n");
    if (!s->rev2) { /* RFC 9051 has no \Recent */
        write_text(s, "* ");
        write_number(s, view_recent(&s->view));
        write_text(s, " RECENT\r\n");
        write_unseen(s, mailbox);
    }
    write_code(s, "UIDVALIDITY ", s->view.uid_validity, "] UIDs are valid");
    write_code(s, "UIDNEXT ", s->view.uid_next, "] the next UID, at least");
    imap_write_highest(s);
    if (mailbox->status.id && imap_offers(s, "OBJECTID"))
        write_code(s, "MAILBOXID (M", mailbox->status.id, ")] the mailbox");
}

/* write_hole - one more range of what vanished. */
static void write_hole(struct postern_imap *s, uint32_t first, uint32_t last, bool *any)
{
    struct postern_uid_range hole = {first, last};

    write_text(s, *any ? "," : "* VANISHED (EARLIER) ");
    write_ranges(s, &hole, 1);
    *any = true;
}

/* write_holes - of a range, what is not in the view; *at: the run to look at first. */
static void write_holes(struct postern_imap *s, uint64_t uid, uint64_t last, size_t *at, bool *any)
{
    const struct imap_view *view = &s->view;

    while (uid <= last) {
        uint64_t end = last;

        while (*at < view->count && view->runs[*at].last < uid)
            (*at)++;
        if (*at < view->count && view->runs[*at].first <= end)
            end = (uint64_t)view->runs[*at].first - 1;
        if (uid <= end)
            write_hole(s, (uint32_t)uid, (uint32_t)end, any);
        if (*at == view->count)
            return;
        uid = (uint64_t)view->runs[*at].last + 1;
    }
}

/* I 7162:3.2.5.1-3 I 7162:3.2.5.1-4 I 7162:3.2.6-6 I 7162:3.2.6-7 I 7162:3.2.10.1-1 */
void imap_write_earlier(struct postern_imap *s, struct imap_set known, struct imap_set vanished,
                        uint32_t above)
{
    static struct postern_uid_range everything[] = {{1, UINT32_MAX}};
    struct imap_set all = {everything, 1}, told = imap_set_meet(s, known, vanished);
    bool any = false;
    size_t at = 0;

    told = imap_set_meet(s, told, all);
    for (size_t i = 0; i < told.count && !s->failed; i++) {
        uint64_t uid = told.ranges[i].first, last = told.ranges[i].last;

        uid = uid > above ? uid : (uint64_t)above + 1;
        last = last < s->view.uid_next ? last : (uint64_t)s->view.uid_next - 1;
        write_holes(s, uid, last, &at, &any);
    }
    if (any)
        write_text(s, "\r\n");
}

/* matched - the last UID that has the number which the client gives it: all that is gone below it
 * the client knows (RFC 7162 3.2.5.2).
 * I 7162:3.2.5.2-1 I 7162:3.2.5.2-2 */
static uint32_t matched(const struct imap_view *view, const struct imap_select *select)
{
    const struct imap_set *numbers = &select->numbers, *uids = &select->uids;
    uint64_t uid = uids->count ? uids->ranges[0].first : 0;
    uint32_t known = 0;
    size_t at = 0;

    for (size_t i = 0; i < numbers->count; i++)
        for (uint64_t number = numbers->ranges[i].first;
             number <= numbers->ranges[i].last && number <= view->messages; number++) {
            if (at == uids->count || view_uid(view, (uint32_t)number) != uid)
                return known;
            known = (uint32_t)uid;
            if (uid++ == uids->ranges[at].last && ++at < uids->count)
                uid = uids->ranges[at].first;
        }
    return known;
}

/* I 7162:3.2.5-5 I 7162:3.2.5.1-1 I 7162:3.2.5.1-2 I 7162:3.2.6-1 */
static void write_earlier(struct postern_imap *s, const struct imap_select *select,
                          const struct postern_imap_mailbox *mailbox)
{
    struct imap_set vanished = {NULL, 0};

    if (!select->qresync || select->uid_validity != mailbox->status.uid_validity)
        return;
    if (mailbox->vanished_known && select->modseq <= mailbox->status.modseq)
        vanished = imap_set_copy(s, mailbox->vanished, mailbox->vanished_count);
    imap_write_earlier(s, select->known, vanished, matched(&s->view, select));
    for (size_t i = 0; i < mailbox->changed_count; i++) /* RFC 7162 3.2.5.1: of those alone */
        if (view_number(&s->view, mailbox->changed[i].uid) &&
            (!select->known.ranges || imap_set_has(&select->known, mailbox->changed[i].uid)))
            imap_write_changed(s, &mailbox->changed[i]);
}

/* I 7162:3.2.5-4 I 6.3.2-2 I 6.3.2-6 I 6.3.2-7 I 6.3.3-2 */
static void selected(struct postern_imap *s, const struct imap_answer *answer)
{
    const struct postern_imap_mailbox *mailbox = answer->mailbox;

    if (answer->err) {
        imap_refuse(s, answer->err);
        return;
    }
    s->state = POSTERN_IMAP_SELECTED;
    s->examined = s->select->examine || mailbox->read_only;
    rights_take(s, s->question.rights);
    s->view.uid_validity = mailbox->status.uid_validity;
    s->view.uid_next = mailbox->status.uid_next;
    s->view.modseq = mailbox->status.modseq;
    s->view.id = mailbox->status.id;
    s->view.recent_from = s->rev2 ? 0 : mailbox->recent_from;
    if (view_set(&s->view, mailbox->ranges, mailbox->range_count) < 0) {
        imap_no_memory(s);
        return;
    }
    if (imap_set_text(s, &s->mailbox, s->question.name) < 0) {
        imap_no_memory(s);
        return;
    }
    imap_learn_keywords(s, mailbox->keywords, mailbox->keyword_count, false);
    imap_rewatch(s);
    write_mailbox_facts(s, mailbox);
    if (s->rev2) { /* RFC 9051 6.3.2: the mailbox, as it is called */
        write_text(s, "* LIST () \"/\" ");
        write_mailbox(s, s->question.name);
        write_text(s, "\r\n");
    }
    write_earlier(s, s->select, mailbox);
    imap_ok(s, s->read_only ? "READ-ONLY" : "READ-WRITE", "selected");
}

/* I 7162:3.2.5-3 I 7162:3.2.11-1 I 6.3.2-9 I 6.3.2-4 I 6.3.2-5 I 6.3.2-8 */
static void open_mailbox(struct postern_imap *s, bool examine)
{
    struct imap_select *select = arena_alloc(&s->arena, sizeof *select);
    struct postern_span name;
    bool had = s->state == POSTERN_IMAP_SELECTED;

    if (!select) {
        imap_no_memory(s);
        return;
    }
    *select = (struct imap_select){.examine = examine};
    parse_space(&s->in);
    name = parse_mailbox(s, &s->in);
    parse_parameters(s, select);
    if (!imap_good(s))
        return;
    s->condstore |= select->condstore;
    imap_unselect(s);
    if (had) /* whether the new one can be opened or not (RFC 9051 6.3.2, RFC 7162 3.2.11) */
        write_text(s, "* OK [CLOSED] the other mailbox is left\r\n");
    s->select = select;
    s->question = (struct postern_imap_question){
        .name = name, .on = examine, .since = select->qresync ? select->modseq : UINT64_MAX};
    imap_ask_if(s, POSTERN_IMAP_SELECT, rights_read, selected);
}

void imap_cmd_select(struct postern_imap *s)
{
    open_mailbox(s, false);
}

/* I 6.3.3-4 I 6.3.3-1 */
void imap_cmd_examine(struct postern_imap *s)
{
    open_mailbox(s, true);
}

/* I 7162:3.2.11-2 I 6.4.2-1
 * I 3691:2-1 I 3691:2-2 */
void imap_cmd_unselect(struct postern_imap *s)
{
    if (!imap_good(s))
        return;
    imap_unselect(s);
    imap_ok(s, NULL, "left");
}
