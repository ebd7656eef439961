/* SPDX-License-Identifier: MIT */
/* relay - drives the library's SMTP client over a link that the daemon made: what it has to say is
 * written, what comes is fed to it, until it has an event. */
#include "serve/relay.h"

#include "base/memory.h"
#include "base/span.h"
#include <string.h>

#define READ_BYTES 4096

struct relay {
    const struct serve_relay *how;
    struct postern_smtp_client *client;
    void *link;
    struct postern_smtp_reply reply;
    char enhanced[16], text[400];
    char bytes[READ_BYTES]; /* read and not yet heard: [at, end) */
    size_t at, end;
    bool broken; /* nothing more can be said */
};

static int lost(struct relay *r, const char *why)
{
    r->reply = (struct postern_smtp_reply){451, "4.4.2", postern_span_of(why)};
    r->broken = true;
    return POSTERN_E_IO;
}

/* note - a reply, copied: its text is lent. */
static void note(struct relay *r, const struct postern_smtp_client_event *event)
{
    size_t n = event->text.n < sizeof r->text ? event->text.n : sizeof r->text;

    memcpy(r->enhanced, event->enhanced, sizeof r->enhanced);
    if (n)
        memcpy(r->text, event->text.p, n);
    /* one without a code is not the other server's: there is no talking to it */
    r->reply = (struct postern_smtp_reply){event->code ? event->code : 451,
                                           r->enhanced[0] ? r->enhanced
                                           : event->code  ? NULL
                                                          : "4.4.2",
                                           span_make(r->text, n)};
}

static int send_all(struct relay *r)
{
    struct postern_span out = postern_smtp_client_output(r->client);

    if (!out.n)
        return 0;
    if (r->how->write(r->link, out) < 0)
        return lost(r, "the other server does not take it");
    postern_smtp_client_sent(r->client, out.n);
    return 0;
}

static int hear(struct relay *r)
{
    int n;

    if (r->at == r->end) {
        n = r->how->read(r->link, r->bytes, sizeof r->bytes);
        if (n <= 0)
            return lost(r, n ? "the other server does not answer" : "the other server is gone");
        r->at = 0;
        r->end = (size_t)n;
    }
    n = postern_smtp_client_feed(r->client, span_make(r->bytes + r->at, r->end - r->at));
    if (n >= 0)
        r->at += (size_t)n;
    return n == POSTERN_E_NOMEM ? lost(r, "out of memory") : 0;
}

/* turn - the talk goes on until the server has answered. */
static int turn(struct relay *r)
{
    struct postern_smtp_client_event event;

    for (;;) {
        int err = send_all(r);

        if (!err && !postern_smtp_client_next(r->client, &event)) {
            err = hear(r);
            if (!err)
                continue;
        }
        if (err)
            return err;
        if (event.kind == POSTERN_SMTP_CLIENT_TLS) {
            r->at = r->end;
            if (r->how->tls(r->link) < 0 || postern_smtp_client_tls_up(r->client) < 0)
                return lost(r, "no TLS with the other server");
            continue;
        }
        note(r, &event);
        return event.kind == POSTERN_SMTP_CLIENT_FAILED ? POSTERN_E_IO : 0;
    }
}

int relay_open(struct relay **relay_r, const struct serve_relay *how)
{
    struct relay *r = memory_new(NULL, sizeof *r);
    int err = r ? 0 : POSTERN_E_NOMEM;

    *relay_r = r;
    if (!err) {
        r->how = how;
        err = postern_smtp_client_new(&r->client, &how->client);
    }
    if (!err && how->open(how->ctx, &r->link) < 0)
        err = lost(r, "the other server cannot be reached");
    if (!err)
        err = turn(r);
    /* that it refuses us is no fault of the user's */
    if (err && r && r->reply.code / 100 != 4)
        r->reply = (struct postern_smtp_reply){451, "4.4.2", r->reply.text};
    return err;
}

static int command(struct relay *r, int said)
{
    return said < 0 ? lost(r, "it cannot be told to the other server") : turn(r);
}

int relay_mail(struct relay *r, struct postern_span sender, uint64_t size_bytes, bool is_8bit,
               bool utf8)
{
    int err = postern_smtp_client_mail(r->client, sender, size_bytes, is_8bit, utf8);

    if (err == POSTERN_E_UNSUPPORTED) {
        r->reply = (struct postern_smtp_reply){550, "5.6.7",
                                               SPAN("the other server does not take SMTPUTF8")};
        return 0;
    }
    return command(r, err);
}

int relay_rcpt(struct relay *r, struct postern_span recipient)
{
    return command(r, postern_smtp_client_rcpt(r->client, recipient));
}

int relay_data(struct relay *r)
{
    return command(r, postern_smtp_client_data(r->client));
}

int relay_write(struct relay *r, struct postern_span bytes)
{
    if (postern_smtp_client_write(r->client, bytes) < 0)
        return lost(r, "it cannot be told to the other server");
    return send_all(r);
}

int relay_finish(struct relay *r)
{
    return command(r, postern_smtp_client_finish(r->client));
}

int relay_finish_next(struct relay *r)
{
    return turn(r);
}

const struct postern_smtp_reply *relay_reply(const struct relay *r)
{
    return &r->reply;
}

void relay_close(struct relay **relay)
{
    struct relay *r = *relay;

    if (!r)
        return;
    if (r->link && !r->broken) {
        /* says something only where the server has heard all before: it cannot wait then */
        postern_smtp_client_quit(r->client);
        (void)send_all(r);
    }
    if (r->link)
        r->how->close(r->link);
    postern_smtp_client_free(&r->client);
    memory_free(NULL, r);
    *relay = NULL;
}
