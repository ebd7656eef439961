/* SPDX-License-Identifier: MIT */
/* imap_rights - the questions about rights (RFC 4314), for an application that knows of any. */
#include "provider/imap_side.h"

#include "base/memory.h"
#include "base/span.h"
#include "store/levels.h"

void imap_ask_rights(struct postern_visit *v, struct postern_span mailbox,
                     void (*finish)(struct postern_visit *v, int result))
{
    const struct postern_provider *provider = &v->service->provider;
    struct postern_token token = visit_ask(v, finish);

    v->imap->rights = 0;
    visit_result(v, provider->rights(provider->ctx, token, buffer_span(&v->user), mailbox,
                                     &v->imap->rights));
}

/* ---- RIGHTS ---------------------------------------------------------------------------------- */

static void rights_answer(struct postern_visit *v, int err)
{
    struct imap_side *side = v->imap;

    postern_imap_answer_rights(side->engine, side->question.id, err, err ? 0 : side->rights);
}

static void above_known(struct postern_visit *v, int result);

/* go_up - towards the nearest mailbox above that is there. */
static void go_up(struct postern_visit *v)
{
    struct imap_side *side = v->imap;

    imap_ask_rights(v, levels_up(&side->above) ? side->above : SPAN(""), above_known);
}

static void above_known(struct postern_visit *v, int result)
{
    int err = visit_err(result);

    if (err == POSTERN_E_NOT_FOUND && v->imap->above.n)
        imap_side_loop(v, go_up);
    else
        rights_answer(v, err);
}

static void rights_known(struct postern_visit *v, int result)
{
    rights_answer(v, visit_err(result));
}

void imap_rights(struct postern_visit *v)
{
    const struct postern_imap_question *q = &v->imap->question;

    v->imap->above = q->name;
    if (q->on)
        imap_side_loop(v, go_up);
    else
        imap_ask_rights(v, q->name, rights_known);
}

/* ---- ACL ------------------------------------------------------------------------------------- */

void imap_acl_end(struct imap_side *side)
{
    while (side->acl_count)
        memory_free(NULL, (char *)(uintptr_t)side->acl[--side->acl_count].identifier.p);
    memory_free(NULL, side->acl);
    side->acl = NULL;
    side->acl_room = 0;
}

int postern_acl_add(void *builder, const struct postern_acl *one)
{
    struct imap_side *side = ((struct postern_visit *)builder)->imap;
    size_t room = side->acl_room ? side->acl_room * 2 : 16;
    struct postern_acl *more = side->acl;
    char *name;

    if (one->identifier.n == 0)
        return POSTERN_E_USAGE;
    if (side->acl_count == side->acl_room) {
        more = memory_resize(NULL, side->acl, room * sizeof *more);
        if (!more)
            return POSTERN_E_NOMEM;
        side->acl = more;
        side->acl_room = room;
    }
    name = memory_resize(NULL, NULL, one->identifier.n);
    if (!name)
        return POSTERN_E_NOMEM;
    memcpy(name, one->identifier.p, one->identifier.n);
    more[side->acl_count] = *one;
    more[side->acl_count++].identifier.p = name;
    return 0;
}

static void acl_known(struct postern_visit *v, int result)
{
    struct imap_side *side = v->imap;
    int err = visit_err(result);

    postern_imap_answer_acl(side->engine, side->question.id, err, side->acl,
                            err ? 0 : side->acl_count);
    imap_acl_end(side);
}

void imap_acl(struct postern_visit *v)
{
    const struct postern_provider *provider = &v->service->provider;
    struct postern_token token = visit_ask(v, acl_known);

    visit_result(v, provider->acl ? provider->acl(provider->ctx, token, buffer_span(&v->user),
                                                  v->imap->question.name, v)
                                  : POSTERN_E_UNSUPPORTED);
}

static void acl_set(struct postern_visit *v, int result)
{
    postern_imap_answer(v->imap->engine, v->imap->question.id, visit_err(result));
}

void imap_set_acl(struct postern_visit *v)
{
    const struct postern_provider *provider = &v->service->provider;
    const struct postern_imap_question *q = &v->imap->question;
    struct postern_token token = visit_ask(v, acl_set);
    struct postern_acl change = {.identifier = q->to, .rights = q->rights};

    visit_result(v, provider->set_acl
                        ? provider->set_acl(provider->ctx, token, buffer_span(&v->user), q->name,
                                            &change, q->how)
                        : POSTERN_E_UNSUPPORTED);
}
