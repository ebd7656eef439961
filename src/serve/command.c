/* SPDX-License-Identifier: MIT */
#include "serve/command.h"

#include "base/span.h"
#include "serve/serve.h"

struct host {
    struct serve_site site;
    struct serve_work work;
    struct postern_imap_options imap;
    void *session;
    struct buffer *out; /* NULL: what is said is passed over */
    size_t said;
};

/* The program has nothing else to do: work is done where it is asked for. */
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

static int watch(void *conn, int fd, void (*ready)(void *arg), void *arg)
{
    (void)conn, (void)fd, (void)ready, (void)arg;
    return 0;
}

static void unwatch(void *conn)
{
    (void)conn;
}

static void turn(struct host *host)
{
    struct postern_piece piece;

    for (;;) {
        serve_imap.pump(host->session, 0);
        if (!serve_imap.output(host->session, &piece, 1)) {
            if (serve_imap.wants(host->session) & POSTERN_WANT_APPLICATION)
                continue; /* it only gave others their turn */
            return;
        }
        if (host->out)
            buffer_append(host->out, piece.bytes);
        serve_imap.sent(host->session, piece.bytes.n, 0);
    }
}

static void say(struct host *host, struct postern_span text)
{
    while (text.n) {
        int taken = serve_imap.feed(host->session, text, 0);

        turn(host);
        if (taken < 0)
            return;
        text = span_from(text, (size_t)taken);
    }
}

static int session_say(struct host *host, struct postern_span user, struct postern_span commands,
                       struct buffer *out)
{
    struct buffer login = {0};
    int err = serve_imap.make(&host->session, &host->site, host, SPAN("local"), NULL, true, 0);

    if (err < 0)
        return err;
    turn(host);
    buffer_append_text(&login, "- LOGIN {");
    buffer_append_number(&login, user.n);
    buffer_append_text(&login, "+}\r\n");
    buffer_append(&login, user);
    buffer_append_text(&login, " x\r\n- ENABLE UTF8=ACCEPT\r\n");
    say(host, buffer_span(&login));
    host->out = out;
    say(host, commands);
    host->out = NULL;
    serve_imap.free(host->session);
    err = login.error ? login.error : out->error;
    buffer_done(&login);
    return err;
}

int serve_command(struct postern_store *store, struct postern_span user,
                  struct postern_span commands, struct buffer *out)
{
    struct postern_account *account = NULL;
    struct accounts *accounts = NULL;
    struct host host = {
        .work = {.run = run, .later = later, .own = own, .watch = watch, .unwatch = unwatch}};
    int err = store->ops->account_open(store, user, 0, &account);

    if (!err)
        err = accounts_dev_new(&accounts, NULL);
    if (!err) {
        POSTERN_IMAP_OPTIONS_INIT(&host.imap);
        host.imap.sasl_mechanisms = 0;
        host.imap.command_max = 16u << 20;
        host.site = (struct serve_site){
            .store = store, .accounts = accounts, .imap = &host.imap, .work = &host.work};
        err = session_say(&host, user, commands, out);
    }
    accounts_free(&accounts);
    store->ops->account_close(&account);
    return err;
}
