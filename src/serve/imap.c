/* SPDX-License-Identifier: MIT */
/* imap - one IMAP session: its engine, and who answers which of its questions. Login is in
 * imap_login.c, mailboxes in imap_mailbox.c and imap_look.c, messages in imap_message.c. */
#include "serve/imap_session.h"

#include "base/memory.h"
#include "base/span.h"
#include "serve/compress.h"
#include "serve/drive.h"
#include <stdio.h>
#include <stdlib.h>

/* What was there after a client's octets came will do for all commands in them; so long, at most.
 */
#define LOOK_AGAIN (POSTERN_SECOND / 10)
#define TURN_QUESTIONS 1000 /* answered in one turn of the loop, and messages that are shown */

const struct postern_store_ops *imap_ops(const struct serve_imap *s)
{
    return s->site->store->ops;
}

/* ---- work ------------------------------------------------------------------------------------ */

static const struct imap_work *work_of(enum postern_imap_question_kind kind)
{
    const struct imap_work *work = imap_mailbox_work(kind);

    if (kind == POSTERN_IMAP_LOGIN)
        return &imap_account_open;
    if (kind == POSTERN_IMAP_FIND)
        return &imap_find;
    if (kind == POSTERN_IMAP_VANISHED)
        return &imap_vanished;
    return work ? work : imap_message_work(kind);
}

static void session_end(struct serve_imap *s);

static void job_work(void *arg)
{
    struct serve_imap *s = arg;

    s->err = s->working->work(s, 0);
}

static void job_done(void *arg)
{
    struct serve_imap *s = arg;
    const struct imap_work *working = s->working;

    s->working = NULL;
    if (s->dead)
        session_end(s);
    else
        working->finish(s, s->err);
}

void imap_go(struct serve_imap *s)
{
    const struct imap_work *work = work_of(s->question.kind);
    int err = POSTERN_E_AGAIN;

    if (!work) {
        postern_imap_answer_default(s->engine, s->question.id);
        return;
    }
    s->asked_at = s->login.now;
    s->look_flag = 0;
    if (s->question.kind == POSTERN_IMAP_NEWS && s->looked_at &&
        s->asked_at - s->looked_at < LOOK_AGAIN)
        s->look_flag = POSTERN_STORE_LOOKED;
    if (work->writes && s->site->read_only)
        err = POSTERN_E_READ_ONLY;
    else if (work->tries_now)
        err = work->work(s, POSTERN_STORE_NO_WAIT);
    if (err != POSTERN_E_AGAIN) {
        work->finish(s, err);
        return;
    }
    s->working = work;
    if (s->site->work->run(s->conn, job_work, job_done, s) >= 0)
        return;
    s->working = NULL;
    postern_imap_answer_default(s->engine, s->question.id);
}

static void answer(struct serve_imap *s)
{
    imap_shown_drop(s, s->question.kind);
    switch (s->question.kind) {
    case POSTERN_IMAP_CONNECT:
        postern_imap_answer(s->engine, s->question.id, 0);
        break;
    case POSTERN_IMAP_AUTHENTICATE:
    case POSTERN_IMAP_AUTH_LOOKUP:
        imap_login_ask(s);
        break;
    case POSTERN_IMAP_LOGIN:
        imap_account_ask(s);
        break;
    default:
        imap_go(s);
        break;
    }
}

static void answer_later(void *arg)
{
    answer(arg);
}

/* ---- news ------------------------------------------------------------------------------------ */

static void watched(void *arg)
{
    struct serve_imap *s = arg;

    if (!s->mailbox)
        return;
    s->looked_at = 0;
    imap_ops(s)->watch_clear(s->mailbox);
    postern_imap_news(s->engine);
}

static void unwatch(struct serve_imap *s)
{
    if (s->watching)
        s->site->work->unwatch(s->conn);
    s->watching = false;
}

static void watch(struct serve_imap *s)
{
    int fd = s->mailbox ? imap_ops(s)->watch_fd(s->mailbox) : -1;

    imap_unwatch_all(s);
    unwatch(s);
    s->looked_at = 0; /* what came between that look and the watch is told by no event */
    if (fd >= 0)
        s->watching = s->site->work->watch(s->conn, fd, watched, s) >= 0;
}

