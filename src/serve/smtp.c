/* SPDX-License-Identifier: MIT */
/* smtp - one SMTP, submission or LMTP session: its engine, and who answers which of its questions.
 * Login is in smtp_login.c, senders and recipients in smtp_envelope.c, messages in smtp_deliver.c.
 */
#include "serve/smtp_session.h"

#include "base/memory.h"
#include "base/span.h"
#include "serve/clock.h"
#include "serve/drive.h"
#include <stdio.h>

#define CROWDED_TIMEOUT (10 * POSTERN_SECOND)

const struct postern_store_ops *smtp_ops(const struct serve_smtp *s)
{
    return s->site->store->ops;
}

void smtp_say(struct serve_smtp *s, unsigned code, const char *enhanced, const char *text)
{
    struct postern_smtp_reply reply = {code, enhanced, postern_span_of(text)};

    postern_smtp_answer(s->engine, s->question.id, &reply);
}

void smtp_yes(struct serve_smtp *s)
{
    postern_smtp_answer(s->engine, s->question.id, NULL);
}

/* smtp_log - (N7) all that is asked for later, S3: both addresses. What a peer wrote stands last: a
 * line has an end. */
static void smtp_log(struct serve_smtp *s, const char *result)
{
    char id[64], count[24], octets[24], ms[24], protocol[24];
    char tls[80] = "", client[64] = "", from[260], helo[260];
    const char *pairs[] = {"id",     id,     "result", result, "nrcpt",    count,
                           "octets", octets, "ms",     ms,     "protocol", protocol,
                           "tls",    tls,    "client", client, "user",     login_user(&s->login),
                           "from",   from,   "helo",   helo,   NULL};

    login_name(id, sizeof id, s->question.transaction);
    if (s->site->work->tls)
        snprintf(tls, sizeof tls, "%s", s->site->work->tls(s->conn));
    if (s->has_client)
        login_name(client, sizeof client, smtp_peer_address(s));
    snprintf(ms, sizeof ms, "%llu", (unsigned long long)((clock_now() - s->began) / 1000000));
    login_name(from, sizeof from, buffer_span(&s->sender));
    login_name(helo, sizeof helo, postern_smtp_helo(s->engine));
    login_name(protocol, sizeof protocol, postern_smtp_protocol(s->engine));
    snprintf(count, sizeof count, "%zu",
             buffer_length(&s->recipients) / sizeof(struct smtp_recipient));
    snprintf(octets, sizeof octets, "%llu", (unsigned long long)s->octets);
    if (s->site->work->log)
        s->site->work->log(s->conn, "received", pairs);
}

void smtp_log_end(struct serve_smtp *s, int err)
{
    smtp_log(s, err                    ? postern_err_name(err)
                : s->verdict.discarded ? "discarded"
                : s->elsewhere         ? "handed on"
                                       : "saved");
}

/* ---- work ------------------------------------------------------------------------------------ */

static void session_end(struct serve_smtp *s);

static void job_work(void *arg)
{
    struct serve_smtp *s = arg;

    s->err = s->working->work(s, 0);
}

static void job_done(void *arg)
{
    struct serve_smtp *s = arg;
    const struct smtp_work *working = s->working;

    s->working = NULL;
    if (s->dead)
        session_end(s);
    else
        working->finish(s, s->err);
}

void smtp_go(struct serve_smtp *s, const struct smtp_work *work)
{
    int (*run)(void *conn, void (*work_fn)(void *arg), void (*done)(void *arg), void *arg);
    int err = work->tries_now ? work->work(s, POSTERN_STORE_NO_WAIT) : POSTERN_E_AGAIN;

    if (err != POSTERN_E_AGAIN) {
        work->finish(s, err);
        return;
    }
    s->working = work;
    run =
        work->waits_long && s->site->work->run_long ? s->site->work->run_long : s->site->work->run;
    if (run(s->conn, job_work, job_done, s) >= 0)
        return;
    s->working = NULL;
    postern_smtp_answer_default(s->engine, s->question.id);
}

/* take_client - a proxy speaks for it from here on; whether it may, the engine knows (S3). */
static void take_client(struct serve_smtp *s)
{
    struct postern_span address = s->question.client.address, port = s->question.client.port, text;

    if (address.n) {
        login_name(s->login.peer, sizeof s->login.peer, address);
        s->login.address_n = strlen(s->login.peer);
        snprintf(s->login.peer + s->login.address_n, sizeof s->login.peer - s->login.address_n,
                 "%s%.*s", port.n ? ":" : "", SPAN_ARG(port));
        login_name(s->peer_name, sizeof s->peer_name, s->question.client.name);
        s->peer_named = s->question.client.name.n > 0;
        s->has_client = true;
    }
    login_log(&s->login, "xclient", "client", s->login.peer, NULL, NULL);
    if (s->question.client.login.n &&
        login_accept(&s->login, s->question.client.login, &text) != POSTERN_YES)
        smtp_say(s, 451, "4.7.0", "too many connections of this user");
    else
        smtp_yes(s);
}

