/* SPDX-License-Identifier: MIT */
/* pop3 - one POP3 session: its engine, and who answers which of its questions.
 *
 * Owns the session. The answers are in pop3_login.c, pop3_mailbox.c and pop3_message.c; work that
 * blocks leaves through pop3_job.c.
 * Trap: freeing is legal at any time; what a job is working with is not closed under it. */
#include "serve/pop3_session.h"

#include "base/memory.h"
#include "base/span.h"
#include "serve/drive.h"
#include <stdio.h>

void pop3_log_number(struct serve_pop3 *s, const char *event, const char *key1, uint64_t value1,
                     const char *key2, uint64_t value2)
{
    char text1[24], text2[24];

    snprintf(text1, sizeof text1, "%llu", (unsigned long long)value1);
    snprintf(text2, sizeof text2, "%llu", (unsigned long long)value2);
    login_log(&s->login, event, key1, text1, key2, text2);
}

void pop3_refuse(struct serve_pop3 *s)
{
    postern_pop3_answer_default(s->engine, s->question.id);
}

/* The copy of the options is the session's own, since clear-text logins are a matter of each peer.
 */
static int engine_new(struct serve_pop3 *s, const struct postern_tls_facts *tls,
                      bool plaintext_allowed)
{
    s->options = *s->site->pop3;
    s->options.plaintext_without_tls = plaintext_allowed;
    return postern_pop3_new(&s->engine, &s->options, tls, s->login.now);
}

/* ---- login ----------------------------------------------------------------------------------- */

static void login_answer(void *session, enum postern_verdict verdict, struct postern_span user)
{
    struct serve_pop3 *s = session;

    if (s->question.kind == POSTERN_POP3_AUTHENTICATE)
        postern_pop3_answer_authenticate(s->engine, s->question.id, verdict, user,
                                         (struct postern_span){NULL, 0});
    else
        pop3_refuse(s);
}

static void login_keys(void *session, enum postern_verdict verdict, const struct login_keys *found)
{
    struct serve_pop3 *s = session;
    struct postern_pop3_keys keys = {0};

    if (found)
        keys = (struct postern_pop3_keys){
            .scram = found->scram, .apop_secret = found->apop, .user = found->user};
    postern_pop3_answer_keys(s->engine, s->question.id, verdict, found ? &keys : NULL,
                             (struct postern_span){NULL, 0});
}

static void login_ask(struct serve_pop3 *s)
{
    s->login.question = (struct login_question){.method = s->question.login.method,
                                                .mechanism = s->question.login.mechanism,
                                                .user = s->question.login.user,
                                                .authorize = s->question.login.authorize,
                                                .secret = s->question.login.secret,
                                                .tls = s->question.login.tls};
    if (s->question.kind == POSTERN_POP3_AUTHENTICATE)
        login_check(&s->login);
    else
        login_lookup(&s->login);
}

/* ---- life ------------------------------------------------------------------------------------ */

static int session_new(void **session_r, const struct serve_site *site, void *conn,
                       struct postern_span peer, const struct postern_tls_facts *tls,
                       bool plaintext_allowed, postern_time now)
{
    struct serve_pop3 *s = memory_new(NULL, sizeof *s);
    int r;

    if (!s)
        return POSTERN_E_NOMEM;
    s->site = site;
    s->conn = conn;
    s->login = (struct login){.session = s, .answer = login_answer, .keys = login_keys};
    login_init(&s->login, site, conn, peer, now);
    r = engine_new(s, tls, plaintext_allowed);
    if (r < 0) {
        memory_free(NULL, s);
        return r;
    }
    *session_r = s;
    return 0;
}

static void log_closed(struct serve_pop3 *s)
{
    char retrieved[24], octets[24], expunged[24];
    const char *pairs[] = {"user",      login_user(&s->login),
                           "retrieved", retrieved,
                           "octets",    octets,
                           "expunged",  expunged,
                           NULL};

    snprintf(retrieved, sizeof retrieved, "%llu", (unsigned long long)s->retrieved);
    snprintf(octets, sizeof octets, "%llu", (unsigned long long)s->octets);
    snprintf(expunged, sizeof expunged, "%llu", (unsigned long long)s->expunged);
    if (s->site->work->log)
        s->site->work->log(s->conn, "closed", pairs);
}

static void session_free(void *session)
{
    struct serve_pop3 *s = session;

    login_proof_failed(&s->login);
    log_closed(s);
    postern_pop3_free(&s->engine); /* before the list that it was lent */
    pop3_detach(s);
    postern_snapshot_unref(&s->seen);
    login_done(&s->login);
    if (s->job)
        s->job->session = NULL;
    secret_wipe(s, sizeof *s);
    memory_free(NULL, s);
}

static void mailbox_done(struct serve_pop3 *s)
{
    pop3_detach(s);
    if (postern_pop3_state(s->engine) == POSTERN_POP3_AUTHORIZATION)
        login_out(&s->login); /* QAUT (X30) */
}

static void answer(struct serve_pop3 *s, const struct postern_pop3_question *question)
{
    switch (question->kind) {
    case POSTERN_POP3_AUTHENTICATE:
    case POSTERN_POP3_AUTH_LOOKUP:
        login_ask(s);
        break;
    case POSTERN_POP3_OPEN:
        pop3_open(s);
        break;
    case POSTERN_POP3_FIND:
        pop3_find(s);
        break;
    case POSTERN_POP3_MESSAGE:
        pop3_message(s);
        break;
    case POSTERN_POP3_READ:
        pop3_read(s);
        break;
    case POSTERN_POP3_EXPUNGE:
        pop3_expunge(s);
        break;
    default: /* CONNECT is let in, COMMAND runs the built-in */
        pop3_refuse(s);
        break;
    }
}

static void hear(struct serve_pop3 *s, const struct postern_pop3_question *news)
{
    if (news->kind == POSTERN_POP3_MESSAGE_DONE)
        pop3_message_done(s, news->content);
    else if (news->kind == POSTERN_POP3_MAILBOX_DONE)
        mailbox_done(s);
}

static void session_pump(void *self, postern_time now)
{
    struct serve_pop3 *session = self;
    struct postern_pop3_question question;

    session->login.now = now;
    while (postern_pop3_next(session->engine, &question) == 1) {
        if (!question.id) {
            hear(session, &question);
            continue;
        }
        session->question = question;
        answer(session, &question);
    }
}

static int session_file(void *self, uint64_t content, uint64_t offset, uint64_t *file_offset_r)
{
    return pop3_file(self, content, offset, file_offset_r);
}

SERVE_DRIVE_CALLS(pop3)
SERVE_TABLE(pop3, "pop3", "pop3s", "pop3", "-ERR [SYS/TEMP] too many connections\r\n", session_new);