static void watched_all(void *arg)
{
    struct serve_imap *s = arg;

    s->looked_at = 0;
    if (imap_ops(s)->watch_all_clear(s->all) == POSTERN_E_FULL)
        (void)postern_imap_overflow(s->engine);
    else
        postern_imap_news(s->engine);
}

void imap_watch_all(struct serve_imap *s)
{
    s->looked_at = 0;
    if (s->all && !s->watching)
        s->watching = s->site->work->watch(s->conn, s->all_fd, watched_all, s) >= 0;
}

void imap_unwatch_all(struct serve_imap *s)
{
    s->wants_all = false;
    if (!s->all)
        return;
    unwatch(s);
    imap_ops(s)->watch_all_end(&s->all);
}

void imap_content_close(struct serve_imap *s)
{
    if (s->content)
        imap_ops(s)->content_close(&s->content);
}

void imap_leave(struct serve_imap *s)
{
    if (!s->all)
        unwatch(s);
    imap_content_close(s);
    if (s->mailbox)
        imap_ops(s)->close(&s->mailbox);
    buffer_done(&s->mailbox_owner);
    s->keyword_count = 0;
}

static void log_out(struct serve_imap *s)
{
    login_log(&s->login, "logout", NULL, NULL, NULL, NULL);
    login_out(&s->login);
    imap_leave_other(s);
    imap_leave_guest(s);
    imap_unwatch_all(s);
    if (s->account)
        imap_ops(s)->account_close(&s->account);
}

static void hear(struct serve_imap *s, enum postern_imap_question_kind kind)
{
    if (kind == POSTERN_IMAP_CONTENT_DONE)
        imap_content_close(s);
    else if (kind == POSTERN_IMAP_ABORT)
        imap_drop_appends(s);
    else if (kind == POSTERN_IMAP_WATCH)
        watch(s);
    else if (kind == POSTERN_IMAP_WATCH_ALL)
        unwatch(s), s->wants_all = true; /* the LIST that follows does it, on a worker */
    else if (kind == POSTERN_IMAP_UNWATCH)
        imap_unwatch_all(s), unwatch(s);
    else if (kind == POSTERN_IMAP_UNSELECT)
        imap_leave(s);
    else if (kind == POSTERN_IMAP_LOGOUT)
        log_out(s);
}

static void session_pump(void *self, postern_time now)
{
    struct serve_imap *s = self;
    struct postern_imap_question question;

    s->login.now = now;
    for (unsigned i = 0; !s->working && postern_imap_next(s->engine, &question) == 1; i++) {
        if (!question.id) {
            hear(s, question.kind);
            continue;
        }
        s->question = question;
        /* a search may ask for very much: then the loop's other sessions have their turn */
        if (i >= TURN_QUESTIONS && *login_user(&s->login) &&
            s->site->work->later(s->conn, 0, answer_later, s) >= 0)
            return;
        s->shown_count = 0;
        answer(s);
        if (!s->working)
            i += (unsigned)s->shown_count;
    }
}

/* ---- life ------------------------------------------------------------------------------------ */

static int session_new(void **session_r, const struct serve_site *site, void *conn,
                       struct postern_span peer, const struct postern_tls_facts *tls,
                       bool plaintext_allowed, postern_time now)
{
    struct serve_imap *s = memory_new(NULL, sizeof *s);
    struct postern_imap_options options;
    int r;

    if (!s)
        return POSTERN_E_NOMEM;
    s->site = site;
    s->conn = conn;
    imap_login_init(s, peer, now);
    options = *site->imap;
    options.plaintext_without_tls = plaintext_allowed;
    options.compress_available = true;
    options.has_text_index = site->text_index;
    r = postern_imap_new(&s->engine, &options, tls, now);
    if (r < 0) {
        memory_free(NULL, s);
        return r;
    }
    *session_r = s;
    return 0;
}

static void log_closed(struct serve_imap *s)
{
    char fetched[24], appended[24], expunged[24];
    const char *pairs[] = {"user",      login_user(&s->login),
                           "retrieved", fetched,
                           "appended",  appended,
                           "expunged",  expunged,
                           NULL};

    snprintf(fetched, sizeof fetched, "%llu", (unsigned long long)s->fetched);
    snprintf(appended, sizeof appended, "%llu", (unsigned long long)s->appended);
    snprintf(expunged, sizeof expunged, "%llu", (unsigned long long)s->expunged);
    if (s->site->work->log)
        s->site->work->log(s->conn, "closed", pairs);
}

