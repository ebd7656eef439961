/* SPDX-License-Identifier: MIT */
/* cmd-mail - MAIL (RFC 5321 4.1.1.2) with SIZE, BODY, SMTPUTF8 and AUTH (RFC 1870, 6152, 3030,
 * 6531, 4954 5). */
#include "proto/smtp/path.h"
#include "proto/smtp/session.h"

/* struct fault - why it is refused. */
struct fault {
    unsigned code;
    const char *enhanced, *text;
};

static const struct fault good = {0, NULL, NULL};
static const struct fault bad_syntax = {501, "5.5.4", "syntax error in the parameters"};

static struct fault read_size(struct postern_smtp *s, struct postern_span value)
{
    if (!span_number(value, UINT64_MAX, &s->question.size_bytes)) {
        /* twenty nines are a number, though none that fits (D6) */
        for (size_t i = 0; i < value.n; i++)
            if (value.p[i] < '0' || value.p[i] > '9')
                return bad_syntax;
        if (!value.n || value.n > 20)
            return bad_syntax;
        s->question.size_bytes = UINT64_MAX;
    }
    if (s->question.size_bytes > s->o.message_max)
        return (struct fault){552, "5.3.4", "message too long"};
    return good;
}

/* D7 */
static struct fault read_body(struct postern_smtp *s, struct postern_span value)
{
    if (span_equal_nocase(value, SPAN("7BIT")))
        s->question.body = POSTERN_SMTP_7BIT;
    else if (span_equal_nocase(value, SPAN("8BITMIME")))
        s->question.body = POSTERN_SMTP_8BITMIME;
    else if (!span_equal_nocase(value, SPAN("BINARYMIME")))
        return bad_syntax;
    else if (!s->o.binarymime)
        return (struct fault){555, "5.5.4", "BINARYMIME is not offered"};
    else
        s->question.body = POSTERN_SMTP_BINARYMIME;
    return good;
}

static struct fault read_utf8(struct postern_smtp *s, struct postern_span value)
{
    if (value.p)
        return bad_syntax;
    s->question.utf8 = true;
    return good;
}

/* D9 */
static struct fault read_auth(struct postern_smtp *s, struct postern_span value)
{
    int err = value.n ? smtp_xtext(s, value, &s->question.asked) : POSTERN_E_SYNTAX;

    if (err == POSTERN_E_NOMEM)
        smtp_no_memory(s);
    return err ? bad_syntax : good;
}

enum { SIZE, BODY, UTF8, AUTH };
static const struct {
    const char *keyword;
    struct fault (*read)(struct postern_smtp *s, struct postern_span value);
} known[] = {[SIZE] = {"SIZE", read_size},
             [BODY] = {"BODY", read_body},
             [UTF8] = {"SMTPUTF8", read_utf8},
             [AUTH] = {"AUTH", read_auth}};
#define KNOWN (sizeof known / sizeof *known)

/* offered - a parameter counts only behind what announced it (C3, C7). */
static bool offered(const struct postern_smtp *s, size_t i)
{
    return s->extended && (i != UTF8 || s->o.smtputf8) &&
           (i != AUTH || s->o.sasl_mechanisms || s->o.trusted);
}

static struct fault read_parameters(struct postern_smtp *s, struct postern_span rest)
{
    struct smtp_parameter parameter;
    unsigned seen = 0;
    int r;

    while ((r = smtp_parameter_next(&rest, &parameter)) > 0) {
        struct fault fault;
        size_t i = 0;

        while (i < KNOWN &&
               !span_equal_nocase(parameter.keyword, postern_span_of(known[i].keyword)))
            i++;
        /* D10 */
        if (i == KNOWN || !offered(s, i))
            return (struct fault){555, "5.5.4", "such a parameter is not offered"};
        if (seen >> i & 1) /* D5 */
            return bad_syntax;
        seen |= 1u << i;
        fault = known[i].read(s, parameter.value);
        if (fault.code)
            return fault;
    }
    return r < 0 ? bad_syntax : good;
}

/* read_sender - "FROM:<path>", and what stands behind it. */
static struct fault read_sender(struct postern_smtp *s, struct postern_span argument,
                                struct postern_span *rest_r)
{
    struct postern_smtp_path *path = &s->question.path;
    enum path_fault fault;
    char *local;

