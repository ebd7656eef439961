/* SPDX-License-Identifier: MIT */
/* cmd-xclient - XCLIENT: a proxy that is trusted says for whom it speaks (S1 to S3). All else is as
 * at the beginning of the session then. */
#include "proto/smtp/session.h"

static void welcome(struct postern_smtp *s, const struct smtp_answer *answer)
{
    static const struct postern_smtp_reply fine = REPLY_SILENT(220, NULL);
    static const struct postern_span none;
    const struct postern_smtp_client *client = &s->question.client;

    if (!smtp_answered(s, answer, &fine))
        return;
    (void)smtp_set_text(s, &s->user, none); /* an absent text takes no memory */
    if ((client->name.p && smtp_set_text(s, &s->client_name, client->name) < 0) ||
        (client->address.p && smtp_set_text(s, &s->client_address, client->address) < 0) ||
        (client->login.p && smtp_set_text(s, &s->user, client->login) < 0)) {
        smtp_no_memory(s);
        return;
    }
    /* S2 Q6 */
    s->state = POSTERN_SMTP_CONNECTED;
    (void)smtp_set_text(s, &s->helo, none);
    smtp_greet(s, NULL);
}

/* unavailable - what is said instead of a value. */
static bool unavailable(struct postern_span value)
{
    return span_equal_nocase(value, SPAN("[UNAVAILABLE]")) ||
           span_equal_nocase(value, SPAN("[TEMPUNAVAIL]"));
}

/* place_of - where an attribute is kept; NULL: it is passed over. known_r: such a one there is. */
static struct postern_span *place_of(struct postern_smtp_client *client, struct postern_span name,
                                     bool *known_r)
{
    static const char *const passed_over[] = {"PROTO",   "DESTADDR", "DESTPORT",
                                              "SESSION", "TTL",      "TIMEOUT"};
    const struct {
        const char *name;
        struct postern_span *place;
    } places[] = {{"NAME", &client->name},
                  {"ADDR", &client->address},
                  {"PORT", &client->port},
                  {"HELO", &client->helo},
                  {"LOGIN", &client->login}};

    *known_r = true;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (span_equal_nocase(name, postern_span_of(places[i].name)))
            return places[i].place;
    for (size_t i = 0; i < sizeof passed_over / sizeof *passed_over; i++)
        if (span_equal_nocase(name, postern_span_of(passed_over[i])))
            return NULL;
    *known_r = false;
    return NULL;
}

static bool read_attribute(struct postern_smtp *s, const struct smtp_parameter *attribute)
{
    struct postern_smtp_client *client = &s->question.client;
    struct postern_span value, *place;
    bool known;

    if (!attribute->value.p || smtp_xtext(s, attribute->value, &value) < 0)
        return false;
    place = place_of(client, attribute->keyword, &known);
    if (span_equal_nocase(attribute->keyword, SPAN("PROTO")))
        client->extended = span_equal_nocase(value, SPAN("ESMTP"));
    if (place && !unavailable(value))
        *place = place == &client->address && span_begins_nocase(value, SPAN("IPV6:"))
                     ? span_from(value, 5)
                     : value;
    return known;
}

void smtp_cmd_xclient(struct postern_smtp *s, struct postern_span argument)
{
    struct smtp_parameter attribute;
    bool good = argument.n > 0;
    int r = 0;

    if (!s->o.trusted) {
        smtp_refuse(s, 550, "5.7.1", "not from you");
        return;
    }
    s->question = (struct postern_smtp_question){0};
    while (good && (r = smtp_parameter_next(&argument, &attribute)) > 0)
        good = read_attribute(s, &attribute);
    if (!good || r < 0)
        smtp_refuse(s, 501, "5.5.4", "syntax error in the attributes");
    else
        smtp_ask(s, POSTERN_SMTP_XCLIENT, welcome);
}