static void session_end(struct serve_imap *s)
{
    compress_free(&s->compress);
    postern_imap_free(&s->engine);
    s->watching = false;
    imap_drop_appends(s);
    imap_leave(s);
    imap_leave_other(s);
    imap_leave_guest(s);
    if (s->all) /* nobody waits for it by now */
        imap_ops(s)->watch_all_end(&s->all);
    if (s->account)
        imap_ops(s)->account_close(&s->account);
    imap_shown_drop(s, POSTERN_IMAP_LOGOUT);
    free((char *)(uintptr_t)s->block.p);
    buffer_done(&s->infos);
    buffer_done(&s->ranges);
    buffer_done(&s->vanished);
    buffer_done(&s->statuses);
    buffer_done(&s->names);
    buffer_done(&s->uids);
    secret_wipe(s, sizeof *s);
    memory_free(NULL, s);
}

static void session_free(void *session)
{
    struct serve_imap *s = session;

    login_proof_failed(&s->login);
    log_closed(s);
    unwatch(s);
    login_done(&s->login);
    s->dead = true;
    if (!s->working)
        session_end(s);
}

/* session_file - no piece names a file here. */
static int session_file(void *self, uint64_t content, uint64_t offset, uint64_t *file_offset_r)
{
    (void)self, (void)content, (void)offset, (void)file_offset_r;
    return -1;
}

/* ---- between connection and engine: compressed, once the client asked for it -------------------
 */

SERVE_DRIVE_CALLS(imap)

static void compress_begin(struct serve_imap *s)
{
    struct compress_engine engine = {s, drive_feed, drive_output, drive_sent};

    if (compress_new(&s->compress, &engine) < 0 || postern_imap_compress_up(s->engine) < 0)
        postern_imap_eof(s->engine); /* the client was told that it is: there is no way back */
}

static int any_feed(void *self, struct postern_span in, postern_time now)
{
    struct serve_imap *s = self;
    int took;

    if (!s->takes_rest)
        s->looked_at = 0;
    took = s->compress ? compress_feed(s->compress, in, now) : drive_feed(self, in, now);
    s->takes_rest = took >= 0 && (size_t)took < in.n;
    return took;
}

static void any_eof(void *self)
{
    struct serve_imap *s = self;

    s->eof_due = s->compress && compress_waits(s->compress);
    if (!s->eof_due)
        drive_eof(self);
}

static void any_pump(void *self, postern_time now)
{
    struct serve_imap *s = self;
    struct postern_piece piece;

    do
        session_pump(self, now);
    while (s->compress && compress_go(s->compress, now));
    if (s->eof_due)
        any_eof(self);
    if (postern_imap_wants(s->engine) & POSTERN_WANT_COMPRESS && !drive_output(self, &piece, 1))
        compress_begin(s);
}

static size_t any_output(void *self, struct postern_piece *pieces_r, size_t max)
{
    struct serve_imap *s = self;

    if (!s->compress)
        return drive_output(self, pieces_r, max);
    pieces_r[0] = (struct postern_piece){.bytes = compress_output(s->compress, s->login.now)};
    return pieces_r[0].bytes.n > 0;
}

static void any_sent(void *self, uint64_t n, postern_time now)
{
    struct serve_imap *s = self;

    if (s->compress)
        compress_sent(s->compress, n);
    else
        drive_sent(self, n, now);
}

static unsigned any_wants(const void *self)
{
    const struct serve_imap *s = self;
    unsigned wants = drive_wants(self) & ~(unsigned)POSTERN_WANT_COMPRESS;

    return s->compress && compress_has_output(s->compress) ? wants | POSTERN_WANT_WRITE : wants;
}

const struct serve_protocol serve_imap = {.name = "imap",
                                          .name_tls = "imaps",
                                          .alpn = "imap",
                                          .refusal = "* BYE [LIMIT] too many connections\r\n",
                                          .make = session_new,
                                          .feed = any_feed,
                                          .eof = any_eof,
                                          .pump = any_pump,
                                          .output = any_output,
                                          .file_of = session_file,
                                          .sent = any_sent,
                                          .wants = any_wants,
                                          .deadline = drive_deadline,
                                          .tick = drive_tick,
                                          .tls_up = drive_tls_up,
                                          .shutdown = drive_shutdown,
                                          .free = session_free};
