/* SPDX-License-Identifier: MIT */
/* smtp_filter - other programs have their say: filters, those that want it at MAIL and RCPT, all of
 * them once a message is whole, one after the other, before anything is staged; and a sendmail,
 * which gets it for those elsewhere when it is staged for those here. On a worker that may wait. */
#include "serve/smtp_session.h"

#include "base/span.h"
#include <stdio.h>

#define CHUNK 65536

enum stage { AT_MAIL, AT_RCPT, AT_END };

void filter_refuse(struct filter_verdict *verdict, unsigned code, const char *enhanced,
                   struct postern_span text)
{
    verdict->code = code;
    snprintf(verdict->enhanced, sizeof verdict->enhanced, "%s", enhanced);
    snprintf(verdict->text, sizeof verdict->text, "%.*s", SPAN_ARG(text));
}

void smtp_filters_end(struct serve_smtp *s)
{
    const struct serve_filters *filters = s->site->filters;

    for (size_t i = 0; filters && i < filters->count; i++)
        if (s->talks[i])
            filters->all[i].ops->end(&s->talks[i]);
}

void smtp_filters_close(struct serve_smtp *s)
{
    const struct serve_filters *filters = s->site->filters;

    for (size_t i = 0; filters && i < filters->count; i++)
        if (s->talks[i])
            filters->all[i].ops->close(&s->talks[i]);
}

/* port_of - what stands behind the address. */
static unsigned port_of(const struct serve_smtp *s)
{
    struct postern_span rest = span_from(postern_span_of(s->login.peer), s->login.address_n + 1);
    uint64_t port = 0;

    return span_number(rest, 65535, &port) ? (unsigned)port : 0;
}

static struct filter_question question_of(struct serve_smtp *s)
{
    struct postern_span none = {NULL, 0};

    return (struct filter_question){
        .sender = buffer_span(&s->sender),
        .recipients = buffer_span(&s->addresses),
        .recipient = s->question.path.text,
        .helo = postern_smtp_helo(s->engine),
        .peer = smtp_peer_address(s),
        .user = postern_span_of(login_user(&s->login)),
        .method = postern_span_of(*login_user(&s->login) ? s->login.method : ""),
        .port = port_of(s),
        .name = s->peer_name[0] ? postern_span_of(s->peer_name) : none,
        .protocol = postern_smtp_protocol(s->engine),
        .transaction = s->question.transaction,
        .hostname = s->site->smtp->hostname,
        .tls = s->site->work->tls ? postern_span_of(s->site->work->tls(s->conn)) : none,
        .delivered = s->target_count == 1 ? postern_span_of(s->targets[0]->user) : none,
        .message = &s->whole};
}

static int ask(struct serve_smtp *s, size_t number, enum stage stage,
               const struct filter_question *question, struct filter_verdict *verdict)
{
    const struct serve_filter *filter = &s->site->filters->all[number];
    void **talk = &s->talks[number];

    if (stage == AT_END)
        return filter->ops->judge(filter, talk, question, verdict);
    if (stage == AT_MAIL)
        return filter->ops->mail ? filter->ops->mail(filter, talk, question, verdict) : 0;
    return filter->ops->rcpt ? filter->ops->rcpt(filter, talk, question, verdict) : 0;
}

/* take - one filter's verdict becomes part of the message's. */
static void take(struct serve_smtp *s, const struct filter_verdict *verdict)
{
    const char *mailbox = verdict->mailbox[0] ? verdict->mailbox
                          : verdict->spam     ? s->site->filters->junk
                                              : "";

    s->verdict.discarded |= verdict->discarded;
    if (*mailbox)
        snprintf(s->verdict.mailbox, sizeof s->verdict.mailbox, "%s", mailbox);
    if (verdict->code)
        filter_refuse(&s->verdict, verdict->code, verdict->enhanced,
                      postern_span_of(verdict->text));
}

static void failed(struct serve_smtp *s, const struct serve_filter *filter, int err)
{
    login_log(&s->login, "filter-failed", "filter", filter->name, "why", postern_err_text(err));
    if (!s->site->filters->accepts_on_failure)
        filter_refuse(&s->verdict, 451, "4.7.1", SPAN("the message could not be looked at"));
}

