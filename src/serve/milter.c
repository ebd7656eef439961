/* SPDX-License-Identifier: MIT */
/* milter - one connection to the filter for each session: at its first MAIL it is opened and told
 * of the client; at each, of the sender, and of the client's name where that has changed; at RCPT
 * of each recipient; at the end of the message of all the rest.
 *
 * What the filter counts as the header is the message's as it came: our own Received field is not
 * shown, but has its place among those that one is put before, as with Sendmail. */
#include "serve/milter.h"

#include "base/memory.h"
#include "base/span.h"
#include "serve/fields.h"
#include "serve/milter_talk.h"
#include <stdio.h>

/* ---- macros ---------------------------------------------------------------------------------- */

/* first_word, second_word - of "TLSv1.3 TLS_AES_256_GCM_SHA384". */
static struct postern_span first_word(struct postern_span text)
{
    return span_cut(&text, ' ');
}

static struct postern_span second_word(struct postern_span text)
{
    (void)span_cut(&text, ' ');
    return text;
}

static struct postern_span domain_of(struct postern_span path)
{
    size_t at = path.n;

    while (at && path.p[at - 1] != '@')
        at--;
    return at ? span_from(path, at) : (struct postern_span){NULL, 0};
}

/* ---- the client and the sender --------------------------------------------------------------- */

static int tell_options(struct talk *t, struct filter_verdict *verdict)
{
    struct milter_event event;
    int err = talk_turn(t, milter_begin(&t->milter), verdict, &event);

    verdict->edits.without_ours = true;
    verdict->edits.raw_values = milter_raw_values(&t->milter);
    return err;
}

/* client_make - "mx.example", "[192.0.2.1]"; "mx.example [192.0.2.1]". */
static void client_make(struct talk_client *client_r, const struct filter_question *q)
{
    bool known = q->name.n > 0 || !q->peer.n;
    struct postern_span name = q->name.n ? q->name : q->peer.n ? q->peer : SPAN("localhost");

    snprintf(client_r->client, sizeof client_r->client, known ? "%.*s" : "[%.*s]", SPAN_ARG(name));
    name = q->name.n ? q->name : q->peer.n ? SPAN("unknown") : name;
    snprintf(client_r->peer, sizeof client_r->peer, q->peer.n ? "%.*s [%.*s]" : "%.*s",
             SPAN_ARG(name), SPAN_ARG(q->peer));
    snprintf(client_r->port, sizeof client_r->port, "%u", q->port);
}

/* is_client - is it still the client that the milter was told of? A proxy may have named another.
 */
static bool is_client(const struct talk *t, const struct filter_question *q)
{
    struct talk_client client;

    client_make(&client, q);
    return strcmp(client.client, t->client.client) == 0 &&
           strcmp(client.peer, t->client.peer) == 0 && strcmp(client.port, t->client.port) == 0;
}

static int tell_client(struct talk *t, const struct filter_question *q,
                       struct filter_verdict *verdict)
{
    struct milter_event event;
    struct postern_span client;

    client_make(&t->client, q);
    client = postern_span_of(t->client.client);

    const struct milter_macro macros[] = {{"j", q->hostname},
                                          {"v", SPAN("Postern " POSTERN_VERSION)},
                                          {"_", postern_span_of(t->client.peer)},
                                          {"{daemon_name}", q->hostname},
                                          {"{client_name}", client},
                                          {"{client_ptr}", q->name.n ? q->name : SPAN("unknown")},
                                          {"{client_addr}", q->peer},
                                          {"{client_port}", postern_span_of(t->client.port)}};

    return talk_judged(t,
                       talk_turn(t,
                                 milter_connect(&t->milter, client, q->peer, q->port, macros,
                                                sizeof macros / sizeof *macros),
                                 verdict, &event),
                       &event, verdict);
}

/* tell_helo - before the first message, and when the client said another name, or the same one
 * under TLS. */
