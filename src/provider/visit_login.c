/* SPDX-License-Identifier: MIT */
/* visit_login - CONNECT, AUTHENTICATE and AUTH_LOOKUP. */
#include "provider/imap_side.h"

#include "base/span.h"
#include <arpa/inet.h>
#include <netinet/in.h>

static const struct postern_span absent;

static bool is_banned(const struct postern_visit *v)
{
    const struct postern_provider *provider = &v->service->provider;

    if (!v->host.peer)
        return false;
    if (provider->banned)
        return provider->banned(provider->ctx, v->host.peer);
    return v->service->bans && bans_has(v->service->bans, v->host.peer, v->now);
}

static void peer_text(const struct postern_visit *v, char *out, socklen_t size)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)&v->address;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&v->address;

    *out = '\0';
    if (v->address.ss_family == AF_INET)
        inet_ntop(AF_INET, &in->sin_addr, out, size);
    else if (v->address.ss_family == AF_INET6)
        inet_ntop(AF_INET6, &in6->sin6_addr, out, size);
}

static void answer_connect(struct postern_visit *v, enum postern_verdict verdict,
                           struct postern_span text)
{
    if (v->imap)
        postern_imap_answer(v->imap->engine, v->imap->question.id, visit_err((int)verdict));
    else
        postern_pop3_answer_connect(v->engine, v->question.id, verdict, text, v->span);
}

static void connected(struct postern_visit *v, int result)
{
    answer_connect(v, visit_verdict(result), visit_text(v));
}

void visit_connect(struct postern_visit *v)
{
    const struct postern_provider *provider = &v->service->provider;
    char peer[INET6_ADDRSTRLEN];
    struct postern_token token;

    v->span = absent;
    if (is_banned(v)) {
        answer_connect(v, POSTERN_NO_POLICY, SPAN("too many failed logins from your address"));
        return;
    }
    if (!provider->connected) {
        if (v->imap)
            postern_imap_answer_default(v->imap->engine, v->imap->question.id);
        else
            postern_pop3_answer_default(v->engine, v->question.id);
        return;
    }
    peer_text(v, peer, sizeof peer);
    token = visit_ask(v, connected);
    visit_result(v, provider->connected(provider->ctx, token, peer, &v->span));
}

void visit_proof_failed(struct postern_visit *v)
{
    v->failed = v->failed || v->proof_due;
    v->proof_due = false;
}

static void login_fill(struct postern_visit *v)
{
    const struct postern_imap_question *i = v->imap ? &v->imap->question : NULL;
    const struct postern_pop3_question *q = &v->question;

    visit_proof_failed(v);
    if (i)
        v->login = (struct postern_login){i->method,    i->mechanism, i->user,
                                          i->authorize, i->secret,    i->tls};
    else
        v->login = (struct postern_login){q->login.method,    q->login.mechanism, q->login.user,
                                          q->login.authorize, q->login.secret,    q->login.tls};
}

static void authenticated(struct postern_visit *v, int result)
{
    enum postern_verdict verdict = visit_verdict(result);

    if (verdict == POSTERN_NO_NOT_FOUND)
        verdict = POSTERN_NO_CREDENTIALS; /* nobody shall learn which names there are */
    v->failed = v->failed || verdict == POSTERN_NO_CREDENTIALS;
    if (v->imap)
        postern_imap_answer_authenticate(v->imap->engine, v->imap->question.id, verdict, v->span);
    else
        postern_pop3_answer_authenticate(v->engine, v->question.id, verdict, v->span,
                                         visit_text(v));
}

void visit_authenticate(struct postern_visit *v)
{
    const struct postern_provider *provider = &v->service->provider;
    struct postern_token token;

    login_fill(v);
    v->span = absent;
    token = visit_ask(v, authenticated);
    visit_result(v, provider->authenticate(provider->ctx, token, &v->login, &v->span));
}

static void looked_up(struct postern_visit *v, int result)
{
    enum postern_verdict verdict = visit_verdict(result);
    bool unknown = verdict == POSTERN_NO_CREDENTIALS || verdict == POSTERN_NO_NOT_FOUND;
    const struct postern_pop3_keys *keys = verdict == POSTERN_YES ? &v->keys : NULL;

    v->proof_due = unknown || verdict == POSTERN_YES;
    if (v->imap)
        postern_imap_answer_keys(v->imap->engine, v->imap->question.id,
                                 unknown ? POSTERN_YES : verdict, keys ? &keys->scram : NULL,
                                 v->keys.user);
    else
        postern_pop3_answer_keys(v->engine, v->question.id, unknown ? POSTERN_YES : verdict, keys,
                                 visit_text(v));
}

void visit_lookup(struct postern_visit *v)
{
    const struct postern_provider *provider = &v->service->provider;
    struct postern_token token;

    login_fill(v);
    v->keys = (struct postern_pop3_keys){.user = absent};
    token = visit_ask(v, looked_up);
    visit_result(v, provider->keys(provider->ctx, token, &v->login, &v->keys));
}