static void answer(struct serve_smtp *s)
{
    switch (s->question.kind) {
    case POSTERN_SMTP_AUTHENTICATE:
    case POSTERN_SMTP_AUTH_LOOKUP:
        smtp_login_ask(s);
        break;
    case POSTERN_SMTP_LOGIN:
        smtp_login_accept(s);
        break;
    case POSTERN_SMTP_MAIL:
        smtp_go(s, &smtp_mail);
        break;
    case POSTERN_SMTP_RCPT:
        smtp_go(s, &smtp_rcpt);
        break;
    case POSTERN_SMTP_VERIFY:
        smtp_go(s, &smtp_verify);
        break;
    case POSTERN_SMTP_BEGIN:
        if (s->elsewhere && s->site->relay && !s->site->filters)
            smtp_go(s, &smtp_relay_begin);
        else
            smtp_yes(s);
        break;
    case POSTERN_SMTP_XCLIENT:
        take_client(s);
        break;
    case POSTERN_SMTP_WRITE:
        smtp_write(s);
        break;
    case POSTERN_SMTP_COMMIT:
        smtp_go(s, s->elsewhere && s->site->relay ? &smtp_relay_commit
                   : smtp_is_whole(s)             ? &smtp_commit_filtered
                                                  : &smtp_commit);
        break;
    default:
        postern_smtp_answer_default(s->engine, s->question.id);
        break;
    }
}

static void session_pump(void *self, postern_time now)
{
    struct serve_smtp *s = self;
    struct postern_smtp_question question;

    s->login.now = now;
    while (!s->working && postern_smtp_next(s->engine, &question) == 1) {
        if (!question.id) {
            smtp_drop(s);
            continue;
        }
        s->question = question;
        answer(s);
    }
}

/* ---- life ------------------------------------------------------------------------------------ */

/* name_make - of the session: so that no two messages have one id. */
static void name_make(struct serve_smtp *s)
{
    const struct postern_random *random = s->site->smtp->random;
    unsigned char octets[8] = {0};

    if (!random || random->fill(random->ctx, octets, sizeof octets) < 0)
        memcpy(octets, &s, sizeof octets < sizeof s ? sizeof octets : sizeof s);
    for (size_t i = 0; i < sizeof octets; i++)
        snprintf(s->name + 2 * i, 3, "%02x", octets[i]);
}

/* A9 */
struct postern_span smtp_peer_address(const struct serve_smtp *s)
{
    struct postern_span address = span_make(s->login.peer, s->login.address_n);

    if (address.n > 2 && address.p[0] == '[')
        address = span_make(address.p + 1, address.n - 2);
    if (span_begins_nocase(address, SPAN("::ffff:")) && span_find(address, '.') < address.n)
        address = span_from(address, 7);
    if (span_find(address, '.') == address.n && span_find(address, ':') == address.n)
        return (struct postern_span){NULL, 0}; /* a unix socket has none */
    return address;
}

static int make(void **session_r, const struct serve_site *site, void *conn,
                struct postern_span peer, const struct postern_tls_facts *tls,
                bool plaintext_allowed, postern_time now, enum postern_smtp_role role)
{
    struct serve_smtp *s = memory_new(NULL, sizeof *s);
    struct postern_smtp_options options = *site->smtp;
    int r;

    if (!s)
        return POSTERN_E_NOMEM;
    s->site = site;
    s->conn = conn;
    s->role = role;
    s->whole.folder = site->spool_folder;
    smtp_login_init(s, peer, now);
    name_make(s);
    options.role = role;
    options.session_name = postern_span_of(s->name);
    options.peer_address = smtp_peer_address(s);
    options.plaintext_without_tls = plaintext_allowed;
    options.trusted = options.trusted || (site->trusts && site->trusts(site->ctx, conn));
    if (role != POSTERN_SMTP_SUBMISSION && !(site->smtp_login && role == POSTERN_SMTP_MX))
        options.sasl_mechanisms = 0;
    if (role == POSTERN_SMTP_MX && !options.trusted && site->is_crowded &&
        site->is_crowded(site->ctx)) /* N1 */
        options.command_timeout = CROWDED_TIMEOUT;
    if (role == POSTERN_SMTP_LMTP) /* Exim would take it, and find a name that is not the host's */
        options.tls_available = false;
    r = postern_smtp_new(&s->engine, &options, tls, now);
    if (r < 0) {
        memory_free(NULL, s);
        return r;
    }
    *session_r = s;
    return 0;
}

static int new_mx(void **session_r, const struct serve_site *site, void *conn,
                  struct postern_span peer, const struct postern_tls_facts *tls,
                  bool plaintext_allowed, postern_time now)
{
    return make(session_r, site, conn, peer, tls, plaintext_allowed, now, POSTERN_SMTP_MX);
}

static int new_submission(void **session_r, const struct serve_site *site, void *conn,
                          struct postern_span peer, const struct postern_tls_facts *tls,
                          bool plaintext_allowed, postern_time now)
{
    return make(session_r, site, conn, peer, tls, plaintext_allowed, now, POSTERN_SMTP_SUBMISSION);
}

static int new_lmtp(void **session_r, const struct serve_site *site, void *conn,
                    struct postern_span peer, const struct postern_tls_facts *tls,
                    bool plaintext_allowed, postern_time now)
{
    return make(session_r, site, conn, peer, tls, plaintext_allowed, now, POSTERN_SMTP_LMTP);
}

static void session_end(struct serve_smtp *s)
{
    postern_smtp_free(&s->engine);
    smtp_drop(s);
    smtp_filters_close(s);
    secret_wipe(s, sizeof *s);
    memory_free(NULL, s);
}

static void session_free(void *session)
{
    struct serve_smtp *s = session;

    login_proof_failed(&s->login);
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

SERVE_DRIVE_CALLS(smtp)

#define REFUSAL "421 4.3.2 too many connections\r\n"
SERVE_TABLE(smtp, "smtp", "smtps", "smtp", REFUSAL, new_mx);
SERVE_TABLE(submission, "submission", "submissions", "smtp", REFUSAL, new_submission);
SERVE_TABLE(lmtp, "lmtp", "lmtps", "smtp", REFUSAL, new_lmtp);
