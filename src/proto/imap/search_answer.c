/* SPDX-License-Identifier: MIT */
/* search_answer - what SEARCH and SORT tell of what they found (RFC 9051 7.3.4, RFC 4731, 5182,
 * 5267, 9394), and what "$" is then. */
#include "proto/imap/context.h"

/* shown - a found UID as the client asked for it.
 * I 5256:3-8 I 5256:3-29 I 6.4.9-5 I 4731:3.1-5 */
static uint32_t shown(const struct postern_imap *s, uint32_t uid)
{
    return s->by_uid ? uid : view_number(&s->view, uid);
}

/* I 9394:3.1-1 I 9394:3.1-3 */
void search_slice(const struct search_partial *partial, size_t count, size_t *first_r, size_t *n_r)
{
    uint64_t first = partial->first - 1, end = partial->last;

    if (end > count)
        end = count;
    if (first > end)
        first = end;
    *n_r = (size_t)(end - first);
    *first_r = partial->from_end ? count - (size_t)end : (size_t)first;
}

/* ---- "$" ------------------------------------------------------------------------------------- */

/* is_saved - RFC 5182 2.1, RFC 9394 3.2: what is returned, or all; also that of which MODSEQ tells.
 * I 6.4.4.1-8 I 5182:2.4-1 I 5182:2.4-2 I 5182:2.4-3 */
static bool is_saved(const struct imap_search *search, size_t i)
{
    unsigned some = search->returns & (RETURN_MIN | RETURN_MAX | RETURN_PARTIAL);
    size_t first, n;

    if (!some || search->returns & (RETURN_ALL | RETURN_COUNT))
        return true;
    if ((i == 0 && some & RETURN_MIN) || (i + 1 == search->found_count && some & RETURN_MAX))
        return true;
    search_slice(&search->partial, search->found_count, &first, &n);
    return some & RETURN_PARTIAL && i >= first && i - first < n;
}

bool search_is_smaller(const void *ctx, const void *left, const void *right)
{
    (void)ctx;
    return *(const uint32_t *)left < *(const uint32_t *)right;
}

/* I 5182:2.1-3 */
void search_forget(struct postern_imap *s)
{
    memory_free(s->o.allocator, s->saved);
    s->saved = NULL;
    s->saved_count = 0;
}

/* save - false: out of memory.
 * I 6.4.4.1-1 I 6.4.4.2-1 I 5182:2.1-1 I 5182:2.1-6 */
static bool save(struct postern_imap *s, const struct imap_search *search)
{
    void **order = arena_alloc(&s->arena, (search->found_count + 1) * sizeof *order);
    struct postern_uid_range *last;
    size_t n = 0;

    search_forget(s);
    s->saved = memory_new(s->o.allocator, (search->found_count + 1) * sizeof *s->saved);
    if (!s->saved || !order) {
        imap_no_memory(s);
        return false;
    }
    for (size_t i = 0; i < search->found_count; i++)
        if (is_saved(search, i))
            order[n++] = &search->found[i];
    if (search->sort)
        heap_sort(order, n, search_is_smaller, NULL);
    for (size_t i = 0; i < n; i++) {
        uint32_t uid = *(const uint32_t *)order[i];

        last = s->saved_count ? &s->saved[s->saved_count - 1] : NULL;
        if (last && last->last + 1 == uid)
            last->last = uid;
        else
            s->saved[s->saved_count++] = (struct postern_uid_range){uid, uid};
    }
    return true;
}

/* ---- the lines ------------------------------------------------------------------------------- */

/* I 5256:4-1 I 3501:6.4.4-2 */
static void write_plain(struct postern_imap *s, const struct imap_search *search)
{
    write_text(s, search->sort ? "* SORT" : "* SEARCH");
    for (size_t i = 0; i < search->found_count; i++) {
        size_t at = s->limit_uid ? search->found_count - 1 - i : i;

        write_text(s, " ");
        write_number(s, shown(s, search->found[at]));
    }
    /* I 7162:3.1.6-1 I 7162:3.1.9-1 */
    if (search->has_modseq && search->modseq) { /* RFC 7162 3.1.5, 3.1.9 */
        write_text(s, " (MODSEQ ");
        write_number(s, search->modseq);
        write_text(s, ")");
    }
    write_text(s, "\r\n");
}

