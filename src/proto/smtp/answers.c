/* SPDX-License-Identifier: MIT */
/* answers - the application's words: checked against the open question, then handed on. */
#include "proto/smtp/session.h"

static unsigned mask(enum postern_smtp_question_kind kind)
{
    return 1u << kind;
}

static int take(struct postern_smtp *s, uint64_t id, unsigned kinds,
                const struct smtp_answer *answer)
{
    if (s->asked != ASKED_SHOWN || id != s->last_id)
        return POSTERN_E_STALE;
    if (!(kinds & mask(s->question.kind)))
        return POSTERN_E_USAGE;
    s->asked = ASKED_NOTHING;
    smtp_touch(s, s->now);
    s->then(s, answer);
    if (s->state != POSTERN_SMTP_OVER && s->asked == ASKED_NOTHING && !s->sasl)
        smtp_command_over(s);
    if (s->eof && smtp_is_idle(s))
        smtp_over(s);
    return smtp_result_of(s);
}

#define LOGIN_KINDS (mask(POSTERN_SMTP_AUTHENTICATE) | mask(POSTERN_SMTP_AUTH_LOOKUP))

int postern_smtp_answer(struct postern_smtp *s, uint64_t id, const struct postern_smtp_reply *reply)
{
    return take(s, id, ~LOGIN_KINDS, &(struct smtp_answer){.replies = reply, .count = 1});
}

int postern_smtp_answer_each(struct postern_smtp *s, uint64_t id,
                             const struct postern_smtp_reply *replies, size_t count)
{
    if (s->o.role != POSTERN_SMTP_LMTP || count != s->recipient_count)
        return POSTERN_E_USAGE;
    return take(s, id, mask(POSTERN_SMTP_COMMIT),
                &(struct smtp_answer){.replies = replies, .count = count});
}

int postern_smtp_answer_authenticate(struct postern_smtp *s, uint64_t id,
                                     enum postern_verdict verdict, struct postern_span user)
{
    return take(s, id, mask(POSTERN_SMTP_AUTHENTICATE),
                &(struct smtp_answer){.verdict = verdict, .text = user});
}

int postern_smtp_answer_keys(struct postern_smtp *s, uint64_t id, enum postern_verdict verdict,
                             const struct postern_scram_keys *keys, struct postern_span user)
{
    return take(s, id, mask(POSTERN_SMTP_AUTH_LOOKUP),
                &(struct smtp_answer){.verdict = verdict, .keys = keys, .text = user});
}

int postern_smtp_answer_default(struct postern_smtp *s, uint64_t id)
{
    static const struct postern_smtp_reply relay = REPLY(550, "5.7.1", "relaying denied"),
                                           later = REPLY(451, "4.3.0", "temporarily unavailable"),
                                           unknown = REPLY(252, "2.0.0", "try it");
    const struct postern_smtp_reply *reply = &later;

    switch (s->question.kind) {
    case POSTERN_SMTP_AUTHENTICATE:
        return postern_smtp_answer_authenticate(s, id, POSTERN_NO_CREDENTIALS,
                                                (struct postern_span){NULL, 0});
    case POSTERN_SMTP_AUTH_LOOKUP:
        return postern_smtp_answer_keys(s, id, POSTERN_NO_TEMPORARY, NULL,
                                        (struct postern_span){NULL, 0});
    case POSTERN_SMTP_CONNECT:
    case POSTERN_SMTP_HELO:
    case POSTERN_SMTP_TLS:
    case POSTERN_SMTP_MAIL:
    case POSTERN_SMTP_HEADERS:
        reply = NULL;
        break;
    case POSTERN_SMTP_RCPT:
        reply = &relay;
        break;
    case POSTERN_SMTP_VERIFY:
        reply = &unknown;
        break;
    default:
        break;
    }
    return postern_smtp_answer(s, id, reply);
}
