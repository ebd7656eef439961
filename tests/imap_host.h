/* SPDX-License-Identifier: MIT */
/* imap_host - IMAP sessions over the memory store, without sockets: work is run at once. For the
 * transcripts, the model and the fuzzer. */
#ifndef TESTS_IMAP_HOST_H
#define TESTS_IMAP_HOST_H

#include "base/span.h"
#include "serve/serve.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define HOST_SESSIONS 4

/* struct host - a server of one store. Set said_max to bound what is kept of the output. */
struct host {
    struct postern_store store;
    struct accounts *accounts;
    struct postern_imap_options imap;
    struct serve_work work;
    struct serve_site site;
    postern_time now;
    bool tls; /* connections have it from the first octet */
};

/* struct host_session - one connection: what it said, and what it watches. */
struct host_session {
    struct host *host;
    void *session;
    bool compressed;
    z_stream in, out; /* of the client */
    char *said;
    size_t said_n, said_room;
    void (*heard)(void *arg);
    void *heard_arg;
    bool rang, closed;
};

static int host_run(void *conn, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
    (void)conn;
    work(arg);
    done(arg);
    return 0;
}

static int host_later(void *conn, postern_time wait, void (*done)(void *arg), void *arg)
{
    (void)conn, (void)wait;
    done(arg);
    return 0;
}

static int host_own(void *conn, struct postern_span user, void (*done)(void *arg), void *arg)
{
    (void)conn, (void)user;
    done(arg);
    return 0;
}

static void host_ring(void *arg)
{
    ((struct host_session *)arg)->rang = true;
}

static struct postern_bell host_hang(void *conn, void (*heard)(void *arg), void *arg)
{
    struct host_session *session = conn;

    session->rang = false;
    session->heard = heard;
    session->heard_arg = arg;
    return (struct postern_bell){host_ring, session};
}

static void host_take_down(void *conn)
{
    ((struct host_session *)conn)->rang = false;
}

static int64_t host_clock, host_hurry; /* each look at it finds it so much later */

static int64_t host_seconds(void)
{
    return host_clock += host_hurry;
}

static inline void host_open(struct host *host)
{
    memset(host, 0, sizeof *host);
    host_clock = 1700000000;
    host_hurry = 0;
    if (postern_store_memory_new(&host->store) < 0 ||
        accounts_dev_new(&host->accounts, "secret") < 0)
        abort();
    POSTERN_IMAP_OPTIONS_INIT(&host->imap);
    host->imap.tls_available = true;
    host->imap.seconds = host_seconds;
    host->imap.append_max = 1 << 20;
    host->work = (struct serve_work){.run = host_run,
                                     .later = host_later,
                                     .own = host_own,
                                     .hang = host_hang,
                                     .take_down = host_take_down};
    host->site = (struct serve_site){.store = &host->store,
                                     .accounts = host->accounts,
                                     .imap = &host->imap,
                                     .work = &host->work,
                                     .create_mailboxes = true};
    host->now = 1000 * POSTERN_SECOND;
}

/* host_share - mailboxes of others are behind "Other/", those of "public" behind "Shared/". */
static inline void host_share(struct host *host)
{
    host->imap.acl = true;
    host->imap.other_users = SPAN("Other/");
    host->imap.shared = SPAN("Shared/");
    host->site.public_account = SPAN("public");
}

static inline void host_close(struct host *host)
{
    postern_store_free(&host->store);
    accounts_free(&host->accounts);
}

/* host_keep - what the server said. */
static inline void host_keep(struct host_session *s, const char *octets, size_t n)
{
    if (s->said_n + n + 1 > s->said_room) {
        s->said_room = (s->said_n + n + 1) * 2;
        s->said = realloc(s->said, s->said_room);
        if (!s->said)
            abort();
    }
    memcpy(s->said + s->said_n, octets, n);
    s->said_n += n;
    s->said[s->said_n] = '\0';
}

