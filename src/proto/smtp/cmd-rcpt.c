/* SPDX-License-Identifier: MIT */
/* cmd-rcpt - RCPT (RFC 5321 4.1.1.3): read here, decided by the application, without whom nobody
 * is a recipient (F2). */
#include "proto/smtp/path.h"
#include "proto/smtp/session.h"

/* F11: in our words */
static void accepted(struct postern_smtp *s, const struct smtp_answer *answer)
{
    static const struct postern_smtp_reply fine = REPLY(250, "2.1.5", "recipient fine");

    if (!smtp_answered(s, answer, &fine)) {
        /* an MTA tries what it has to deliver, a stranger tries names */
        if (s->o.role == POSTERN_SMTP_MX && !s->o.trusted && ++s->errors >= s->o.errors_max &&
            s->state != POSTERN_SMTP_OVER)
            smtp_end(s, "4.7.0", "too many errors");
        return;
    }
    s->state = POSTERN_SMTP_RECIPIENTS;
    s->recipient_count++;
    buffer_append(&s->recipients, s->question.path.text);
    buffer_append_char(&s->recipients, '\0');
}

static bool is_postmaster(const struct postern_smtp_path *path)
{
    return span_equal_nocase(path->local, SPAN("postmaster"));
}

/* fault_of - 0: it is an address of somebody (E, F1, F4). */
static unsigned fault_of(struct postern_smtp *s, enum path_fault fault, struct postern_span rest,
                         const char **enhanced_r, const char **text_r)
{
    const struct postern_smtp_path *path = &s->question.path;

    *enhanced_r = fault == PATH_UTF8 ? "5.6.7" : "5.1.3";
    *text_r = fault == PATH_TOO_LONG ? "address too long" : "this is no address";
    if (fault)
        return fault == PATH_UTF8 ? 553 : 501;
    if (!path->text.n || (!path->domain.p && !s->o.domain_optional && !is_postmaster(path)))
        return 501;
    *enhanced_r = "5.5.4";
    *text_r = "something stands behind the address";
    if (rest.n && rest.p[0] != ' ')
        return 501;
    *enhanced_r = "5.6.7";
    *text_r = "SMTPUTF8 was not said";
    return path->utf8 && !s->utf8 ? 553 : 0;
}

/* refuse_parameters - none is offered (F10). */
static bool refuse_parameters(struct postern_smtp *s, struct postern_span rest)
{
    struct smtp_parameter parameter;
    int r = smtp_parameter_next(&rest, &parameter);

    if (r > 0)
        smtp_refuse(s, 555, "5.5.4", "such a parameter is not offered");
    else if (r < 0)
        smtp_refuse(s, 501, "5.5.4", "syntax error in the parameters");
    return r != 0;
}

void smtp_cmd_rcpt(struct postern_smtp *s, struct postern_span argument)
{
    const char *enhanced, *text;
    char *local = arena_alloc(&s->arena, argument.n + 1);
    enum path_fault fault;
    unsigned code;

    s->question = (struct postern_smtp_question){.recipient = s->recipient_count,
                                                 .size_bytes = s->size_bytes};
    if (!local) {
        smtp_no_memory(s);
        return;
    }
    if (!span_begins_nocase(argument, SPAN("TO:"))) {
        smtp_refuse(s, 501, "5.5.4", "RCPT TO:<address> is wanted");
        return;
    }
    argument = span_from(argument, 3);
    if (argument.n && argument.p[0] == ' ')
        argument = span_from(argument, 1);
    fault = path_read(&argument, s->o.strict_addresses, local, &s->question.path);
    code = fault_of(s, fault, argument, &enhanced, &text);
    if (code)
        smtp_refuse(s, code, enhanced, text);
    else if (refuse_parameters(s, argument))
        return;
    else if (s->recipient_count >= s->o.recipients_max) /* F7 */
        smtp_reply(s, 452, "4.5.3", "too many recipients");
    else
        smtp_ask(s, POSTERN_SMTP_RCPT, accepted);
}
