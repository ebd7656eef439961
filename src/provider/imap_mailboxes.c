/* SPDX-License-Identifier: MIT */
/* imap_mailboxes - the questions about mailboxes: which there are, how much is in them, making and
 * unmaking. */
#include "provider/imap_side.h"

#include "base/memory.h"
#include "base/span.h"
#include <stdlib.h>

/* ---- which there are ------------------------------------------------------------------------- */

void imap_list_end(struct imap_side *side)
{
    while (side->list_count)
        memory_free(NULL, side->list[--side->list_count].name);
    memory_free(NULL, side->list);
    memory_free(NULL, side->statuses);
    side->list = NULL;
    side->statuses = NULL;
    side->list_room = side->list_at = 0;
}

static int add_level(struct imap_side *side, struct postern_span name, const struct named *what)
{
    struct named *more = side->list, *one;
    size_t room = side->list_room ? side->list_room * 2 : 16;

    if (side->list_count == side->list_room) {
        more = memory_resize(NULL, side->list, room * sizeof *more);
        if (!more)
            return POSTERN_E_NOMEM;
        side->list = more;
        side->list_room = room;
    }
    one = &side->list[side->list_count];
    *one = *what;
    one->name = memory_resize(NULL, NULL, name.n + 1);
    if (!one->name)
        return POSTERN_E_NOMEM;
    memcpy(one->name, name.p, name.n);
    one->name_n = name.n;
    side->list_count++;
    return 0;
}

int postern_mailboxes_add(void *builder, struct postern_span name, enum postern_special_use special,
                          bool subscribed)
{
    struct imap_side *side = ((struct postern_visit *)builder)->imap;
    struct named what = {.special = special, .subscribed = subscribed, .exists = true};
    static const struct named level = {.name = NULL};
    int err = 0;

    if (name.n == 0)
        return POSTERN_E_USAGE;
    if (name.n > POSTERN_MAILBOX_NAME_MAX)
        return POSTERN_E_TOO_LONG;
    for (size_t i = 1; i < name.n && !err; i++)
        if (name.p[i] == '/')
            err = add_level(side, span_make(name.p, i), &level);
    return err ? err : add_level(side, name, &what);
}

static int by_name(const void *left, const void *right)
{
    const struct named *a = left, *b = right;
    size_t n = a->name_n < b->name_n ? a->name_n : b->name_n;
    int order = memcmp(a->name, b->name, n);

    return order ? order : (a->name_n > b->name_n) - (a->name_n < b->name_n);
}

/* merge - in order, each name once. */
static void merge(struct imap_side *side)
{
    size_t kept = 0;

    qsort(side->list, side->list_count, sizeof *side->list, by_name);
    for (size_t i = 1; i < side->list_count; i++) {
        struct named *last = &side->list[kept], *one = &side->list[i];

        if (by_name(last, one) != 0) {
            side->list[++kept] = *one;
            continue;
        }
        last->exists |= one->exists;
        last->subscribed |= one->subscribed;
        last->special = last->special ? last->special : one->special;
        memory_free(NULL, one->name);
    }
    side->list_count = side->list_count ? kept + 1 : 0;
}

static bool has_children(const struct imap_side *side, size_t at)
{
    const struct named *parent = &side->list[at];

    for (size_t i = at + 1; i < side->list_count; i++) {
        const struct named *one = &side->list[i];

        if (one->name_n < parent->name_n || memcmp(one->name, parent->name, parent->name_n) != 0)
            return false;
        if (one->name[parent->name_n] == '/' && one->exists)
            return true;
    }
    return false;
}

void imap_count_into(struct postern_status *status, const struct shown *shown)
{
    status->uid_validity = shown->uid_validity;
    status->uid_next = shown->uid_next;
    status->messages = (uint32_t)shown->count;
    for (size_t i = 0; i < shown->count; i++) {
        status->unseen += !(shown->all[i].flags & POSTERN_FLAG_SEEN);
        status->deleted += (shown->all[i].flags & POSTERN_FLAG_DELETED) != 0;
        status->size_bytes += shown->all[i].size_wire;
    }
}

static void list_answer(struct postern_visit *v, int err)
{
    struct imap_side *side = v->imap;

    postern_imap_answer_list(side->engine, side->question.id, err, side->statuses,
                             err ? 0 : side->list_count);
    imap_list_end(side);
}

