/* SPDX-License-Identifier: MIT */
/* name - the whole name lies in one array, of which the local part and the domain are spans. */
#include "accounts/name.h"

#include "accounts/domain.h"
#include "base/span.h"

bool name_make(struct name *name_r, struct postern_span local, struct postern_span domain)
{
    size_t n = 0;

    *name_r = (struct name){0};
    if (!local.n || local.n + domain.n + 2 > sizeof name_r->text)
        return false;
    for (size_t i = 0; i < local.n; i++)
        name_r->text[n++] = ascii_lower(local.p[i]);
    name_r->local = span_make(name_r->text, n);
    name_r->written = local;
    if (!domain.n)
        return true;
    name_r->text[n++] = '@';
    name_r->domain.p = name_r->text + n;
    name_r->domain.n = domain_normal(domain, name_r->text + n, sizeof name_r->text - n);
    return name_r->domain.n > 0;
}

struct postern_span name_whole(const struct name *name)
{
    return span_make(name->text, name->local.n + (name->domain.n ? 1 + name->domain.n : 0));
}

bool name_without_detail(const struct name *name, const char *delimiters, struct name *bare_r)
{
    for (size_t i = 1; i < name->local.n && delimiters; i++)
        if (strchr(delimiters, name->local.p[i])) {
            struct postern_span detail = span_from(name->written, i + 1);

            if (!name_make(bare_r, span_make(name->written.p, i), name->domain))
                return false;
            bare_r->detail = span_make(detail.n ? detail.p : "", detail.n);
            return true;
        }
    return false;
}

void name_split(struct postern_span text, struct postern_span *local_r,
                struct postern_span *domain_r)
{
    size_t at = text.n;

    while (at && text.p[at - 1] != '@')
        at--;
    *local_r = at ? span_make(text.p, at - 1) : text;
    *domain_r = at ? span_from(text, at) : (struct postern_span){NULL, 0};
}

struct postern_span name_unicode(struct postern_span whole, char text[NAME_BYTES])
{
    struct postern_span local, domain;
    size_t at, n;

    name_split(whole, &local, &domain);
    at = local.n + 1;
    if (!domain.n || at >= NAME_BYTES)
        return (struct postern_span){NULL, 0};
    memcpy(text, whole.p, at);
    n = domain_unicode(domain, text + at, NAME_BYTES - at);
    return n ? span_make(text, at + n) : (struct postern_span){NULL, 0};
}
