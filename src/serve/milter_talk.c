/* SPDX-License-Identifier: MIT */
/* milter_talk - what the protocol has to say is sent, and answers are heard until the one that ends
 * the command. */
#include "serve/milter_talk.h"

#include "base/memory.h"
#include "base/span.h"

#define PROGRESS_MAX 10 /* how often it may ask for more time, for one command */
#define ENVELOPE_MAX 65536

/* ---- the wire -------------------------------------------------------------------------------- */

/* say_now - without waiting; false: the link does not take it. */
static bool say_now(struct talk *t)
{
    struct postern_span out = milter_output(&t->milter);

    if (out.n && !t->link->write_now(t->at, out))
        return false;
    milter_sent(&t->milter, out.n);
    return true;
}

void talk_end(void **talk)
{
    struct talk *t = *talk;

    t->passes = false;
    if (t->once || milter_abort(&t->milter) < 0 || !say_now(t))
        talk_close(talk);
}

void talk_close(void **talk)
{
    struct talk *t = *talk;

    if (t && t->at && !milter_output(&t->milter).n) {
        milter_quit(&t->milter);
        (void)say_now(t);
    }
    if (t && t->at)
        t->link->close(t->at);
    if (t)
        milter_done(&t->milter);
    memory_free(NULL, t);
    *talk = NULL;
}

int talk_send(struct talk *t)
{
    struct postern_span out = milter_output(&t->milter);
    int err = out.n ? t->link->write(t->at, out) : 0;

    if (!err)
        milter_sent(&t->milter, out.n);
    return err;
}

/* hear - the next event. */
static int hear(struct talk *t, struct postern_span *read, struct milter_event *event_r)
{
    int n, r;

    while ((r = milter_next(&t->milter, event_r)) == 0) {
        if (!read->n) {
            n = t->link->read(t->at, t->bytes, sizeof t->bytes);
            if (n <= 0)
                return n ? n : POSTERN_E_CLOSED;
            *read = span_make(t->bytes, (size_t)n);
        }
        n = milter_feed(&t->milter, *read);
        if (n < 0)
            return n;
        *read = span_from(*read, (size_t)n);
    }
    return r < 0 ? r : 0;
}

static int note_address(struct filter_verdict *verdict, enum filter_change kind,
                        struct postern_span address)
{
    if (span_find(address, '\n') < address.n)
        return POSTERN_E_SYNTAX;
    if (buffer_length(&verdict->envelope) + address.n > ENVELOPE_MAX)
        return POSTERN_E_TOO_LONG;
    buffer_append_char(&verdict->envelope, (char)kind);
    buffer_append(&verdict->envelope, address);
    buffer_append_char(&verdict->envelope, '\n');
    return verdict->envelope.error;
}

static int wish(const struct milter_event *event, struct filter_verdict *verdict)
{
    struct edits *edits = &verdict->edits;

    switch (event->kind) {
    case MILTER_ADD:
        return edits_add(edits, event->name, event->value);
    case MILTER_INSERT:
        return edits_insert(edits, event->number, event->name, event->value);
    case MILTER_CHANGE:
        return edits_change(edits, event->number, event->name, event->value);
    case MILTER_BODY:
        return edits_body(edits, event->value);
    case MILTER_ADD_RCPT:
        return note_address(verdict, FILTER_ADDS, event->value);
    case MILTER_DELETE_RCPT:
        return note_address(verdict, FILTER_DELETES, event->value);
    case MILTER_SENDER:
        return note_address(verdict, FILTER_SENDER, event->value);
    default:
        verdict->spam = true;
        return edits_insert(edits, 0, SPAN("X-Quarantine"), event->value);
    }
}

int talk_turn(struct talk *t, int said, struct filter_verdict *verdict,
              struct milter_event *event_r)
{
    struct postern_span read = {NULL, 0};
    unsigned progress = 0;
    int err = said < 0 ? said : talk_send(t);

    *event_r = (struct milter_event){.kind = MILTER_CONTINUE};
    while (!err && said > 0) {
        err = hear(t, &read, event_r);
        if (!err && event_r->kind < MILTER_PROGRESS)
            return read.n ? POSTERN_E_SYNTAX : 0; /* more than was asked */
        if (!err && event_r->kind == MILTER_PROGRESS) {
            err = ++progress > PROGRESS_MAX ? POSTERN_E_AGAIN : 0;
            t->link->again(t->at);
        } else if (!err) {
            err = wish(event_r, verdict);
        }
    }
    return err;
}

/* ---- verdicts -------------------------------------------------------------------------------- */

int talk_judged(struct talk *t, int err, const struct milter_event *event,
                struct filter_verdict *verdict)
{
    char fallback[] = "5.7.1";

    if (err)
        return err;
    fallback[0] = event->code / 100 == 4 ? '4' : '5';
    if (event->kind == MILTER_REJECT)
        filter_refuse(verdict, 554, "5.7.1", SPAN("refused"));
    else if (event->kind == MILTER_TEMPFAIL)
        filter_refuse(verdict, 451, "4.7.1", SPAN("not now"));
    else if (event->kind == MILTER_REPLY)
        filter_refuse(verdict, event->code, event->enhanced[0] ? event->enhanced : fallback,
                      event->text[0] ? postern_span_of(event->text) : SPAN("refused"));
    verdict->discarded = event->kind == MILTER_DISCARD;
    t->passes = event->kind == MILTER_ACCEPT;
    return verdict->code || verdict->discarded || t->passes;
}
