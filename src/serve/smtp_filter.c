/* SPDX-License-Identifier: MIT */
/* smtp_filter - a message is whole, and a filter is asked: on a worker that may wait. Nothing of it
 * is staged before. */
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

int smtp_filter(struct serve_smtp *s)
{
    const struct serve_filter *filter = s->site->filter;
    struct filter_question question = {.sender = buffer_span(&s->sender),
                                       .recipients = buffer_span(&s->addresses),
                                       .helo = postern_smtp_helo(s->engine),
                                       .peer = span_make(s->login.peer, s->login.address_n),
                                       .user = postern_span_of(s->login.user),
                                       .protocol = postern_smtp_protocol(s->engine),
                                       .transaction = s->question.transaction,
                                       .message = &s->whole};
    int err = filter->judge(filter->ctx, &question, &s->verdict);

    if (err < 0) {
        buffer_done(&s->verdict.headers);
        s->verdict = (struct filter_verdict){0};
        if (!filter->accepts_on_failure)
            refuse(s, 451, "4.7.1", "the message could not be looked at");
    }
    return s->verdict.code ? POSTERN_E_DENIED : 0;
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
