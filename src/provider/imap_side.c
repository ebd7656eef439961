/* SPDX-License-Identifier: MIT */
/* imap_side - an IMAP session of a visit: which callback answers which question. */
#include "provider/imap_side.h"

#include "base/memory.h"
#include "base/span.h"

int imap_side_new(struct postern_visit *v, const struct postern_tls_facts *tls)
{
    int r;

    if (!v->service->provider.messages)
        return POSTERN_E_USAGE;
    v->imap = memory_new(NULL, sizeof *v->imap);
    if (!v->imap)
        return POSTERN_E_NOMEM;
    r = postern_imap_new(&v->imap->engine, &v->service->imap, tls, v->now);
    if (r < 0) {
        memory_free(NULL, v->imap);
        v->imap = NULL;
    }
    return r;
}

void imap_leave(struct postern_visit *v)
{
    imap_body_end(v);
    shown_done(&v->imap->now);
    shown_forget_keywords(v->imap);
    buffer_done(&v->imap->mailbox);
}

void imap_side_free(struct postern_visit *v)
{
    struct imap_side *side = v->imap;

    if (!side)
        return;
    postern_imap_free(&side->engine);
    imap_leave(v);
    shown_done(&side->next);
    imap_list_end(side);
    imap_acl_end(side);
    imap_append_end(side);
    memory_free(NULL, side->letters);
    memory_free(NULL, side->uids);
    buffer_done(&side->words);
    memory_free(NULL, side);
    v->imap = NULL;
}

/* log_in - whoever proved an identity has an account. */
static void log_in(struct postern_visit *v)
{
    const struct postern_imap_question *q = &v->imap->question;

    v->proof_due = false;
    v->ever_in = true;
    buffer_take(&v->user, buffer_length(&v->user));
    buffer_append(&v->user, q->name);
    postern_imap_answer(v->imap->engine, q->id, v->user.error);
}

static void answer(struct postern_visit *v)
{
    static void (*const by_kind[])(struct postern_visit *) = {
        [POSTERN_IMAP_CONNECT] = visit_connect,    [POSTERN_IMAP_AUTHENTICATE] = visit_authenticate,
        [POSTERN_IMAP_AUTH_LOOKUP] = visit_lookup, [POSTERN_IMAP_LOGIN] = log_in,
        [POSTERN_IMAP_LIST] = imap_list,           [POSTERN_IMAP_STATUS] = imap_status,
        [POSTERN_IMAP_CREATE] = imap_change,       [POSTERN_IMAP_REMOVE] = imap_change,
        [POSTERN_IMAP_RENAME] = imap_change,       [POSTERN_IMAP_SUBSCRIBE] = imap_change,
        [POSTERN_IMAP_SELECT] = imap_select,       [POSTERN_IMAP_NEWS] = imap_news,
        [POSTERN_IMAP_MESSAGES] = imap_messages,   [POSTERN_IMAP_STRUCTURE] = imap_structure,
        [POSTERN_IMAP_CONTENT] = imap_content,     [POSTERN_IMAP_READ] = imap_read,
        [POSTERN_IMAP_STORE] = imap_store,         [POSTERN_IMAP_COPY] = imap_copy,
        [POSTERN_IMAP_EXPUNGE] = imap_expunge,     [POSTERN_IMAP_APPEND] = imap_append,
        [POSTERN_IMAP_WRITE] = imap_write,         [POSTERN_IMAP_COMMIT] = imap_commit,
        [POSTERN_IMAP_RIGHTS] = imap_rights,       [POSTERN_IMAP_ACL] = imap_acl,
        [POSTERN_IMAP_SET_ACL] = imap_set_acl,
    };
    enum postern_imap_question_kind kind = v->imap->question.kind;

    if (kind < sizeof by_kind / sizeof *by_kind && by_kind[kind])
        by_kind[kind](v);
    else
        postern_imap_answer_default(v->imap->engine, v->imap->question.id);
}

/* watch - whether the application is to tell of changes in any mailbox. */
static void watch(struct postern_visit *v, bool on)
{
    const struct postern_provider *provider = &v->service->provider;

    if (provider->watch && on != v->imap->watching)
        provider->watch(provider->ctx, v, buffer_span(&v->user), on);
    v->imap->watching = on;
}

static void log_out(struct postern_visit *v)
{
    watch(v, false);
    buffer_done(&v->user);
}

static void hear(struct postern_visit *v, const struct postern_imap_question *news)
{
    if (news->kind == POSTERN_IMAP_CONTENT_DONE)
        imap_body_end(v);
    else if (news->kind == POSTERN_IMAP_WATCH_ALL)
        watch(v, true);
    else if (news->kind == POSTERN_IMAP_WATCH || news->kind == POSTERN_IMAP_UNWATCH)
        watch(v, false);
    else if (news->kind == POSTERN_IMAP_ABORT)
        imap_append_end(v->imap);
    else if (news->kind == POSTERN_IMAP_UNSELECT)
        imap_leave(v);
    else if (news->kind == POSTERN_IMAP_LOGOUT)
        log_out(v);
}

static bool has_changed(struct postern_visit *v)
{
    bool changed;

    pthread_mutex_lock(&v->late.lock);
    changed = v->late.changed;
    v->late.changed = false;
    pthread_mutex_unlock(&v->late.lock);
    return changed;
}

void imap_pump(struct postern_visit *v)
{
    struct postern_imap_question question;

    if (has_changed(v))
        postern_imap_news(v->imap->engine);
    do {
        while (postern_imap_next(v->imap->engine, &question) == 1) {
            if (!question.id) {
                hear(v, &question);
                continue;
            }
            v->imap->question = question;
            answer(v);
        }
    } while (visit_take_late(v));
}

struct postern_imap *postern_visit_imap(struct postern_visit *visit)
{
    return visit->imap ? visit->imap->engine : NULL;
}

void postern_visit_changed(struct postern_visit *visit)
{
    pthread_mutex_lock(&visit->late.lock);
    visit->late.changed = true;
    if (visit->host.wake)
        visit->host.wake(visit->host.wake_arg);
    pthread_mutex_unlock(&visit->late.lock);
}

void imap_side_loop(struct postern_visit *v, void (*step)(struct postern_visit *v))
{
    struct imap_side *side = v->imap;

    side->again = true;
    if (side->looping)
        return;
    side->looping = true;
    while (side->again) {
        side->again = false;
        step(v);
    }
    side->looping = false;
}
