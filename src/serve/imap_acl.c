/* SPDX-License-Identifier: MIT */
/* imap_acl - the questions about rights. The owner of an account may do everything in it, and that
 * cannot be changed; others what its access control lists say (store/acl.h). */
#include "serve/imap_session.h"

#include "base/span.h"
#include "store/acl.h"
#include "store/levels.h"

static int rights_work(struct serve_imap *s, unsigned wait_flag)
{
    struct imap_place place;
    int err = imap_place(s, s->question.name, wait_flag, &place);

    s->rights = 0;
    if (err || !s->question.on || !place.owner.n)
        return err ? err : imap_place_rights(s, &place, wait_flag, &s->rights);
    err = POSTERN_E_NOT_FOUND;
    while (err == POSTERN_E_NOT_FOUND && levels_up(&place.name))
        err = imap_place_rights(s, &place, wait_flag, &s->rights);
    return err;
}

static void rights_finish(struct serve_imap *s, int err)
{
    postern_imap_answer_rights(s->engine, s->question.id, err, s->rights);
}

/* ---- lists ----------------------------------------------------------------------------------- */

/* note_acl - its identifier in s->names, as metadata are noted. */
static int note_acl(void *ctx, const struct postern_acl *one)
{
    struct serve_imap *s = ctx;

    buffer_append(&s->names, one->identifier);
    buffer_append(&s->statuses, span_make((const char *)one, sizeof *one));
    return s->names.error || s->statuses.error ? POSTERN_E_NOMEM : 0;
}

static struct postern_span owner_of(const struct serve_imap *s, const struct imap_place *place)
{
    return place->owner.n ? place->owner : postern_span_of(login_user(&s->login));
}

static int acl_work(struct serve_imap *s, unsigned wait_flag)
{
    struct postern_acl owner = {.rights = POSTERN_RIGHTS_ALL, .fixed = true};
    struct imap_place place;
    int err = imap_place(s, s->question.name, wait_flag, &place);

    if (err)
        return err;
    owner.identifier = owner_of(s, &place);
    err = note_acl(s, &owner);
    return err ? err : imap_ops(s)->acl(place.account, place.name, note_acl, s);
}

static void acl_finish(struct serve_imap *s, int err)
{
    struct postern_acl *all = (struct postern_acl *)(uintptr_t)buffer_span(&s->statuses).p;
    size_t count = buffer_length(&s->statuses) / sizeof *all;
    const char *at = buffer_span(&s->names).p;

    if (err < 0)
        login_log_error(&s->login, "acl", err);
    for (size_t i = 0; i < count; i++) {
        all[i].identifier.p = at;
        at += all[i].identifier.n;
    }
    postern_imap_answer_acl(s->engine, s->question.id, err, all, err ? 0 : count);
    buffer_done(&s->statuses);
    buffer_done(&s->names);
}

static int set_acl_work(struct serve_imap *s, unsigned wait_flag)
{
    const struct postern_imap_question *q = &s->question;
    struct postern_acl change = {.identifier = q->to, .rights = q->rights};
    struct imap_place place;
    int err = imap_place(s, q->name, wait_flag, &place);

    if (err)
        return err;
    if (acl_is_about(q->to, owner_of(s, &place)))
        return POSTERN_E_UNSUPPORTED;
    return imap_ops(s)->set_acl(place.account, place.name, &change, q->how);
}

static void set_acl_finish(struct serve_imap *s, int err)
{
    if (err < 0)
        login_log_error(&s->login, "set acl", err);
    postern_imap_answer(s->engine, s->question.id, err);
}

const struct imap_work imap_rights_work = {
    .work = rights_work, .finish = rights_finish, .tries_now = true};
const struct imap_work imap_acl_work = {.work = acl_work, .finish = acl_finish};
const struct imap_work imap_set_acl_work = {
    .work = set_acl_work, .finish = set_acl_finish, .writes = true};