/* told_modseq - the highest of the messages that are told (RFC 4731 3.2).
 * I 7162:3.1.10-1 I 7162:3.1.10-2
 * I 4731:3.2-1 I 4731:3.2-2
 * I 4731:3.2-3 */
static uint64_t told_modseq(const struct imap_search *search)
{
    uint64_t highest = 0;

    for (size_t i = 0; search->modseqs && i < search->found_count; i++)
        if (is_saved(search, i) && search->modseqs[i] > highest)
            highest = search->modseqs[i];
    return highest;
}

static void write_one(struct postern_imap *s, const char *name, uint64_t number)
{
    write_text(s, name);
    write_number(s, number);
}

void search_write_partial(struct postern_imap *s, const struct search_partial *partial)
{
    const char *minus = partial->from_end ? "-" : "";

    write_text(s, minus);
    write_number(s, partial->told_first);
    write_text(s, ":");
    write_text(s, minus);
    write_number(s, partial->told_last);
}

/* write_slice - found[] is as shown already.
 * I 9394:3.1-2 I 5267:4.4-1 */
static void write_slice(struct postern_imap *s, const struct imap_search *search)
{
    size_t first, n;

    search_slice(&search->partial, search->found_count, &first, &n);
    write_text(s, " PARTIAL (");
    search_write_partial(s, &search->partial);
    write_text(s, " ");
    if (n)
        write_uids(s, search->found + first, n);
    else
        write_text(s, "NIL");
    write_text(s, ")");
}

/* I 6.4.4-18 I 6.4.4-19 I 6.4.9-6 I 7.3.4-1 I 7.3.4-2 I 4731:3.1-1 I 4731:3.1-2 I 4731:3.1-3
 * I 4731:3.1-4 I 4731:3.1-7 I 7377:2.1-1 I 7377:2.1-2 I 6203:4-1 I 6203:7-1 I 5267:3.1-1 */
static void write_extended(struct postern_imap *s, struct imap_search *search)
{
    size_t n = search->found_count;

    for (size_t i = 0; i < n; i++)
        search->found[i] = shown(s, search->found[i]);
    write_text(s, "* ESEARCH (TAG ");
    write_string(s, s->tag);
    if (s->esearch) { /* RFC 7377 2.1 */
        write_text(s, " MAILBOX ");
        write_mailbox(s, search->mailbox.p ? search->mailbox : s->mailbox);
        write_one(s, " UIDVALIDITY ", s->view.uid_validity);
    }
    write_text(s, s->by_uid ? ") UID" : ")");
    if (n && search->returns & RETURN_MIN)
        write_one(s, " MIN ", search->found[0]);
    if (n && search->returns & RETURN_MAX)
        write_one(s, " MAX ", search->found[n - 1]);
    if (search->returns & RETURN_COUNT)
        write_one(s, " COUNT ", n);
    if (n && search->returns & RETURN_ALL) {
        write_text(s, " ALL ");
        write_uids(s, search->found, n);
    }
    if (search->returns & RETURN_PARTIAL)
        write_slice(s, search);
    if (n && search->returns & RETURN_RELEVANCY) {
        write_text(s, " RELEVANCY (");
        for (size_t i = 0; i < n; i++)
            write_one(s, i ? " " : "", search->scores[i]);
        write_text(s, ")");
    }
    if (told_modseq(search))
        write_one(s, " MODSEQ ", told_modseq(search));
    write_text(s, "\r\n");
}

/* I 6.1.1-2 I 6.4.4-21 I 6.4.4.1-2 I 6.4.4.1-4 I 5182:2.3-1 */
bool search_answer(struct postern_imap *s)
{
    struct imap_search *search = s->search;
    bool updates = search->returns & RETURN_UPDATE;

    search->returns &= ~(unsigned)(RETURN_UPDATE | RETURN_CONTEXT);
    if (search->sort)
        sort_order(s);
    if (search->returns & RETURN_SAVE && !save(s, search))
        return false;
    if (updates)
        context_keep(s);
    if (s->esearch && !search->found_count)
        return !s->failed; /* RFC 7377 2.1: nothing is told */
    if (!search->has_return &&
        (search->sort || !s->rev2)) /* RFC 9051 6.4.4: rev2 has ESEARCH only */
        write_plain(s, search);
    else if (search->returns != RETURN_SAVE) /* RFC 5182 2.2: then nothing is told */
        write_extended(s, search);
    return !s->failed;
}
