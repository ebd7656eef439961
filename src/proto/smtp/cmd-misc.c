/* SPDX-License-Identifier: MIT */
/* cmd-misc - RSET, NOOP, HELP, VRFY, QUIT, STARTTLS (RFC 5321 4.1.1.5 to 4.1.1.10, RFC 3207). */
#include "proto/smtp/path.h"
#include "proto/smtp/session.h"

void smtp_cmd_rset(struct postern_smtp *s, struct postern_span argument)
{
    (void)argument;
    smtp_forget(s, true);
    smtp_reply(s, 250, "2.0.0", "forgotten");
}

void smtp_cmd_noop(struct postern_smtp *s, struct postern_span argument)
{
    (void)argument;
    smtp_reply(s, 250, "2.0.0", "fine");
}

void smtp_cmd_help(struct postern_smtp *s, struct postern_span argument)
{
    (void)argument;
    smtp_reply(s, 214, "2.0.0", "this is Postern; see RFC 5321");
}

void smtp_cmd_quit(struct postern_smtp *s, struct postern_span argument)
{
    (void)argument;
    smtp_reply(s, 221, "2.0.0", "bye");
    s->closing = true;
}

static void verified(struct postern_smtp *s, const struct smtp_answer *answer)
{
    static const struct postern_smtp_reply fine = REPLY(250, "2.1.5", "there is");

    (void)smtp_answered(s, answer, &fine);
}

/* B11: whether there is somebody is told only where it is wanted. */
void smtp_cmd_vrfy(struct postern_smtp *s, struct postern_span argument)
{
    struct postern_span rest = argument;
    char *local = arena_alloc(&s->arena, argument.n + 1);

    if (!local) {
        smtp_no_memory(s);
        return;
    }
    s->question = (struct postern_smtp_question){.name = argument};
    if (!argument.n)
        smtp_refuse(s, 501, "5.5.4", "an address is wanted");
    else if (!s->o.verify)
        smtp_reply(s, 252, "2.0.0", "try it");
    else if (argument.p[0] == '<' ? path_read(&rest, false, local, &s->question.path) || rest.n
                                  : postern_smtp_parse_address(argument, local, &s->question.path))
        smtp_refuse(s, 501, "5.1.3", "this is no address");
    else
        smtp_ask(s, POSTERN_SMTP_VERIFY, verified);
}

/* K1 */
void smtp_cmd_starttls(struct postern_smtp *s, struct postern_span argument)
{
    (void)argument;
    if (s->tls || !s->o.tls_available) {
        smtp_refuse(s, s->tls ? 503 : 502, "5.5.1", s->tls ? "TLS is up already" : "no TLS here");
        return;
    }
    smtp_reply(s, 220, "2.0.0", "begin TLS now");
    s->want_tls = true;
}