static int tell_helo(struct talk *t, const struct filter_question *q,
                     struct filter_verdict *verdict)
{
    char helo[sizeof t->helo];
    const struct milter_macro macros[] = {{"{tls_version}", first_word(q->tls)},
                                          {"{cipher}", second_word(q->tls)}};
    struct milter_event event;
    int said;

    snprintf(helo, sizeof helo, "%.*s %.*s", SPAN_ARG(q->helo), SPAN_ARG(q->tls));
    if (strcmp(helo, t->helo) == 0)
        return 0;
    memcpy(t->helo, helo, strlen(helo) + 1);
    said = milter_helo(&t->milter, q->helo, macros, sizeof macros / sizeof *macros);

    return talk_judged(t, talk_turn(t, said, verdict, &event), &event, verdict);
}

static int tell_sender(struct talk *t, const struct filter_question *q,
                       struct filter_verdict *verdict)
{
    const struct milter_macro macros[] = {{"i", q->transaction},
                                          {"{mail_addr}", q->sender},
                                          {"{mail_host}", domain_of(q->sender)},
                                          {"{mail_mailer}", SPAN("smtp")},
                                          {"{auth_type}", q->method},
                                          {"{auth_authen}", q->user},
                                          {"{auth_author}", q->user}};
    struct milter_event event;
    int said = milter_mail(&t->milter, q->sender, macros, sizeof macros / sizeof *macros);

    return talk_judged(t, talk_turn(t, said, verdict, &event), &event, verdict);
}

static int tell_recipient(struct talk *t, const struct filter_question *q,
                          struct filter_verdict *verdict)
{
    const struct milter_macro macros[] = {{"{rcpt_addr}", q->recipient},
                                          {"{rcpt_host}", domain_of(q->recipient)},
                                          {"{rcpt_mailer}", SPAN("local")}};
    struct milter_event event;
    int said = milter_rcpt(&t->milter, q->recipient, macros, sizeof macros / sizeof *macros);

    return talk_judged(t, talk_turn(t, said, verdict, &event), &event, verdict);
}

/* ---- the message ----------------------------------------------------------------------------- */

static int tell_field(struct talk *t, struct postern_span field, struct filter_verdict *verdict)
{
    struct postern_span value = field, name = span_cut(&value, ':');
    struct milter_event event;

    while (value.n && (value.p[value.n - 1] == '\n' || value.p[value.n - 1] == '\r'))
        value.n--;
    return talk_judged(
        t, talk_turn(t, milter_header(&t->milter, span_trim(name), value), verdict, &event), &event,
        verdict);
}

static int tell_header(struct talk *t, const struct fields *fields, struct filter_verdict *verdict)
{
    size_t ours = fields_find(fields, 0, SPAN("Received"));
    struct milter_event event;
    int r = 0;

    for (size_t i = 0; !r && i < fields->count; i++)
        if (i != ours)
            r = tell_field(t, fields->all[i], verdict);
    if (r)
        return r;
    return talk_judged(t, talk_turn(t, milter_header_end(&t->milter), verdict, &event), &event,
                       verdict);
}

/* tell_body - behind the blank line, from `at` on. */
static int tell_body(struct talk *t, const struct spool *message, uint64_t at,
                     struct filter_verdict *verdict)
{
    char *chunk = memory_new(NULL, MILTER_CHUNK);
    int n = chunk ? 0 : POSTERN_E_NOMEM, r = n;

    if (!r && spool_read(message, at, chunk, 2) == 2 && memcmp(chunk, "\r\n", 2) == 0)
        at += 2;
    while (!r && milter_wants_body(&t->milter) &&
           (n = spool_read(message, at, chunk, MILTER_CHUNK)) != 0) {
        struct milter_event event;
        struct postern_span bytes = span_make(chunk, n > 0 ? (size_t)n : 0);

        r = n < 0 ? n
                  : talk_judged(t, talk_turn(t, milter_body(&t->milter, bytes), verdict, &event),
                                &event, verdict);
        at += bytes.n;
    }
    memory_free(NULL, chunk);
    return r;
}

