/* SPDX-License-Identifier: MIT */
/* cmd-quit - QUIT, SLEE and QAUT: the three ways into the UPDATE state (R16 R25 X10 X30).
 * All ask for the marked set at once. QUIT ends the session whatever the answer is; the others stay
 * where they were when the answer is no. */
#include "proto/pop3/session.h"

static void left(struct postern_pop3 *s, size_t deleted)
{
    struct reply reply;

    switch (s->question.reason) {
    case POSTERN_POP3_BY_SLEE:
        pop3_close_mailbox(s);
        pop3_enter(s, POSTERN_POP3_ASLEEP);
        reply.n = 0;
        reply_add(&reply, text_get(s->language, TEXT_ASLEEP));
        reply_add(&reply, SPAN(": "));
        reply_add_number(&reply, deleted);
        pop3_line(s, true, NULL, span_make(reply.bytes, reply.n), false);
        pop3_finish(s, true);
        break;
    case POSTERN_POP3_BY_QAUT:
        pop3_close_mailbox(s);
        pop3_forget_login(s);
        pop3_enter(s, POSTERN_POP3_AUTHORIZATION);
        s->began = s->now; /* a new login, a new time for it */
        pop3_ok(s, TEXT_LOGGED_OUT);
        break;
    case POSTERN_POP3_BY_QUIT:
    case POSTERN_POP3_BY_DELI:
        pop3_close_mailbox(s);
        s->closing = true;
        pop3_ok(s, TEXT_BYE);
        break;
    }
}

static void leave(struct postern_pop3 *s, enum postern_pop3_expunge_reason reason)
{
    size_t count = s->marks.marked_count + s->marks.extra_marked_count;

    s->question = (struct postern_pop3_question){.reason = reason, .count = count};
    if (count)
        pop3_ask(s, POSTERN_POP3_EXPUNGE);
    else
        left(s, 0);
}

static void deli_answered(struct postern_pop3 *s, enum postern_verdict verdict,
                          struct postern_span text)
{
    int err;

    if (verdict != POSTERN_YES) {
        pop3_err_verdict(s, verdict, text);
        return;
    }
    if (s->ref.number)
        err = marks_set_gone(&s->marks, s->ref.number - 1, s->ref.size_bytes);
    else
        err = marks_add_extra(&s->marks, s->ref.uid, s->ref.size_bytes, true);
    if (err < 0)
        pop3_no_memory(s);
    else
        pop3_ok(s, TEXT_DELETED);
}

void pop3_expunged(struct postern_pop3 *s, enum postern_verdict verdict, struct postern_span text)
{
    if (s->question.reason == POSTERN_POP3_BY_DELI) {
        deli_answered(s, verdict, text);
    } else if (verdict == POSTERN_YES) {
        left(s, s->question.count);
    } else if (s->question.reason == POSTERN_POP3_BY_QUIT) {
        if (text.n == 0)
            text = text_get(s->language, TEXT_NOT_REMOVED);
        pop3_close_mailbox(s);
        s->closing = true;
        pop3_line(s, false, pop3_verdict_code(verdict), text, true);
        pop3_finish(s, false);
    } else {
        pop3_err_verdict(s, verdict, text);
    }
}

void pop3_cmd_quit(struct postern_pop3 *s)
{
    if (s->state == POSTERN_POP3_TRANSACTION) {
        leave(s, POSTERN_POP3_BY_QUIT);
        return;
    }
    s->closing = true;
    pop3_ok(s, TEXT_BYE);
}

void pop3_cmd_slee(struct postern_pop3 *s)
{
    leave(s, POSTERN_POP3_BY_SLEE);
}

void pop3_cmd_qaut(struct postern_pop3 *s)
{
    leave(s, POSTERN_POP3_BY_QAUT);
}
