/* SPDX-License-Identifier: MIT */
/* replies - how a command ends: one line, the counters, and what follows from them.
 * No text after +OK or -ERR begins with "[" unless it is a response code (R6 R45 R50). */
#include "proto/pop3/session.h"

void pop3_line(struct postern_pop3 *s, bool ok, const char *code, struct postern_span text,
               bool foreign)
{
    struct reply reply;

    reply.n = 0;
    reply_add(&reply, ok ? SPAN("+OK") : SPAN("-ERR"));
    if (code) {
        reply_add(&reply, SPAN(" ["));
        reply_add(&reply, postern_span_of(code));
        reply_add(&reply, SPAN("]"));
    }
    if (text.n) {
        reply_add(&reply, SPAN(" "));
        if (foreign)
            reply_add_foreign(&reply, text, s->utf8 || s->language != LANGUAGE_DEFAULT);
        else
            reply_add(&reply, text);
    }
    reply_write(&reply, &s->out);
}

void pop3_finish(struct postern_pop3 *s, bool ok)
{
    arena_drop(&s->arena);
    s->work = WORK_NONE;
    s->in_multiline = false;
    s->ref = (struct postern_pop3_ref){0};
    s->row = NULL;
    s->rest = (struct postern_span){NULL, 0};
    s->argument_count = 0;
    if (ok)
        s->errors = 0;
    if (s->o.watch && s->command[0])
        pop3_tell(s, POSTERN_POP3_COMMAND_SEEN, 0, ok);
    if (!s->closing && s->shutdown && !s->want_tls)
        pop3_line(s, false, "SYS/TEMP", text_get(s->language, TEXT_SHUTDOWN), false);
    if (s->closing || s->shutdown || (s->eof && pop3_is_idle(s)))
        pop3_over(s);
}

void pop3_ok(struct postern_pop3 *s, enum pop3_text text)
{
    pop3_line(s, true, NULL, text_get(s->language, text), false);
    pop3_finish(s, true);
}

void pop3_err(struct postern_pop3 *s, const char *code, enum pop3_text text)
{
    pop3_line(s, false, code, text_get(s->language, text), false);
    pop3_finish(s, false);
}

/* R9 R10: a command that is unknown, malformed or out of place */
void pop3_bad(struct postern_pop3 *s, enum pop3_text text)
{
    if (++s->errors >= s->o.errors_max) {
        s->closing = true;
        text = TEXT_TOO_MANY;
    }
    pop3_err(s, NULL, text);
}

const char *pop3_verdict_code(enum postern_verdict verdict)
{
    switch (verdict) {
    case POSTERN_NO_CREDENTIALS: /* R56 R57 */
        return "AUTH";
    case POSTERN_NO_TEMPORARY: /* R55 */
        return "SYS/TEMP";
    case POSTERN_NO_PERMANENT:
        return "SYS/PERM";
    case POSTERN_NO_IN_USE: /* R51 */
        return "IN-USE";
    case POSTERN_NO_LOGIN_DELAY: /* R46 */
        return "LOGIN-DELAY";
    case POSTERN_NO_READ_ONLY:
        return "READ-ONLY";
    case POSTERN_YES:
    case POSTERN_NO_POLICY:
    case POSTERN_NO_NOT_FOUND:
        break;
    }
    return NULL;
}

enum pop3_text pop3_verdict_text(enum postern_verdict verdict)
{
    switch (verdict) {
    case POSTERN_NO_CREDENTIALS:
        return TEXT_AUTH_FAILED;
    case POSTERN_NO_TEMPORARY:
        return TEXT_TEMPORARY;
    case POSTERN_NO_IN_USE:
        return TEXT_IN_USE;
    case POSTERN_NO_LOGIN_DELAY:
        return TEXT_LOGIN_DELAY;
    case POSTERN_NO_POLICY:
        return TEXT_POLICY;
    case POSTERN_NO_NOT_FOUND:
        return TEXT_NO_MESSAGE;
    case POSTERN_NO_READ_ONLY:
        return TEXT_READ_ONLY;
    case POSTERN_YES:
    case POSTERN_NO_PERMANENT:
        break;
    }
    return TEXT_PERMANENT;
}

void pop3_err_verdict(struct postern_pop3 *s, enum postern_verdict verdict,
                      struct postern_span text)
{
    bool foreign = text.n != 0;

    if (!foreign)
        text = text_get(s->language, pop3_verdict_text(verdict));
    pop3_line(s, false, pop3_verdict_code(verdict), text, foreign);
    pop3_finish(s, false);
}

void pop3_login_failed(struct postern_pop3 *s, enum postern_verdict verdict,
                       struct postern_span text)
{
    if (verdict == POSTERN_NO_CREDENTIALS && ++s->failures >= s->o.failures_max)
        s->closing = true; /* R14 */
    pop3_err_verdict(s, verdict, text);
    pop3_forget_login(s); /* after the line: the text may be lent from what is forgotten */
}
