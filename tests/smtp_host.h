/* SPDX-License-Identifier: MIT */
/* smtp_host - SMTP, submission and LMTP sessions over the memory store, without sockets: work is
 * run at once. For the transcripts and the fuzzer. */
#ifndef TESTS_SMTP_HOST_H
#define TESTS_SMTP_HOST_H

#include "base/span.h"
#include "openssl_crypto.h"
#include "serve/serve.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* struct smtp_host - a server of one store, and one connection. */
struct smtp_host {
    struct postern_store store;
    struct postern_store_ops ops; /* the store's, but for what is to fail */
    const struct postern_store_ops *inner;
    struct accounts *accounts;
    struct recipients *recipients;
    struct postern_smtp_options smtp;
    struct serve_work work;
    struct serve_site site;
    const struct serve_protocol *protocol;
    postern_time now;
    bool plaintext, tls;
    const char *peer;
    void *session;
    char *said;
    size_t said_n, said_room;
    bool closed;
    int fails[4];       /* account_open, begin, write, commit: with this error */
    char fails_for[64]; /* only this user's account_open; "": any */
};

enum { FAILS_OPEN, FAILS_BEGIN, FAILS_WRITE, FAILS_COMMIT };

static struct smtp_host *smtp_host_at; /* the ops know no host */

static int smtp_host_run(void *conn, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
    (void)conn;
    work(arg);
    done(arg);
    return 0;
}

static int smtp_host_later(void *conn, postern_time wait, void (*done)(void *arg), void *arg)
{
    (void)conn, (void)wait;
    done(arg);
    return 0;
}

static int64_t smtp_host_seconds(void)
{
    return 1700000000;
}

static int smtp_host_random(void *ctx, void *out, size_t n)
{
    (void)ctx;
    memset(out, 0x5a, n);
    return 0;
}

static int fail_open(struct postern_store *store, struct postern_span user, unsigned flags,
                     struct postern_account **account_r)
{
    struct smtp_host *host = smtp_host_at;
    bool is_his = !host->fails_for[0] || span_equal(user, postern_span_of(host->fails_for));

    return host->fails[FAILS_OPEN] && is_his
               ? host->fails[FAILS_OPEN]
               : host->inner->account_open(store, user, flags, account_r);
}

static int fail_begin(struct postern_mailbox *mailbox, const struct postern_new_message *what,
                      struct postern_delivery **delivery_r)
{
    int err = smtp_host_at->fails[FAILS_BEGIN];

    return err ? err : smtp_host_at->inner->begin(mailbox, what, delivery_r);
}

static int fail_write(struct postern_delivery *delivery, struct postern_span bytes)
{
    int err = smtp_host_at->fails[FAILS_WRITE];

    return err ? err : smtp_host_at->inner->write(delivery, bytes);
}

static int fail_commit(struct postern_delivery **deliveries, size_t count, uint32_t *uids_r)
{
    int err = smtp_host_at->fails[FAILS_COMMIT];

    if (!err)
        return smtp_host_at->inner->commit(deliveries, count, uids_r);
    for (size_t i = 0; i < count; i++)
        smtp_host_at->inner->abort(&deliveries[i]);
    return err;
}

/* smtp_host_open - users: a password file, NULL: everybody is one; aliases: may be NULL. Both are
 * only read. */
static inline void smtp_host_open(struct smtp_host *host, const char *users, const char *aliases)
{
    static const char *const domains[] = {"example.org", "example.net", NULL};
    static const struct postern_random random = {smtp_host_random, NULL};
    struct recipients_options options = {
        .domains = domains, .aliases = aliases, .delimiters = "+", .postmaster = "alice"};

    memset(host, 0, sizeof *host);
    smtp_host_at = host;
    if (postern_store_memory_new(&host->store) < 0 ||
        (users ? accounts_file_new(&host->accounts, users)
               : accounts_dev_new(&host->accounts, "secret")) < 0)
        abort();
    options.accounts = host->accounts;
    if (recipients_new(&host->recipients, &options) < 0) {
        fprintf(stderr, "%s\n", accounts_error());
        abort();
    }
    host->inner = host->store.ops;
    host->ops = *host->store.ops;
    host->ops.account_open = fail_open;
    host->ops.begin = fail_begin;
    host->ops.write = fail_write;
    host->ops.commit = fail_commit;
    host->store.ops = &host->ops;
    POSTERN_SMTP_OPTIONS_INIT(&host->smtp);
    host->smtp.hostname = SPAN("mx.example.org");
    host->smtp.greeting = SPAN("hello");
    host->smtp.tls_available = true;
    host->smtp.seconds = smtp_host_seconds;
    host->smtp.random = &random;
    host->smtp.crypto = &openssl_crypto;
    host->smtp.sasl_mechanisms =
        POSTERN_SASL_PLAIN | POSTERN_SASL_LOGIN | POSTERN_SASL_SCRAM_SHA_256;
    host->work = (struct serve_work){.run = smtp_host_run, .later = smtp_host_later};
    host->site = (struct serve_site){.store = &host->store,
                                     .accounts = host->accounts,
                                     .recipients = host->recipients,
                                     .smtp = &host->smtp,
                                     .work = &host->work,
                                     .create_mailboxes = true};
    host->protocol = &serve_smtp;
    host->now = 1000 * POSTERN_SECOND;
    host->plaintext = true;
    host->peer = "192.0.2.1:4711";
}

/* smtp_host_turn - all that can be done now, its output taken in pieces of at most `step`. */
static inline void smtp_host_turn(struct smtp_host *host, size_t step)
{
    struct postern_piece pieces[4];

    for (;;) {
        size_t n;

        host->protocol->pump(host->session, host->now);
        if (!host->protocol->output(host->session, pieces, 4))
            break;
        n = pieces[0].bytes.n < step ? pieces[0].bytes.n : step;
        if (host->said_n + n + 1 > host->said_room) {
            host->said_room = (host->said_n + n + 1) * 2;
            host->said = realloc(host->said, host->said_room);
            if (!host->said)
                abort();
        }
        memcpy(host->said + host->said_n, pieces[0].bytes.p, n);
        host->said_n += n;
        host->said[host->said_n] = '\0';
        host->protocol->sent(host->session, n, host->now);
    }
    host->closed = host->protocol->wants(host->session) & POSTERN_WANT_CLOSE;
}

static inline void smtp_host_connect(struct smtp_host *host)
{
    static const struct postern_tls_facts facts;

    if (host->protocol->make(&host->session, &host->site, host, postern_span_of(host->peer),
                             host->tls ? &facts : NULL, host->plaintext, host->now) < 0)
        abort();
}

/* smtp_host_say - octets of the client, `step` at a time. */
static inline void smtp_host_say(struct smtp_host *host, struct postern_span in, size_t step)
{
    while (in.n && !host->closed) {
        struct postern_span piece = span_make(in.p, in.n < step ? in.n : step);
        int n = host->protocol->feed(host->session, piece, host->now);

        smtp_host_turn(host, step);
        if (n < 0)
            break;
        in = span_from(in, (size_t)n);
    }
}

static inline void smtp_host_close(struct smtp_host *host)
{
    if (host->session)
        host->protocol->free(host->session);
    host->store.ops = host->inner;
    postern_store_free(&host->store);
    recipients_free(&host->recipients);
    accounts_free(&host->accounts);
    free(host->said);
    memset(host, 0, sizeof *host);
}

#endif
