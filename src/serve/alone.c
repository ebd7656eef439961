/* SPDX-License-Identifier: MIT */
/* alone - work is done on the spot, no answer is held back, and nobody hears a bell. */
#include "serve/alone.h"

#include "base/span.h"

static int run(void *conn, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
    (void)conn;
    work(arg);
    done(arg);
    return 0;
}

static int later(void *conn, postern_time wait, void (*done)(void *arg), void *arg)
{
    (void)conn, (void)wait;
    done(arg);
    return 0;
}

static int own(void *conn, struct postern_span user, void (*done)(void *arg), void *arg)
{
    (void)conn, (void)user;
    done(arg);
    return 0;
}

static void ring(void *arg)
{
    (void)arg;
}

static struct postern_bell hang(void *conn, void (*heard)(void *arg), void *arg)
{
    (void)conn, (void)heard, (void)arg;
    return (struct postern_bell){ring, NULL};
}

static void take_down(void *conn)
{
    (void)conn;
}

const struct serve_work alone_work = {
    .run = run, .later = later, .own = own, .hang = hang, .take_down = take_down};

static void turn(struct alone *alone)
{
    const struct serve_protocol *protocol = alone->protocol;
    struct postern_piece piece;

    for (;;) {
        protocol->pump(alone->session, 0);
        if (!protocol->output(alone->session, &piece, 1)) {
            if (protocol->wants(alone->session) & POSTERN_WANT_APPLICATION)
                continue; /* it only gave others their turn */
            return;
        }
        if (alone->out)
            buffer_append(alone->out, piece.bytes);
        protocol->sent(alone->session, piece.bytes.n, 0);
    }
}

int alone_begin(struct alone *alone, const struct serve_protocol *protocol,
                const struct serve_site *site)
{
    int err;

    *alone = (struct alone){.protocol = protocol};
    err = protocol->make(&alone->session, site, alone, SPAN("local"), NULL, true, 0);
    if (!err)
        turn(alone);
    return err;
}

void alone_say(struct alone *alone, struct postern_span text)
{
    while (text.n) {
        int taken = alone->protocol->feed(alone->session, text, 0);

        turn(alone);
        if (taken < 0)
            return;
        text = span_from(text, (size_t)taken);
    }
}

void alone_end(struct alone *alone)
{
    alone->protocol->free(alone->session);
}
