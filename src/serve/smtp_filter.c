/* SPDX-License-Identifier: MIT */
/* smtp_filter - a message is whole, and another program has its say: a filter, before anything is
 * staged, and a sendmail, which gets it for those elsewhere when it is staged for those here. On a
 * worker that may wait. */
#include "serve/smtp_session.h"

#include "base/span.h"
#include <stdio.h>

#define CHUNK 65536

static void refuse(struct serve_smtp *s, unsigned code, const char *enhanced, const char *text)
{
    s->verdict.code = code;
    snprintf(s->verdict.enhanced, sizeof s->verdict.enhanced, "%s", enhanced);
    snprintf(s->verdict.text, sizeof s->verdict.text, "%s", text);
}

/* judge - the verdict of one of them, in s->verdict; <0: it could not be asked. */
static int judge(struct serve_smtp *s, const struct serve_filter *filter,
                 const struct buffer *recipients)
{
    struct filter_question question = {.sender = buffer_span(&s->sender),
                                       .recipients = buffer_span(recipients),
                                       .helo = postern_smtp_helo(s->engine),
                                       .peer = span_make(s->login.peer, s->login.address_n),
                                       .user = postern_span_of(s->login.user),
                                       .protocol = postern_smtp_protocol(s->engine),
                                       .transaction = s->question.transaction,
                                       .message = &s->whole};

    return filter->judge(filter->ctx, &question, &s->verdict);
}

int smtp_filter(struct serve_smtp *s)
{
    const struct serve_filter *filter = s->site->filter;
    int err = judge(s, filter, &s->addresses);

    if (err < 0) {
        buffer_done(&s->verdict.headers);
        s->verdict = (struct filter_verdict){0};
        if (!filter->accepts_on_failure)
            refuse(s, 451, "4.7.1", "the message could not be looked at");
    }
    return s->verdict.code ? POSTERN_E_DENIED : 0;
}

/* L7: its answer is the user's. */
int smtp_sendmail(struct serve_smtp *s)
{
    char text[200];

    if (judge(s, s->site->sendmail, &s->others) < 0 && !s->verdict.code)
        refuse(s, 451, "4.3.0", "it cannot be handed on now");
    if (!s->verdict.code)
        return 0;
    login_name(text, sizeof text, postern_span_of(s->verdict.text));
    login_log(&s->login, "sendmail-refused", "status", s->verdict.enhanced, "text", text);
    return POSTERN_E_DENIED;
}

int smtp_pour(struct serve_smtp *s)
{
    char bytes[CHUNK];
    uint64_t at = 0;
    int n, err = 0;

    while (!err && (n = spool_read(&s->whole, at, bytes, sizeof bytes)) != 0) {
        err = n < 0 ? n : smtp_write_all(s, span_make(bytes, (size_t)n));
        at += n > 0 ? (uint64_t)n : 0;
    }
    return err;
}