static void ask_one(struct serve_smtp *s, size_t number, enum stage stage)
{
    const struct serve_filters *filters = s->site->filters;
    struct filter_verdict verdict = {.edits = {.body_max = filters->body_max}};
    struct filter_question question = question_of(s);
    int err;

    verdict.edits.body.folder = s->site->spool_folder;
    err = ask(s, number, stage, &question, &verdict);
    if (!err && !verdict.code && !verdict.discarded)
        err = edits_apply(&verdict.edits, &s->whole);
    if (!err && !verdict.code && !verdict.discarded)
        err = smtp_change_envelope(s, buffer_span(&verdict.envelope));
    if (err < 0)
        failed(s, &filters->all[number], err);
    else
        take(s, &verdict);
    if (!err && (verdict.code || verdict.discarded))
        login_log(&s->login, "filtered", "filter", filters->all[number].name, "text",
                  verdict.code ? verdict.text : "discarded");
    edits_done(&verdict.edits);
    buffer_done(&verdict.envelope);
}

/* name_find - once for a client; where nobody knows it, that is known as well. */
static void name_find(struct serve_smtp *s)
{
    const struct serve_filters *filters = s->site->filters;
    struct postern_span address = smtp_peer_address(s);

    if (!s->peer_named && filters && filters->name_of && address.n)
        (void)!filters->name_of(address, s->peer_name, sizeof s->peer_name);
    s->peer_named = true;
}

/* ask_all - one filter after the other, until one refuses. */
static int ask_all(struct serve_smtp *s, enum stage stage)
{
    size_t count = s->site->filters ? s->site->filters->count : 0;

    s->verdict.code = 0;
    name_find(s);
    for (size_t i = 0; !s->verdict.code && !s->verdict.discarded && i < count; i++)
        ask_one(s, i, stage);
    return s->verdict.code ? POSTERN_E_DENIED : 0;
}

int smtp_filter(struct serve_smtp *s)
{
    return ask_all(s, AT_END);
}

/* L7: its answer is the user's. */
int smtp_sendmail(struct serve_smtp *s)
{
    const struct serve_filter *sendmail = s->site->sendmail;
    struct filter_question question = question_of(s);
    struct filter_verdict verdict = {0};
    char text[200];
    void *none = NULL;

    question.recipients = buffer_span(&s->others);
    if (sendmail->ops->judge(sendmail, &none, &question, &verdict) < 0)
        filter_refuse(&verdict, 451, "4.3.0", SPAN("it cannot be handed on now"));
    take(s, &verdict);
    if (!verdict.code)
        return 0;
    login_name(text, sizeof text, postern_span_of(verdict.text));
    login_log(&s->login, "sendmail-refused", "status", verdict.enhanced, "text", text);
    return POSTERN_E_DENIED;
}

int smtp_pour(struct serve_smtp *s, int (*write)(struct serve_smtp *s, struct postern_span bytes))
{
    char bytes[CHUNK];
    uint64_t at = 0;
    int n, err = 0;

    while (!err && (n = spool_read(&s->whole, at, bytes, sizeof bytes)) != 0) {
        err = n < 0 ? n : write(s, span_make(bytes, (size_t)n));
        at += n > 0 ? (uint64_t)n : 0;
    }
    return err;
}

/* ---- MAIL and RCPT --------------------------------------------------------------------------- */

bool smtp_filters_envelope(const struct serve_smtp *s)
{
    return s->site->filters && s->site->filters->sees_envelope;
}

void smtp_say_verdict(struct serve_smtp *s)
{
    smtp_say(s, s->verdict.code, s->verdict.enhanced, s->verdict.text);
}

static int mail_work(struct serve_smtp *s, unsigned wait_flag)
{
    (void)wait_flag;
    return ask_all(s, AT_MAIL);
}

static void mail_finish(struct serve_smtp *s, int err)
{
    if (!err) {
        smtp_yes(s);
        return;
    }
    smtp_say_verdict(s);
    smtp_drop(s);
}

static int rcpt_work(struct serve_smtp *s, unsigned wait_flag)
{
    (void)wait_flag;
    return ask_all(s, AT_RCPT);
}

static void rcpt_finish(struct serve_smtp *s, int err)
{
    if (err)
        smtp_say_verdict(s);
    else
        smtp_accept_recipient(s);
}

const struct smtp_work smtp_filter_mail = {mail_work, mail_finish, false, true},
                       smtp_filter_rcpt = {rcpt_work, rcpt_finish, false, true};