static int tell_message(struct talk *t, const struct filter_question *q,
                        struct filter_verdict *verdict)
{
    const struct milter_macro macros[] = {{"i", q->transaction}};
    struct milter_event event;
    struct fields fields;
    int r = fields_read(&fields, q->message);

    if (r)
        return r;
    r = talk_judged(t, talk_turn(t, milter_data(&t->milter, macros, 1), verdict, &event), &event,
                    verdict);
    if (!r)
        r = tell_header(t, &fields, verdict);
    if (!r)
        r = tell_body(t, q->message, fields.octets, verdict);
    if (!r)
        r = talk_judged(t, talk_turn(t, milter_end(&t->milter, macros, 1), verdict, &event), &event,
                        verdict);
    fields_done(&fields);
    return r;
}

/* ---- what sessions ask ----------------------------------------------------------------------- */

/* settle - a talk that failed is closed. */
static int settle(void **talk, int r)
{
    if (r < 0)
        talk_close(talk);
    return r < 0 ? r : 0;
}

/* meet - a talk begins: what we can do, and who the client is. */
static int meet(struct talk *t, const struct filter_question *question,
                struct filter_verdict *verdict)
{
    int r = t->link->open(t->link->ctx, &t->at);

    if (!r)
        r = tell_options(t, verdict);
    return r ? r : tell_client(t, question, verdict);
}

/* greet - what comes before a message. 1: the milter judged already. */
static int greet(struct talk *t, const struct filter_question *question,
                 struct filter_verdict *verdict)
{
    int r = 0;

    if (t->at)
        t->link->again(t->at);
    else
        r = meet(t, question, verdict);
    if (!r)
        r = tell_helo(t, question, verdict);
    t->once = r != 0;
    return r ? r : tell_sender(t, question, verdict);
}

static int talk_open(void **talk_r, const struct filter_link *link)
{
    struct talk *t = memory_new(NULL, sizeof *t);

    if (!t)
        return POSTERN_E_NOMEM;
    t->link = link;
    milter_init(&t->milter, NULL);
    *talk_r = t;
    return 0;
}

/* ask_mail - one that heard nothing since the last message may have gone: it is met again. */
static int ask_mail(const struct serve_filter *filter, void **talk,
                    const struct filter_question *question, struct filter_verdict *verdict_r)
{
    bool met;
    int r;

    if (*talk && !is_client(*talk, question))
        talk_close(talk);
    met = *talk != NULL;
    r = met ? 0 : talk_open(talk, filter->ctx);
    if (!r)
        r = settle(talk, greet(*talk, question, verdict_r));
    return met && (r == POSTERN_E_IO || r == POSTERN_E_CLOSED)
               ? ask_mail(filter, talk, question, verdict_r)
               : r;
}

/* resume - 1: there is something to be told; 0: it wants to hear no more; <0: it is gone. */
static int resume(struct talk *t, struct filter_verdict *verdict)
{
    if (!t)
        return POSTERN_E_CLOSED;
    verdict->edits.without_ours = true;
    verdict->edits.raw_values = milter_raw_values(&t->milter);
    t->link->again(t->at);
    return !t->passes;
}

static int ask_rcpt(const struct serve_filter *filter, void **talk,
                    const struct filter_question *question, struct filter_verdict *verdict_r)
{
    int r = resume(*talk, verdict_r);

    (void)filter;
    return settle(talk, r == 1 ? tell_recipient(*talk, question, verdict_r) : r);
}

static int ask_judge(const struct serve_filter *filter, void **talk,
                     const struct filter_question *question, struct filter_verdict *verdict_r)
{
    struct talk *t = *talk;
    int r = resume(t, verdict_r);

    (void)filter;
    if (r == 1)
        r = tell_message(t, question, verdict_r);
    return settle(talk, r);
}

const struct filter_ops milter_ops = {
    .mail = ask_mail, .rcpt = ask_rcpt, .judge = ask_judge, .end = talk_end, .close = talk_close};
