/* SPDX-License-Identifier: MIT */
/* visit_open - OPEN: the application lists the mailbox, then is asked for each size it did not
 * give.
 *
 * Trap: sizes are asked in a loop, not by one answer asking for the next, so that a mailbox of a
 * million messages does not make a million stack frames. */
#include "provider/visit.h"

#include "base/memory.h"
#include "base/span.h"

static const struct postern_span absent;

void visit_listing_end(struct postern_visit *v)
{
    struct snapshot_builder *builder = v->listing.builder;

    snapshot_builder_free(&builder);
    v->listing.builder = NULL;
    memory_free(NULL, v->unsized);
    v->unsized = NULL;
    v->unsized_n = v->unsized_room = v->unsized_at = 0;
}

void visit_release(struct postern_visit *v)
{
    const struct postern_provider *provider = &v->service->provider;

    visit_bodies_done(v);
    if (v->locked && provider->released)
        provider->released(provider->ctx, v);
    v->locked = false;
}

static int unsized_note(struct postern_visit *v, size_t i)
{
    size_t room = v->unsized_room ? v->unsized_room * 2 : 64;
    uint32_t *larger;

    if (!v->service->provider.size)
        return POSTERN_E_USAGE;
    if (v->unsized_n == v->unsized_room) {
        /* UNSAFE: no wrap, half of it is in memory already */
        larger = memory_resize(NULL, v->unsized, room * sizeof *larger);
        if (!larger)
            return POSTERN_E_NOMEM;
        v->unsized = larger;
        v->unsized_room = room;
    }
    v->unsized[v->unsized_n++] = (uint32_t)i;
    return 0;
}

int postern_listing_add(struct postern_listing *listing, struct postern_span uid,
                        uint64_t size_bytes, unsigned flags)
{
    struct postern_visit *v =
        (struct postern_visit *)((char *)listing - offsetof(struct postern_visit, listing));
    bool known = size_bytes != POSTERN_SIZE_UNKNOWN;
    size_t i = snapshot_builder_count(listing->builder);
    int r = snapshot_builder_add(listing->builder, uid, 0, known ? size_bytes : 0, (uint8_t)flags);

    return r < 0 || known ? r : unsized_note(v, i);
}

static void refused(struct postern_visit *v, int result)
{
    enum postern_verdict verdict = visit_verdict(result);

    visit_listing_end(v);
    visit_release(v);
    if (verdict == POSTERN_NO_NOT_FOUND)
        verdict = POSTERN_NO_PERMANENT;
    postern_pop3_answer_open(v->engine, v->question.id, verdict, NULL, visit_text(v));
}

static void opened(struct postern_visit *v)
{
    struct snapshot_builder *builder = v->listing.builder;
    struct postern_snapshot *now = snapshot_builder_end(&builder);
    bool knows = v->question.waking && v->seen;
    struct postern_pop3_mailbox mailbox = {
        .list = now->list,
        .read_only = v->listing.read_only,
        .knows_activity = knows, /* X12 */
        .new_since = knows && postern_snapshot_has_new(v->seen, now),
        .expire_days = v->listing.expire_days,
        .login_delay_s = v->listing.login_delay_s,
        .last = v->listing.last,
    };

    v->listing.builder = NULL;
    visit_listing_end(v);
    postern_snapshot_unref(&v->seen);
    v->seen = now;
    v->ever_in = true;
    postern_pop3_answer_open(v->engine, v->question.id, POSTERN_YES, &mailbox, absent);
}

/* A message that is gone since it was listed stays in the list, and cannot be opened. */
static bool size_take(struct postern_visit *v, int result)
{
    bool gone = visit_verdict(result) == POSTERN_NO_NOT_FOUND;

    if (visit_verdict(result) != POSTERN_YES && !gone) {
        refused(v, result);
        return false;
    }
    snapshot_builder_size(v->listing.builder, v->unsized[v->unsized_at++], gone ? 0 : v->size,
                          gone ? POSTERN_ENTRY_UNREADABLE : 0);
    return true;
}

static void sized_late(struct postern_visit *v, int result);

static void sizes_ask(struct postern_visit *v)
{
    const struct postern_provider *provider = &v->service->provider;

    while (v->unsized_at < v->unsized_n) {
        struct postern_token token = visit_ask(v, sized_late);
        struct postern_span uid =
            snapshot_builder_uid(v->listing.builder, v->unsized[v->unsized_at]);
        int r;

        v->size = 0;
        r = provider->size(provider->ctx, token, uid, &v->size);
        if (r == POSTERN_LATER)
            return;
        visit_settled(v);
        if (!size_take(v, r))
            return;
    }
    opened(v);
}

static void sized_late(struct postern_visit *v, int result)
{
    if (size_take(v, result))
        sizes_ask(v);
}

static void listed(struct postern_visit *v, int result)
{
    v->locked = visit_verdict(result) == POSTERN_YES;
    if (v->locked)
        sizes_ask(v);
    else
        refused(v, result);
}

void visit_open(struct postern_visit *v)
{
    const struct postern_provider *provider = &v->service->provider;
    struct snapshot_builder *builder = NULL;
    struct postern_token token;

    v->proof_due = false;
    if (snapshot_builder_new(&builder, 64) < 0) {
        postern_pop3_answer_default(v->engine, v->question.id);
        return;
    }
    v->listing = (struct postern_listing){.builder = builder,
                                          .read_only = !visit_deletes(&v->service->provider),
                                          .expire_days = -1,
                                          .login_delay_s = -1};
    token = visit_ask(v, listed);
    if (!provider->list)
        visit_result(v, visit_inbox_list(v, token, v->question.user));
    else
        visit_result(v, (v->question.waking ? provider->refresh : provider->list)(
                            provider->ctx, token, v->question.user, &v->listing));
}
