/* SPDX-License-Identifier: MIT */
/* answers - the application's answers to the open question. A stale id changes nothing. */
#include "proto/pop3/session.h"

static const struct postern_span nothing = {NULL, 0};

int pop3_accept(struct postern_pop3 *s, uint64_t id, enum postern_pop3_question_kind kind)
{
    if (s->asked == ASKED_NOTHING || id == 0 || id != s->question.id)
        return POSTERN_E_STALE;
    if (s->question.kind != kind)
        return POSTERN_E_USAGE;
    s->asked = ASKED_NOTHING;
    s->time_stale = true;
    return 0;
}

int pop3_answered(struct postern_pop3 *s)
{
    if (!s->out.error && !s->failed)
        pop3_advance(s);
    return pop3_result(s);
}

int postern_pop3_answer_connect(struct postern_pop3 *s, uint64_t id, enum postern_verdict verdict,
                                struct postern_span text, struct postern_span stamp)
{
    int err = pop3_accept(s, id, POSTERN_POP3_CONNECT);

    if (err < 0)
        return err;
    if (verdict == POSTERN_YES) {
        pop3_greet(s, stamp);
    } else {
        s->closing = true;
        pop3_err_verdict(s, verdict, text);
    }
    return pop3_answered(s);
}

int postern_pop3_answer_authenticate(struct postern_pop3 *s, uint64_t id,
                                     enum postern_verdict verdict, struct postern_span user,
                                     struct postern_span text)
{
    int err = pop3_accept(s, id, POSTERN_POP3_AUTHENTICATE);

    if (err < 0)
        return err;
    s->verdict = verdict;
    if (verdict == POSTERN_YES && user.n && pop3_set_text(s, &s->name, user) < 0)
        pop3_no_memory(s);
    else if (s->sasl && text.n && verdict != POSTERN_YES &&
             s->question.login.mechanism <= POSTERN_SASL_LOGIN)
        pop3_login_failed(s, verdict, text); /* PLAIN and LOGIN have no words of their own */
    else if (s->sasl)
        pop3_sasl_state(s, postern_sasl_verified(s->sasl, verdict == POSTERN_YES));
    else if (verdict == POSTERN_YES)
        pop3_open_mailbox(s, s->name);
    else
        pop3_login_failed(s, verdict, text);
    return pop3_answered(s);
}

int postern_pop3_answer_keys(struct postern_pop3 *s, uint64_t id, enum postern_verdict verdict,
                             const struct postern_pop3_keys *keys, struct postern_span text)
{
    int err = pop3_accept(s, id, POSTERN_POP3_AUTH_LOOKUP);

    if (err < 0)
        return err;
    if (verdict != POSTERN_YES)
        pop3_login_failed(s, verdict, text);
    else if (s->sasl)
        pop3_sasl_keys(s, keys);
    else
        pop3_apop_keys(s, keys);
    return pop3_answered(s);
}

int postern_pop3_answer_open(struct postern_pop3 *s, uint64_t id, enum postern_verdict verdict,
                             const struct postern_pop3_mailbox *mailbox, struct postern_span text)
{
    int err;

    if (verdict == POSTERN_YES && !mailbox)
        return POSTERN_E_USAGE;
    err = pop3_accept(s, id, POSTERN_POP3_OPEN);
    if (err < 0)
        return err;
    pop3_opened(s, verdict, mailbox, text);
    return pop3_answered(s);
}

int postern_pop3_answer_find(struct postern_pop3 *s, uint64_t id, enum postern_verdict verdict,
                             uint64_t size_bytes, unsigned flags, struct postern_span text)
{
    int err = pop3_accept(s, id, POSTERN_POP3_FIND);

    if (err < 0)
        return err;
    if (verdict == POSTERN_YES)
        pop3_found(s, size_bytes, flags);
    else if (verdict == POSTERN_NO_NOT_FOUND)
        pop3_err(s, "UID/NOT-FOUND", TEXT_NO_UID); /* X3 */
    else
        pop3_err_verdict(s, verdict, text);
    return pop3_answered(s);
}

int postern_pop3_answer_message(struct postern_pop3 *s, uint64_t id, enum postern_verdict verdict,
                                const struct postern_pop3_message *message,
                                struct postern_span text)
{
    int err;

    if (verdict == POSTERN_YES && !message)
        return POSTERN_E_USAGE;
    err = pop3_accept(s, id, POSTERN_POP3_MESSAGE);
    if (err < 0)
        return err;
    if (verdict == POSTERN_YES) {
        pop3_body_begin(s, message);
    } else {
        pop3_body_close(s);
        pop3_err_verdict(s, verdict, text);
    }
    return pop3_answered(s);
}