static void count_on(struct postern_visit *v);

/* counted - what cannot be counted now makes the list fail: a mailbox that seems empty would be
 * told as emptied. One that went meanwhile is none; one that is not for the user has no counts. */
static void counted(struct postern_visit *v, int err)
{
    struct imap_side *side = v->imap;
    struct postern_status *status = &side->statuses[side->list_at];

    if (err && side->question.on && err != POSTERN_E_NOT_FOUND && err != POSTERN_E_DENIED) {
        list_answer(v, err);
        return;
    }
    if (!err)
        imap_count_into(status, &side->next);
    else if (err == POSTERN_E_NOT_FOUND && side->question.on)
        status->exists = false;
    side->list_at++;
    side->list_permitted = false;
    count_on(v);
}

/* permitted - what the user may do with the one at hand; nothing, if that cannot be told. */
static void permitted(struct postern_visit *v, int result)
{
    struct imap_side *side = v->imap;

    side->statuses[side->list_at].rights = visit_err(result) ? 0 : side->rights;
    side->list_permitted = true;
    count_on(v);
}

static void count_one(struct postern_visit *v)
{
    struct imap_side *side = v->imap;
    struct postern_span name = side->statuses[side->list_at].name;

    if (v->service->provider.rights && !side->list_permitted)
        imap_ask_rights(v, name, permitted);
    else if (side->question.on)
        show(v, name, false, counted);
    else
        counted(v, POSTERN_E_NOT_FOUND); /* nobody asked how many */
}

static void count_next(struct postern_visit *v)
{
    struct imap_side *side = v->imap;

    while (side->list_at < side->list_count && !side->list[side->list_at].exists)
        side->list_at++;
    if (side->list_at < side->list_count)
        count_one(v);
    else
        list_answer(v, 0);
}

static void count_on(struct postern_visit *v)
{
    imap_side_loop(v, count_next);
}

static void listed(struct postern_visit *v, int result)
{
    struct imap_side *side = v->imap;
    int err = visit_err(result);

    if (!err)
        err = postern_mailboxes_add(v, SPAN("INBOX"), POSTERN_SPECIAL_NONE, false);
    if (!err)
        merge(side);
    side->statuses = memory_new(NULL, (side->list_count + 1) * sizeof *side->statuses);
    if (err || !side->statuses) {
        list_answer(v, err ? err : POSTERN_E_NOMEM);
        return;
    }
    for (size_t i = 0; i < side->list_count; i++)
        side->statuses[i] =
            (struct postern_status){.name = span_make(side->list[i].name, side->list[i].name_n),
                                    .special = side->list[i].special,
                                    .subscribed = side->list[i].subscribed,
                                    .exists = side->list[i].exists,
                                    .has_children = has_children(side, i)};
    side->list_permitted = false;
    if (side->question.on || v->service->provider.rights)
        count_on(v);
    else
        list_answer(v, 0);
}

void imap_list(struct postern_visit *v)
{
    const struct postern_provider *provider = &v->service->provider;
    struct postern_token token = visit_ask(v, listed);

    visit_result(v, provider->mailboxes
                        ? provider->mailboxes(provider->ctx, token, buffer_span(&v->user), v)
                        : POSTERN_YES);
}

static void status_shown(struct postern_visit *v, int err)
{
    struct imap_side *side = v->imap;
    struct postern_status status = {.name = side->question.name, .exists = true};

    imap_count_into(&status, &side->next);
    postern_imap_answer_status(side->engine, side->question.id, err, &status);
}

void imap_status(struct postern_visit *v)
{
    show(v, v->imap->question.name, false, status_shown);
}

/* ---- making and unmaking --------------------------------------------------------------------- */

static void changed(struct postern_visit *v, int result)
{
    postern_imap_answer(v->imap->engine, v->imap->question.id, visit_err(result));
}

void imap_change(struct postern_visit *v)
{
    const struct postern_provider *provider = &v->service->provider;
    const struct postern_imap_question *q = &v->imap->question;
    struct postern_token token = visit_ask(v, changed);

    visit_result(v, provider->change ? provider->change(provider->ctx, token, buffer_span(&v->user),
                                                        q->kind, q->name, q->to, q->on)
                                     : POSTERN_E_UNSUPPORTED);
}
