/* SPDX-License-Identifier: MIT */
/* cmd-ehlo - the greeting, EHLO, HELO, LHLO (RFC 5321 3.1, 4.1.1.1; RFC 2033 4.1). Each of the
 * three also ends a transaction (C4). What is offered is what would be done now (C7). */
#include "codec/utf8.h"
#include "proto/smtp/session.h"

#define NAME_MAX_OCTETS 255

static void write_line(struct postern_smtp *s, const char *text)
{
    buffer_append_text(&s->out, "250-");
    buffer_append_text(&s->out, text);
    buffer_append_text(&s->out, "\r\n");
}

void smtp_greet(struct postern_smtp *s, const struct smtp_answer *answer)
{
    static const struct postern_smtp_reply welcome = REPLY_SILENT(220, NULL);

    if (answer && answer->replies && answer->replies->code / 100 != 2) {
        (void)smtp_answered(s, answer, &welcome);
        if (s->state == POSTERN_SMTP_OVER)
            return;
        s->refused = true; /* A3 */
        s->state = POSTERN_SMTP_CONNECTED;
        return;
    }
    if (answer && s->o.greeting_delay && smtp_must_wait(s))
        return; /* the clock will call again */
    /* A1 C2: no enhanced code in it, no version */
    s->state = POSTERN_SMTP_CONNECTED;
    s->last = s->now;
    buffer_append_text(&s->out, "220 ");
    buffer_append(&s->out, s->o.hostname);
    buffer_append_text(&s->out, s->o.role == POSTERN_SMTP_LMTP ? " LMTP " : " ESMTP ");
    buffer_append(&s->out, s->o.greeting);
    buffer_append_text(&s->out, "\r\n");
}

void smtp_tls_judged(struct postern_smtp *s, const struct smtp_answer *answer)
{
    static const struct postern_smtp_reply welcome = REPLY_SILENT(220, "2.0.0");

    if (!smtp_answered(s, answer, &welcome))
        s->refused = true;
}

/* ---- the keywords ---------------------------------------------------------------------------- */

static void write_number_line(struct postern_smtp *s, const char *keyword, uint64_t number)
{
    buffer_append_text(&s->out, "250-");
    buffer_append_text(&s->out, keyword);
    buffer_append_number(&s->out, number);
    buffer_append_text(&s->out, "\r\n");
}

static void write_limits(struct postern_smtp *s)
{
    buffer_append_text(&s->out, "250-LIMITS RCPTMAX=");
    buffer_append_number(&s->out, s->o.recipients_max);
    buffer_append_text(&s->out, " MAILMAX=");
    buffer_append_number(&s->out, s->o.transactions_max);
    buffer_append_text(&s->out, "\r\n");
}

/* Q5: the same for all; J1: PIPELINING is true of what is fed as it comes */
static void write_keywords(struct postern_smtp *s)
{
    write_line(s, "PIPELINING");
    write_number_line(s, "SIZE ", s->o.message_max);
    write_line(s, "8BITMIME");
    if (s->o.smtputf8)
        write_line(s, "SMTPUTF8");
    write_line(s, "CHUNKING");
    if (s->o.binarymime)
        write_line(s, "BINARYMIME");
    write_limits(s);
    if (s->o.tls_available && !s->tls)
        write_line(s, "STARTTLS");
    if (smtp_offers_auth(s)) {
        buffer_append_text(&s->out, "250-AUTH");
        smtp_write_mechanisms(s);
        buffer_append_text(&s->out, "\r\n");
    }
    if (s->o.trusted)
        write_line(s, "XCLIENT NAME ADDR PORT PROTO HELO LOGIN");
    buffer_append_text(&s->out, "250 ENHANCEDSTATUSCODES\r\n");
}

/* ---- the commands ---------------------------------------------------------------------------- */

static void heard(struct postern_smtp *s, const struct smtp_answer *answer)
{
    static const struct postern_smtp_reply fine = REPLY_SILENT(250, "2.0.0");

    if (!smtp_answered(s, answer, &fine))
        return;
    if (smtp_set_text(s, &s->helo, s->question.name) < 0) {
        smtp_no_memory(s);
        return;
    }
    s->extended = s->question.extended;
    s->state = POSTERN_SMTP_READY;
    buffer_append_text(&s->out, s->extended ? "250-" : "250 ");
    buffer_append(&s->out, s->o.hostname);
    buffer_append_text(&s->out, "\r\n");
    if (s->extended)
        write_keywords(s);
}

/* is_name - one word of what can be seen (C1); what it means is not asked. */
static bool is_name(struct postern_span name)
{
    return name.n >= 1 && name.n <= NAME_MAX_OCTETS && span_find(name, ' ') == name.n &&
           utf8_is_valid(name);
}

static void hello(struct postern_smtp *s, struct postern_span name, bool extended)
{
    if (!is_name(name)) {
        smtp_refuse(s, 501, "5.5.4", "a host name is wanted");
        return;
    }
    smtp_forget(s, true);
    s->question = (struct postern_smtp_question){.name = name, .extended = extended};
    smtp_ask(s, POSTERN_SMTP_HELO, heard);
}

void smtp_cmd_ehlo(struct postern_smtp *s, struct postern_span argument)
{
    hello(s, argument, true);
}

void smtp_cmd_helo(struct postern_smtp *s, struct postern_span argument)
{
    hello(s, argument, false);
}
