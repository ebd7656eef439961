/* SPDX-License-Identifier: MIT */
/* words - names of mailboxes and keywords, sets of UIDs, changes of flags. */
#include "store/words.h"

#include "base/span.h"
#include "codec/utf8.h"
#include <stdlib.h>

/* is_beside_inbox - below an "inbox" that is not INBOX: no client could name that. I 5.1-3 */
static bool is_beside_inbox(struct postern_span name)
{
    return span_begins_nocase(name, SPAN("INBOX/")) && !span_begins(name, SPAN("INBOX/"));
}

/* I 5.1-5 */
int name_check(struct postern_span *name)
{
    struct postern_span rest = *name;

    if (name->n > POSTERN_MAILBOX_NAME_MAX)
        return POSTERN_E_TOO_LONG;
    if (name->n == 0 || !utf8_is_valid(*name) || is_beside_inbox(*name))
        return POSTERN_E_SYNTAX;
    for (size_t i = 0; i < name->n; i++)
        if ((unsigned char)name->p[i] < ' ' || name->p[i] == 127)
            return POSTERN_E_SYNTAX;
    while (rest.p)
        if (span_cut(&rest, '/').n == 0)
            return POSTERN_E_SYNTAX;
    if (span_equal_nocase(*name, SPAN("INBOX")))
        *name = SPAN("INBOX");
    return 0;
}

bool name_is_below(struct postern_span name, struct postern_span above)
{
    return name.n > above.n && name.p[above.n] == '/' && span_begins(name, above);
}

int name_check_rename(struct postern_span *from, struct postern_span *to)
{
    int err = name_check(from);

    if (!err)
        err = name_check(to);
    if (!err && !span_equal(*from, SPAN("INBOX")) && name_is_below(*to, *from))
        err = POSTERN_E_SYNTAX;
    return err;
}

bool keyword_is_good(struct postern_span name)
{
    if (name.n == 0 || name.n > POSTERN_KEYWORD_MAX || name.p[0] == '\\')
        return false;
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] <= ' ' || (unsigned char)name.p[i] > 126 ||
            strchr("(){%*\"\\]", name.p[i]))
            return false;
    return true;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

uint32_t *uids_sorted(const uint32_t *uids, size_t *count)
{
    uint32_t *copy = malloc((*count + 1) * sizeof *copy);
    size_t kept = 0;

    if (!copy)
        return NULL;
    if (*count) {
        memcpy(copy, uids, *count * sizeof *copy);
        qsort(copy, *count, sizeof *copy, by_number);
    }
    for (size_t i = 0; i < *count; i++)
        if (kept == 0 || copy[kept - 1] != copy[i])
            copy[kept++] = copy[i];
    *count = kept;
    return copy;
}

bool flags_changed(const struct postern_flags_change *change, uint32_t *flags, uint64_t *keywords)
{
    uint32_t flags_before = *flags;
    uint64_t keywords_before = *keywords;

    switch (change->how) {
    case POSTERN_FLAGS_SET:
        *flags = change->flags;
        *keywords = change->keywords;
        break;
    case POSTERN_FLAGS_ADD:
        *flags |= change->flags;
        *keywords |= change->keywords;
        break;
    case POSTERN_FLAGS_REMOVE:
        *flags &= ~change->flags;
        *keywords &= ~change->keywords;
        break;
    }
    *flags &= POSTERN_FLAGS_ALL & ~change->kept_flags;
    *flags |= flags_before & change->kept_flags;
    if (change->kept_keywords)
        *keywords = keywords_before;
    return *flags != flags_before || *keywords != keywords_before;
}
