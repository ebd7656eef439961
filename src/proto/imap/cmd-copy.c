/* SPDX-License-Identifier: MIT */
/* cmd-copy - COPY and MOVE (RFC 9051 6.4.7, 6.4.8; RFC 4315, RFC 6851). All or none. */
#include "proto/imap/commands.h"
#include "proto/imap/rights.h"

/* I 6.4.7-4 I 4315:3-2 */
static void write_code(struct postern_imap *s, const struct imap_answer *answer,
                       const struct postern_imap_question *asked)
{
    write_text(s, "[COPYUID ");
    write_number(s, answer->uid_validity);
    write_text(s, " ");
    write_uids(s, asked->uids, asked->uid_count);
    write_text(s, " ");
    write_uids(s, answer->uids, answer->count);
    write_text(s, "]");
}

/* copy_code - "OK [COPYUID ...]" as the command's result. */
static void copy_code(struct postern_imap *s, const struct imap_answer *answer)
{
    struct buffer out = s->out, line;

    s->out = (struct buffer){.allocator = s->o.allocator};
    write_text(s, "OK ");
    write_code(s, answer, &s->question);
    line = s->out;
    s->out = out;
    s->errors = 0;
    imap_result_take(s, &line, "copied");
}

/* copied - the code can be as long as the mailbox: it is written at once.
 * I 6851:4.4-1 I 6851:4.4-2 I 6.4.7-2 I 6.4.7-3 I 6.4.8-3 I 6.4.8-5 I 4315:3-3 I 6851:4.3-1
 * I 6851:3.3-2 */
static void copied(struct postern_imap *s, const struct imap_answer *answer)
{
    bool told = answer->count == s->question.uid_count && answer->uid_validity;

    if (answer->err == POSTERN_E_STALE) {
        imap_no(s, "EXPUNGEISSUED", "some of the messages are gone");
        return;
    }
    if (answer->err) {
        imap_refuse_target(s, answer->err);
        return;
    }
    if (s->question.on) { /* MOVE: before the EXPUNGE lines (RFC 6851 4.3) */
        if (told) {
            write_text(s, "* OK ");
            write_code(s, answer, &s->question);
            write_text(s, " done\r\n");
        }
        imap_ok_removed(s, "moved");
        return;
    }
    if (!told) {
        imap_ok(s, NULL, "copied");
        return;
    }
    copy_code(s, answer);
}

/* struct imap_copy - what is asked once the news are told. */
struct imap_copy {
    struct postern_imap_question question;
    uint32_t *uids;
    bool passes_over; /* those that are gone: UIDs, and "$", which has them no more */
};

/* copy_now - the news are told: UIDs that are gone are passed over (RFC 9051 6.4.9), as in "$"
 * (6.4.4.1); a number whose message is gone cannot be copied, and so none is. */
static void copy_now(struct postern_imap *s)
{
    struct postern_imap_question question = s->copy->question;
    size_t there = 0;

    s->after_news = NULL;
    for (size_t i = 0; i < question.uid_count; i++)
        if (view_number(&s->view, s->copy->uids[i]))
            s->copy->uids[there++] = s->copy->uids[i];
    if (there < question.uid_count && !s->copy->passes_over) {
        imap_no(s, "EXPUNGEISSUED", "some of the messages are gone");
        return;
    }
    question.uid_count = there;
    if (!there) {
        imap_ok(s, NULL, "there is no such message");
        return;
    }
    s->question = question;
    imap_ask_if(s, POSTERN_IMAP_COPY, rights_insert, copied);
}

/* copy_later - the numbers are those from before the news. */
static void copy_later(struct postern_imap *s, const struct postern_imap_question *question,
                       uint32_t *uids, bool passes_over)
{
    s->copy = arena_alloc(&s->arena, sizeof *s->copy);
    if (!s->copy) {
        imap_no_memory(s);
        return;
    }
    *s->copy = (struct imap_copy){.question = *question, .uids = uids, .passes_over = passes_over};
    s->copy->question.uids = uids;
    s->after_news = copy_now;
    imap_news_ask(s);
}

/* I 6.4.7-5 I 6.4.8-6 I 6851:3.1-1 I 6851:3.3-1 I 6851:3.3-3 */
static void copy_or_move(struct postern_imap *s, bool move)
{
    struct postern_imap_question question = {.on = move};
    struct imap_set set;
    uint32_t *uids = NULL, limit = imap_limit_of_saving(s);
    bool saved;

    parse_space(&s->in);
    saved = s->in.rest.n && s->in.rest.p[0] == '$';
    parse_set(s, &s->in, s->by_uid, &set);
    parse_space(&s->in);
    question.name = parse_mailbox(s, &s->in);
    if (!imap_good(s))
        return;
    if (move && s->read_only) {
        imap_no(s, "READ-ONLY", "the mailbox can only be read");
        return;
    }
    if (move && !rights_has(s, RIGHTS_TAKE_OUT)) {
        imap_refuse(s, POSTERN_E_DENIED);
        return;
    }
    question.uid_count = imap_set_uids(s, &set, &uids);
    if (!move && limit && question.uid_count > limit) { /* all or none (RFC 9738 3.1) */
        imap_no_limit(s, limit, uids[question.uid_count - limit]);
        return;
    }
    if (move)
        question.uid_count = imap_limit_cut(s, &uids, question.uid_count);
    if (!question.uid_count) {
        imap_ok(s, NULL, "there is no such message");
        return;
    }
    copy_later(s, &question, uids, saved || s->by_uid);
}

void imap_cmd_copy(struct postern_imap *s)
{
    copy_or_move(s, false);
}

/* I 6.4.8-1 */
void imap_cmd_move(struct postern_imap *s)
{
    copy_or_move(s, true);
}
