/* SPDX-License-Identifier: MIT */
/* commands - the table, and what must be right before a handler is asked (RFC 5321 4.1, 4.2.4). */
#include "proto/smtp/session.h"

#define ALL (ROLE(POSTERN_SMTP_MX) | ROLE(POSTERN_SMTP_SUBMISSION) | ROLE(POSTERN_SMTP_LMTP))
#define SMTP (ROLE(POSTERN_SMTP_MX) | ROLE(POSTERN_SMTP_SUBMISSION))
#define LMTP ROLE(POSTERN_SMTP_LMTP)

#define ANY 0xffu
#define OPEN (POSTERN_SMTP_CONNECTED | POSTERN_SMTP_READY)
#define GREETED (ANY & ~(unsigned)POSTERN_SMTP_CONNECTED)

/* B9 B12 C5 C6 I4: who may say what, where, and whether with an argument */
/* What is wrong in a state the handler says itself, where there is more to say than 503. */
static const struct smtp_row rows[] = {
    {"EHLO", SMTP, ANY, ROW_IDLE, smtp_cmd_ehlo},
    {"HELO", SMTP, ANY, ROW_IDLE, smtp_cmd_helo},
    {"LHLO", LMTP, ANY, ROW_IDLE, smtp_cmd_ehlo},
    /* D3: one sender at a time */
    {"MAIL", ALL, POSTERN_SMTP_READY, 0, smtp_cmd_mail},
    {"RCPT", ALL, POSTERN_SMTP_SENDER | POSTERN_SMTP_RECIPIENTS, 0, smtp_cmd_rcpt},
    {"DATA", ALL, GREETED, ROW_BARE, smtp_cmd_data},
    {"BDAT", ALL, ANY, 0, smtp_cmd_bdat},
    {"RSET", ALL, ANY, ROW_BARE | ROW_IDLE, smtp_cmd_rset},
    {"NOOP", ALL, ANY, ROW_IDLE, smtp_cmd_noop},
    {"QUIT", ALL, ANY, ROW_BARE, smtp_cmd_quit},
    {"VRFY", ALL, ANY, ROW_IDLE, smtp_cmd_vrfy},
    {"HELP", ALL, ANY, ROW_IDLE, smtp_cmd_help},
    {"STARTTLS", ALL, OPEN, ROW_BARE, smtp_cmd_starttls},
    {"AUTH", ALL, POSTERN_SMTP_READY, 0, smtp_cmd_auth},
    {"XCLIENT", ALL, OPEN, 0, smtp_cmd_xclient},
    {"EXPN", ALL, ANY, 0, NULL},
    {"TURN", ALL, ANY, 0, NULL},
    {"SEND", ALL, ANY, 0, NULL},
    {"SOML", ALL, ANY, 0, NULL},
    {"SAML", ALL, ANY, 0, NULL},
    {"ETRN", ALL, ANY, 0, NULL},
    {"BURL", ALL, ANY, 0, NULL},
};

static const struct smtp_row *find_row(struct postern_span verb, enum postern_smtp_role role)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].roles & ROLE(role) && span_equal_nocase(verb, postern_span_of(rows[i].name)))
            return &rows[i];
    return NULL;
}

/* is_other_protocol - a browser was made to speak to us (ALPACA): a request, or a header (A7). */
static bool is_other_protocol(struct postern_span line)
{
    static const char *const verbs[] = {"GET",     "POST",    "PUT",   "HEAD",
                                        "OPTIONS", "CONNECT", "TRACE", "DELETE"};
    struct postern_span rest = line, verb = span_cut(&rest, ' ');
    size_t n = 0;

    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (span_equal_nocase(verb, postern_span_of(verbs[i])))
            return true;
    while (n < line.n &&
           (line.p[n] == '-' || (ascii_lower(line.p[n]) >= 'a' && ascii_lower(line.p[n]) <= 'z')))
        n++;
    return n && span_begins(span_from(line, n), SPAN(": "));
}

/* takes_8bit - its argument may be UTF-8: a name, an address. */
static bool takes_8bit(const struct smtp_row *row)
{
    return row && (row->handler == smtp_cmd_mail || row->handler == smtp_cmd_rcpt ||
                   row->handler == smtp_cmd_vrfy || row->handler == smtp_cmd_ehlo ||
                   row->handler == smtp_cmd_helo);
}

/* why_not - NULL: it may be said now. */
static const char *why_not(const struct postern_smtp *s, const struct smtp_row *row)
{
    if (s->refused && row->handler != smtp_cmd_quit)
        return "there is nothing here but QUIT";
    if (row->states & s->state)
        return NULL;
    if (s->state == POSTERN_SMTP_CONNECTED)
        return s->o.role == POSTERN_SMTP_LMTP ? "say LHLO first" : "say EHLO first";
    return "not now";
}

/* too_idle - N3: someone who asks for nothing, again and again. */
static bool too_idle(struct postern_smtp *s, const struct smtp_row *row)
{
    if (!(row->flags & ROW_IDLE))
        return false;
    if (++s->idle_commands <= s->o.idle_commands_max)
        return false;
    smtp_end(s, "4.7.0", "too many commands without a message");
    return true;
}

static void run(struct postern_smtp *s, const struct smtp_row *row, struct postern_span argument)
{
    const char *why = why_not(s, row);

    if (too_idle(s, row))
        return;
    if (why && row->handler == smtp_cmd_data)
        s->closes_if_more = true;
    if (why)
        smtp_refuse(s, 503, "5.5.1", why);
    else if (row->flags & ROW_BARE && argument.n)
        smtp_refuse(s, 501, "5.5.4", "it takes no argument");
    else
        row->handler(s, argument);
}

/* B2 B3 B4 B8 B10: what is no command, and why */
static void dispatch(struct postern_smtp *s, struct postern_span line)
{
    struct postern_span argument = line, verb = span_cut(&argument, ' ');
    const struct smtp_row *row = find_row(verb, s->o.role);
    unsigned found = line_inspect(line);

    while (argument.n && argument.p[0] == ' ')
        argument = span_from(argument, 1);
    if (!verb.n || found & LINE_HAS_CONTROL || (found & LINE_HAS_8BIT && !takes_8bit(row)))
        smtp_refuse(s, 500, "5.5.2", "syntax error");
    else if (is_other_protocol(line))
        smtp_end(s, "4.7.0", "this is no protocol for that");
    else if (!row)
        smtp_refuse(s, 500, "5.5.1", "unknown command");
    else if (!row->handler)
        smtp_refuse(s, 502, "5.5.1", "not implemented");
    else
        run(s, row, argument);
}

void smtp_command(struct postern_smtp *s, struct postern_span line)
{
    while (line.n && (line.p[line.n - 1] == ' ' || line.p[line.n - 1] == '\t'))
        line.n--;
    dispatch(s, line);
    if (s->asked == ASKED_NOTHING && !s->sasl)
        smtp_command_over(s);
}

void smtp_command_over(struct postern_smtp *s)
{
    arena_drop(&s->arena);
    if (s->state == POSTERN_SMTP_OVER)
        return;
    if (s->closing)
        smtp_over(s);
    else if (s->shutdown && !s->content)
        smtp_end(s, "4.3.2", "the server goes down");
}
