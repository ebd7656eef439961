/* SPDX-License-Identifier: MIT */
/* visit_inbox - POP3 for a program that has IMAP's callbacks only: INBOX is the mailbox, and
 * "VALIDITY.UID" a unique-id. */
#include "provider/visit.h"

#include "base/memory.h"
#include "base/span.h"
#include <stdio.h>

void visit_letters_begin(struct postern_visit *v)
{
    v->last_uid = 0;
    v->letters = (struct postern_letters){
        .builder = v, .uid_validity = 1, .read_only = !v->service->provider.store};
}

int visit_inbox_add(struct postern_visit *v, const struct postern_letter *letter)
{
    char uid[32];
    int n = snprintf(uid, sizeof uid, "%u.%u", v->letters.uid_validity, letter->uid);

    return postern_listing_add(&v->listing, span_make(uid, (size_t)n), letter->size_bytes, 0);
}

int visit_inbox_list(struct postern_visit *v, struct postern_token token, struct postern_span user)
{
    const struct postern_provider *provider = &v->service->provider;

    buffer_take(&v->user, buffer_length(&v->user));
    buffer_append(&v->user, user);
    if (v->user.error)
        return POSTERN_E_NOMEM;
    visit_letters_begin(v);
    return provider->messages(provider->ctx, token, buffer_span(&v->user), SPAN("INBOX"),
                              &v->letters);
}

/* uid_of - 0: none of ours. */
static uint32_t uid_of(struct postern_span unique)
{
    uint64_t uid = 0;

    (void)span_cut(&unique, '.');
    return span_number(unique, UINT32_MAX, &uid) ? (uint32_t)uid : 0;
}

int visit_inbox_fetch(struct postern_visit *v, struct postern_token token,
                      struct postern_span unique, struct postern_body *body_r)
{
    const struct postern_provider *provider = &v->service->provider;

    return provider->fetch(provider->ctx, token, buffer_span(&v->user), SPAN("INBOX"),
                           uid_of(unique), body_r);
}

int visit_inbox_delete(struct postern_visit *v, struct postern_token token,
                       const struct postern_span *uniques, size_t count)
{
    const struct postern_provider *provider = &v->service->provider;

    v->inbox_uids = memory_new(NULL, count * sizeof *v->inbox_uids);
    if (!v->inbox_uids)
        return POSTERN_E_NOMEM;
    for (size_t i = 0; i < count; i++)
        v->inbox_uids[i] = uid_of(uniques[i]);
    return provider->expunge(provider->ctx, token, buffer_span(&v->user), SPAN("INBOX"),
                             v->inbox_uids, count);
}

uint64_t postern_wire_size(struct postern_span content)
{
    uint64_t size = content.n;

    for (size_t i = 0; i < content.n; i++)
        size += content.p[i] == '\n' && (i == 0 || content.p[i - 1] != '\r');
    if (content.n && content.p[content.n - 1] != '\n')
        size += 2;
    return size;
}