int postern_pop3_answer_read(struct postern_pop3 *s, uint64_t id, int err,
                             struct postern_span bytes)
{
    int refused;

    if (s->asked != ASKED_NOTHING && id == s->question.id && bytes.n > s->question.length)
        return POSTERN_E_USAGE;
    refused = pop3_accept(s, id, POSTERN_POP3_READ);
    if (refused < 0)
        return refused;
    pop3_body_read(s, err, bytes);
    return pop3_answered(s);
}

int postern_pop3_answer_expunge(struct postern_pop3 *s, uint64_t id, enum postern_verdict verdict,
                                struct postern_span text)
{
    int err = pop3_accept(s, id, POSTERN_POP3_EXPUNGE);

    if (err < 0)
        return err;
    pop3_expunged(s, verdict, text);
    return pop3_answered(s);
}

static int default_command(struct postern_pop3 *s, uint64_t id)
{
    int err = pop3_accept(s, id, POSTERN_POP3_COMMAND);

    if (err < 0)
        return err;
    pop3_run_builtin(s);
    return pop3_answered(s);
}

int postern_pop3_answer_default(struct postern_pop3 *s, uint64_t id)
{
    if (s->asked == ASKED_NOTHING || id != s->question.id)
        return POSTERN_E_STALE;
    switch (s->question.kind) {
    case POSTERN_POP3_CONNECT:
        return postern_pop3_answer_connect(s, id, POSTERN_YES, nothing, nothing);
    case POSTERN_POP3_AUTHENTICATE:
        return postern_pop3_answer_authenticate(s, id, POSTERN_NO_TEMPORARY, nothing, nothing);
    case POSTERN_POP3_AUTH_LOOKUP:
        return postern_pop3_answer_keys(s, id, POSTERN_NO_TEMPORARY, NULL, nothing);
    case POSTERN_POP3_OPEN:
        return postern_pop3_answer_open(s, id, POSTERN_NO_TEMPORARY, NULL, nothing);
    case POSTERN_POP3_FIND:
        return postern_pop3_answer_find(s, id, POSTERN_NO_NOT_FOUND, 0, 0, nothing);
    case POSTERN_POP3_MESSAGE:
        return postern_pop3_answer_message(s, id, POSTERN_NO_TEMPORARY, NULL, nothing);
    case POSTERN_POP3_READ:
        return postern_pop3_answer_read(s, id, POSTERN_E_IO, nothing);
    case POSTERN_POP3_EXPUNGE:
        return postern_pop3_answer_expunge(s, id, POSTERN_NO_TEMPORARY, nothing);
    case POSTERN_POP3_COMMAND:
        return default_command(s, id);
    case POSTERN_POP3_MESSAGE_DONE:
    case POSTERN_POP3_MAILBOX_DONE:
    case POSTERN_POP3_COMMAND_SEEN:
        break;
    }
    return POSTERN_E_STALE; /* news: there is nothing to answer */
}

static int extra_next(const struct postern_pop3 *s, size_t *cursor, struct postern_pop3_ref *ref_r)
{
    while (*cursor < s->list.count + s->marks.extra_count) {
        const struct marks_extra *extra = &s->marks.extras[(*cursor)++ - s->list.count];

        if (extra->is_gone)
            continue;
        *ref_r = (struct postern_pop3_ref){.uid = span_make(extra->uid, extra->uid_length),
                                           .size_bytes = extra->size_bytes};
        return 1;
    }
    return 0;
}

int postern_pop3_expunge_next(const struct postern_pop3 *s, size_t *cursor,
                              struct postern_pop3_ref *ref_r)
{
    if (s->asked == ASKED_NOTHING || s->question.kind != POSTERN_POP3_EXPUNGE)
        return 0;
    if (s->question.reason == POSTERN_POP3_BY_DELI) {
        if (*cursor)
            return 0;
        *cursor = 1;
        *ref_r = s->question.message;
        return 1;
    }
    while (*cursor < s->list.count) {
        size_t at = (*cursor)++;

        if (!marks_is_marked(&s->marks, at) || marks_is_gone(&s->marks, at))
            continue;
        *ref_r = (struct postern_pop3_ref){.number = (uint32_t)at + 1,
                                           .uid = pop3_uid(s, at),
                                           .size_bytes = s->list.entries[at].size_bytes};
        return 1;
    }
    return extra_next(s, cursor, ref_r);
}