    /* D1 */
    if (!span_begins_nocase(argument, SPAN("FROM:")))
        return (struct fault){501, "5.5.4", "MAIL FROM:<address> is wanted"};
    argument = span_from(argument, 5);
    if (argument.n && argument.p[0] == ' ')
        argument = span_from(argument, 1);
    if (!argument.n || argument.p[0] != '<')
        return (struct fault){501, "5.5.4", "the address stands in <>"};
    local = arena_alloc(&s->arena, argument.n);
    if (!local) {
        smtp_no_memory(s);
        return bad_syntax;
    }
    fault = path_read(&argument, s->o.strict_addresses, local, path);
    *rest_r = argument;
    if (fault == PATH_UTF8)
        return (struct fault){553, "5.6.7", "the address is not UTF-8"};
    if (fault)
        return (struct fault){501, "5.1.7",
                              fault == PATH_TOO_LONG ? "address too long" : "this is no address"};
    if (argument.n && argument.p[0] != ' ') /* E7 */
        return (struct fault){501, "5.5.4", "something stands behind the address"};
    if (path->text.n && !path->domain.p && s->o.role != POSTERN_SMTP_SUBMISSION &&
        !s->o.domain_optional) /* E6 */
        return (struct fault){501, "5.1.7", "an address has a domain"};
    return good;
}

/* D8 */
static struct fault read_all(struct postern_smtp *s, struct postern_span argument)
{
    struct postern_span rest = {0};
    struct fault fault = read_sender(s, argument, &rest);

    if (!fault.code)
        fault = read_parameters(s, rest);
    if (!fault.code && s->question.path.utf8 && !s->question.utf8)
        fault = (struct fault){553, "5.6.7", "SMTPUTF8 was not said"};
    return fault;
}

/* D13: with any code */
static void accepted(struct postern_smtp *s, const struct smtp_answer *answer)
{
    static const struct postern_smtp_reply fine = REPLY(250, "2.1.0", "sender fine");

    if (!smtp_answered(s, answer, &fine))
        return;
    s->utf8 = s->question.utf8;
    s->body = s->question.body;
    s->size_bytes = s->question.size_bytes;
    s->state = POSTERN_SMTP_SENDER;
}

/* not_yet - (K5 K6) what must come first. */
static struct fault not_yet(const struct postern_smtp *s)
{
    if (s->o.tls_required && !s->tls)
        return (struct fault){530, "5.7.0", "say STARTTLS first"};
    if (s->o.role == POSTERN_SMTP_SUBMISSION && !s->user.n)
        return (struct fault){530, "5.7.0",
                              s->tls || s->o.plaintext_without_tls || !s->o.tls_available
                                  ? "log in first"
                                  : "say STARTTLS first"};
    return good;
}

/* name_transaction - by the session and its number in it, in hexadecimal. */
static void name_transaction(struct postern_smtp *s)
{
    size_t n = s->o.session_name.n < 32 ? s->o.session_name.n : 32;
    unsigned shift = 28;

    if (n)
        memcpy(s->transaction, s->o.session_name.p, n);
    s->transaction[n++] = '.';
    while (shift && !(s->transactions >> shift))
        shift -= 4;
    for (; shift < 32; shift -= 4) /* beyond 0 it wraps */
        s->transaction[n++] = "0123456789abcdef"[s->transactions >> shift & 15];
    s->transaction[n] = '\0';
}

void smtp_cmd_mail(struct postern_smtp *s, struct postern_span argument)
{
    struct fault fault = not_yet(s);

    s->question = (struct postern_smtp_question){0};
    if (!fault.code)
        fault = read_all(s, argument);
    if (s->failed)
        return;
    if (fault.code) {
        smtp_refuse(s, fault.code, fault.enhanced, fault.text);
        return;
    }
    if (s->transactions >= s->o.transactions_max) { /* N4 */
        smtp_end(s, "4.7.0", "too many messages in one session");
        return;
    }
    s->transactions++;
    name_transaction(s);
    smtp_ask(s, POSTERN_SMTP_MAIL, accepted);
}