static inline void host_inflate(struct host_session *s, struct postern_span in)
{
    char out[8192];

    s->in.next_in = (Bytef *)(uintptr_t)in.p;
    s->in.avail_in = (uInt)in.n;
    do {
        s->in.next_out = (Bytef *)out;
        s->in.avail_out = sizeof out;
        if (inflate(&s->in, Z_SYNC_FLUSH) == Z_DATA_ERROR)
            abort();
        host_keep(s, out, sizeof out - s->in.avail_out);
    } while (s->in.avail_out == 0);
}

/* host_turn - all that can be done now, its output taken in pieces of at most `step`. */
static inline void host_turn(struct host_session *s, size_t step)
{
    struct postern_piece pieces[4];

    for (;;) {
        size_t n;

        serve_imap.pump(s->session, s->host->now);
        if (!serve_imap.output(s->session, pieces, 4)) {
            if (serve_imap.wants(s->session) & POSTERN_WANT_APPLICATION)
                continue; /* it only gave others their turn */
            break;
        }
        n = pieces[0].bytes.n < step ? pieces[0].bytes.n : step;
        if (s->compressed)
            host_inflate(s, span_make(pieces[0].bytes.p, n));
        else
            host_keep(s, pieces[0].bytes.p, n);
        serve_imap.sent(s->session, n, s->host->now);
    }
    s->closed = serve_imap.wants(s->session) & POSTERN_WANT_CLOSE;
}

static inline void host_connect(struct host *host, struct host_session *s, bool plaintext)
{
    struct postern_tls_facts facts = {0};

    memset(s, 0, sizeof *s);
    s->host = host;
    if (serve_imap.make(&s->session, &host->site, s, SPAN("192.0.2.1:4711"),
                        host->tls ? &facts : NULL, plaintext, host->now) < 0)
        abort();
    host_turn(s, SIZE_MAX);
}

static inline void host_feed(struct host_session *s, struct postern_span in, size_t step)
{
    while (in.n && !s->closed) {
        struct postern_span piece = span_make(in.p, in.n < step ? in.n : step);
        int n = serve_imap.feed(s->session, piece, s->host->now);

        host_turn(s, step);
        if (n < 0)
            break;
        in = span_from(in, (size_t)n);
    }
}

/* host_say - octets of the client, `step` at a time. */
static inline void host_say(struct host_session *s, struct postern_span in, size_t step)
{
    char out[8192];

    if (!s->compressed) {
        host_feed(s, in, step);
        return;
    }
    s->out.next_in = (Bytef *)(uintptr_t)in.p;
    s->out.avail_in = (uInt)in.n;
    do {
        s->out.next_out = (Bytef *)out;
        s->out.avail_out = sizeof out;
        (void)deflate(&s->out, Z_SYNC_FLUSH);
        host_feed(s, span_make(out, sizeof out - s->out.avail_out), step);
    } while (s->out.avail_out == 0);
}

/* host_compress - once logged in. */
static inline void host_compress(struct host_session *s)
{
    host_say(s, SPAN("x compress deflate\r\n"), SIZE_MAX);
    if (!strstr(s->said, "x OK") || inflateInit2(&s->in, -15) != Z_OK ||
        deflateInit2(&s->out, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    s->compressed = true;
    s->said_n = 0;
}

/* host_news - its bell is heard, if it rang. */
static inline void host_news(struct host_session *s, size_t step)
{
    if (s->rang) {
        s->rang = false;
        s->heard(s->heard_arg);
    }
    host_turn(s, step);
}

/* host_wait - so long nothing comes from the client. */
static inline void host_wait(struct host_session *s, postern_time now)
{
    if (serve_imap.deadline(s->session) <= now)
        serve_imap.tick(s->session, now);
    host_turn(s, SIZE_MAX);
}

/* host_tls_up - the handshake that STARTTLS began is over. */
static inline void host_tls_up(struct host_session *s)
{
    struct postern_tls_facts facts = {0};

    if (serve_imap.tls_up(s->session, &facts) < 0)
        abort();
    host_turn(s, SIZE_MAX);
}

static inline void host_hang_up(struct host_session *s)
{
    if (s->session)
        serve_imap.free(s->session);
    if (s->compressed) {
        inflateEnd(&s->in);
        deflateEnd(&s->out);
    }
    free(s->said);
    memset(s, 0, sizeof *s);
}

#endif
