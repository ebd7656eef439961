/* SPDX-License-Identifier: MIT */
/* pop3 - one POP3 session: its engine, and who answers which of its questions.
 *
 * Owns the session. The answers are in pop3_login.c, pop3_mailbox.c and pop3_message.c; work that
 * blocks leaves through pop3_job.c.
 * Trap: freeing is legal at any time; what a job is working with is not closed under it. */
#include "serve/pop3_session.h"

#include "base/memory.h"
#include "base/span.h"
#include <stdio.h>

void pop3_name(char *out, size_t size, struct postern_span name)
{
    size_t n = name.n < size ? name.n : size - 1;

    if (n)
        memcpy(out, name.p, n);
    out[n] = '\0';
}

void pop3_log(struct serve_pop3 *s, const char *event, const char *key1, const char *value1,
              const char *key2, const char *value2)
{
    const char *pairs[] = {"user", s->user[0] ? s->user : s->tried, key1, value1, key2, value2,
                           NULL};

    if (s->site->work->log)
        s->site->work->log(s->conn, event, pairs);
}

void pop3_log_number(struct serve_pop3 *s, const char *event, const char *key1, uint64_t value1,
                     const char *key2, uint64_t value2)
{
    char text1[24], text2[24];

    snprintf(text1, sizeof text1, "%llu", (unsigned long long)value1);
    snprintf(text2, sizeof text2, "%llu", (unsigned long long)value2);
    pop3_log(s, event, key1, text1, key2, text2);
}

void pop3_log_error(struct serve_pop3 *s, const char *what, int err)
{
    if (err != POSTERN_E_NOT_FOUND && err != POSTERN_E_IN_USE)
        pop3_log(s, "error", "what", what, "why", postern_err_text(err));
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
    return postern_pop3_new(&s->engine, &s->options, tls, s->now);
}

/* "192.0.2.1:4711" and "[2001:db8::1]:4711": all up to the last colon */
static size_t address_length(const char *peer)
{
    const char *colon = strrchr(peer, ':');

    return colon ? (size_t)(colon - peer) : strlen(peer);
}

int serve_pop3_new(struct serve_pop3 **session_r, const struct serve_site *site, void *conn,
                   struct postern_span peer, const struct postern_tls_facts *tls,
                   bool plaintext_allowed, postern_time now)
{
    struct serve_pop3 *s = memory_new(NULL, sizeof *s);
    int r;

    if (!s)
        return POSTERN_E_NOMEM;
    s->site = site;
    s->conn = conn;
    s->now = now;
    pop3_name(s->peer, sizeof s->peer, peer);
    s->address_n = address_length(s->peer);
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
    const char *pairs[] = {"user", s->user,    "retrieved", retrieved, "octets",
                           octets, "expunged", expunged,    NULL};

    snprintf(retrieved, sizeof retrieved, "%llu", (unsigned long long)s->retrieved);
    snprintf(octets, sizeof octets, "%llu", (unsigned long long)s->octets);
    snprintf(expunged, sizeof expunged, "%llu", (unsigned long long)s->expunged);
    if (s->site->work->log)
        s->site->work->log(s->conn, "closed", pairs);
}

void serve_pop3_free(struct serve_pop3 **session)
{
    struct serve_pop3 *s = session ? *session : NULL;

    if (!s)
        return;
    *session = NULL;
    pop3_proof_failed(s);
    log_closed(s);
    if (s->failures && !s->ever_in && s->site->struck)
        s->site->struck(s->site->ctx, s->conn);
    postern_pop3_free(&s->engine); /* before the list that it was lent */
    pop3_detach(s);
    postern_snapshot_unref(&s->seen);
    pop3_logged_out(s);
    if (s->job)
        s->job->session = NULL;
    secret_wipe(s, sizeof *s);
    memory_free(NULL, s);
}

struct postern_pop3 *serve_pop3_engine(struct serve_pop3 *session)
{
    return session->engine;
}

static void mailbox_done(struct serve_pop3 *s)
{
    pop3_detach(s);
    if (postern_pop3_state(s->engine) == POSTERN_POP3_AUTHORIZATION)
        pop3_logged_out(s); /* QAUT (X30) */
}

static void answer(struct serve_pop3 *s, const struct postern_pop3_question *question)
{
    switch (question->kind) {
    case POSTERN_POP3_AUTHENTICATE:
        pop3_authenticate(s);
        break;
    case POSTERN_POP3_AUTH_LOOKUP:
        pop3_lookup(s);
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

void serve_pop3_pump(struct serve_pop3 *session, postern_time now)
{
    struct postern_pop3_question question;

    session->now = now;
    while (postern_pop3_next(session->engine, &question) == 1) {
        if (!question.id) {
            hear(session, &question);
            continue;
        }
        session->question = question;
        answer(session, &question);
    }
}
