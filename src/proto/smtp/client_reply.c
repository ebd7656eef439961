/* SPDX-License-Identifier: MIT */
/* client_reply - what the server says, line by line, and what follows of a whole reply. */
#include "proto/smtp/client.h"

#define LINE_OCTETS 2048

/* is_enhanced - "2.1.5". */
static bool is_enhanced(struct postern_span word, unsigned code)
{
    unsigned dots = 0;

    if (word.n < 5 || word.n >= 16 || (unsigned)(word.p[0] - '0') != code / 100)
        return false;
    for (size_t i = 0; i < word.n; i++) {
        dots += word.p[i] == '.';
        if (word.p[i] != '.' && (word.p[i] < '0' || word.p[i] > '9'))
            return false;
    }
    return dots == 2;
}

static void note_reply(struct postern_smtp_client *c, unsigned code, struct postern_span text)
{
    struct postern_span rest = text, word = span_cut(&rest, ' ');

    c->event = (struct postern_smtp_client_event){.code = code};
    if (is_enhanced(word, code)) {
        memcpy(c->event.enhanced, word.p, word.n);
        text = rest;
    }
    text.n = text.n < sizeof c->text ? text.n : sizeof c->text;
    if (text.n)
        memcpy(c->text, text.p, text.n);
    c->event.text = span_make(c->text, text.n);
}

/* reply_to_command - of the host's. */
static void reply_to_command(struct postern_smtp_client *c)
{
    bool good = c->event.code / 100 == 2;

    if (c->is_rcpt)
        c->recipients += good;
    if (c->replies_due)
        c->replies_due--;
    client_tell(c, POSTERN_SMTP_CLIENT_REPLY,
                c->is_data && c->event.code == 354 ? CONTENT
                : c->event.code == 421             ? OVER
                : c->replies_due                   ? WAITS
                                                   : IDLE);
    c->is_rcpt = c->is_data = false;
}

/* reply - a whole one is there. */
static void reply(struct postern_smtp_client *c)
{
    unsigned class = c->event.code / 100;

    if (c->step == WAITS)
        reply_to_command(c);
    else if (c->step == GREETING && c->event.code == 220)
        client_hello(c);
    else if (c->step == HELLO && class == 2)
        client_begin(c);
    else if (c->step == STARTTLS && c->event.code == 220)
        client_tell(c, POSTERN_SMTP_CLIENT_TLS, HANDSHAKE);
    else if (c->step == AUTH_NAME && class == 3)
        client_say_coded(c, "", c->o.user, AUTH_SECRET);
    else if (c->step == AUTH_SECRET && class == 3)
        client_say_coded(c, "", c->o.secret, AUTH);
    else if (c->step == AUTH && class == 2)
        client_tell(c, POSTERN_SMTP_CLIENT_READY, IDLE);
    else
        client_fail(c);
}

static int heard(struct postern_smtp_client *c, struct postern_span line)
{
    uint64_t code;
    bool last = line.n == 3 || (line.n > 3 && line.p[3] == ' ');

    if (line.n < 3 || !span_number(span_make(line.p, 3), 599, &code) || code < 200 ||
        (!last && line.p[3] != '-')) {
        client_fail_with(c, "the server says what is no reply");
        return POSTERN_E_SYNTAX;
    }
    if (c->step == HELLO)
        client_note_keyword(c, span_from(line, 4));
    if (!last)
        return 0;
    note_reply(c, (unsigned)code, span_from(line, 4));
    reply(c);
    return 0;
}

int postern_smtp_client_feed(struct postern_smtp_client *c, struct postern_span in)
{
    size_t taken = 0;

    in.n = in.n < INT32_MAX ? in.n : INT32_MAX;
    while (taken < in.n && !c->event_due) {
        struct postern_span line;
        size_t used;
        int event, err = 0;

        event = line_feed(&c->line, span_from(in, taken), LINE_OCTETS, &used, &line);
        taken += used;
        if (event == LINE_READY) {
            err = heard(c, line);
            line_release(&c->line);
        } else if (event == LINE_TOO_LONG) {
            client_fail_with(c, "the server says what is no reply");
            err = POSTERN_E_SYNTAX;
        }
        if (event < 0 || err < 0 || c->out.error)
            return event < 0 || c->out.error ? POSTERN_E_NOMEM : err;
    }
    return c->step == HANDSHAKE ? (int)in.n : (int)taken;
}
