/* SPDX-License-Identifier: MIT */
/* visit - one connection of a service: its engine, and which callback answers which question.
 *
 * Owns the visit. Trap: freeing is legal with a question open, and another thread may be at work
 * for its token until disconnected() has told the application; so all that callbacks were lent goes
 * after that, the engine before the list that it was lent. */
#include "provider/imap_side.h"

#include "base/memory.h"
#include "base/span.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

static void host_keep(struct postern_visit *v, const struct postern_visit_options *options)
{
    const struct sockaddr *peer = options->peer;

    v->host = *options;
    v->host.peer = NULL;
    v->host.tls = NULL;
    if (!peer || (peer->sa_family != AF_INET && peer->sa_family != AF_INET6))
        return;
    memcpy(&v->address, peer,
           peer->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
    v->host.peer = (const struct sockaddr *)&v->address;
}

int postern_visit_new(struct postern_visit **visit_r, struct postern_service *service,
                      const struct postern_visit_options *options, postern_time now)
{
    struct postern_visit *v = memory_new(NULL, sizeof *v);
    int r;

    if (!v)
        return POSTERN_E_NOMEM;
    v->service = service;
    pthread_mutex_init(&v->late.lock, NULL);
    host_keep(v, options);
    v->now = now;
    r = options->imap ? imap_side_new(v, options->tls)
                      : postern_pop3_new(&v->engine, &service->options, options->tls, now);
    if (r < 0) {
        pthread_mutex_destroy(&v->late.lock);
        memory_free(NULL, v);
        return r;
    }
    *visit_r = v;
    return 0;
}

/* R26: the engine is freed with whatever was only marked. */
static void strike(struct postern_visit *v)
{
    const struct postern_provider *provider = &v->service->provider;

    visit_proof_failed(v);
    if (!v->failed || v->ever_in || !v->host.peer)
        return;
    if (provider->strike)
        provider->strike(provider->ctx, v->host.peer);
    else if (v->service->bans)
        bans_strike(v->service->bans, v->host.peer, v->now);
}

void postern_visit_free(struct postern_visit **visit)
{
    struct postern_visit *v = visit ? *visit : NULL;
    const struct postern_provider *provider;

    if (!v)
        return;
    *visit = NULL;
    provider = &v->service->provider;
    strike(v);
    visit_release(v);
    if (provider->disconnected)
        provider->disconnected(provider->ctx, v);
    imap_side_free(v);
    postern_pop3_free(&v->engine);
    buffer_done(&v->user);
    memory_free(NULL, v->inbox_uids);
    visit_listing_end(v);
    postern_snapshot_unref(&v->seen);
    memory_free(NULL, v->opening);
    memory_free(NULL, v->uids);
    memory_free(NULL, v->read_bytes);
    pthread_mutex_lock(&v->late.lock); /* whoever has just answered is out of here then */
    pthread_mutex_unlock(&v->late.lock);
    pthread_mutex_destroy(&v->late.lock);
    secret_wipe(v, sizeof *v);
    memory_free(NULL, v);
}

struct postern_pop3 *postern_visit_engine(struct postern_visit *visit)
{
    return visit->engine;
}

void postern_visit_set_data(struct postern_visit *visit, void *data)
{
    visit->data = data;
}

void *postern_visit_data(const struct postern_visit *visit)
{
    return visit->data;
}

static void answer(struct postern_visit *v)
{
    static void (*const by_kind[])(struct postern_visit *) = {
        [POSTERN_POP3_CONNECT] = visit_connect,    [POSTERN_POP3_AUTHENTICATE] = visit_authenticate,
        [POSTERN_POP3_AUTH_LOOKUP] = visit_lookup, [POSTERN_POP3_OPEN] = visit_open,
        [POSTERN_POP3_FIND] = visit_find,          [POSTERN_POP3_MESSAGE] = visit_message,
        [POSTERN_POP3_READ] = visit_read,          [POSTERN_POP3_EXPUNGE] = visit_expunge,
        [POSTERN_POP3_COMMAND] = visit_command,
    };
    by_kind[v->question.kind](v);
}

static void hear(struct postern_visit *v, const struct postern_pop3_question *news)
{
    const struct postern_provider *provider = &v->service->provider;

    if (news->kind == POSTERN_POP3_MESSAGE_DONE)
        visit_body_done(v, news->content);
    else if (news->kind == POSTERN_POP3_MAILBOX_DONE)
        visit_release(v);
    else if (provider->seen)
        provider->seen(provider->ctx, v, news);
}

void postern_visit_pump(struct postern_visit *visit, postern_time now)
{
    struct postern_pop3_question question;

    visit->now = now;
    if (visit->imap) {
        imap_pump(visit);
        return;
    }
    do {
        while (postern_pop3_next(visit->engine, &question) == 1) {
            if (!question.id) {
                hear(visit, &question);
                continue;
            }
            visit->question = question;
            answer(visit);
        }
    } while (visit_take_late(visit));
}
