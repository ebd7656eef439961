/* SPDX-License-Identifier: MIT */
/* cmd-search - SEARCH (RFC 9051 6.4.4): how a search begins. */
#include "proto/imap/commands.h"
#include "proto/imap/search.h"

void imap_search_abort(struct postern_imap *s)
{
    if (!s->search)
        return;
    if (s->search->scan)
        (void)text_scan_end(s->search->scan);
    s->search->scan = NULL;
    buffer_done(&s->search->structures.own);
}

bool search_new(struct postern_imap *s)
{
    struct imap_search *search = arena_alloc(&s->arena, sizeof *search);

    if (!search) {
        imap_no_memory(s);
        return false;
    }
    memset(search, 0, sizeof *search);
    search->structures.own.allocator = s->o.allocator;
    s->search = search;
    return true;
}

/* I 5.5-3 */
void search_begin(struct postern_imap *s)
{
    struct imap_search *search = s->search;

    search->stack = arena_alloc(&s->arena, (search->count + 1) * sizeof *search->stack);
    search->leaves = arena_alloc(&s->arena, (search->count + 1) * sizeof *search->leaves);
    if (!search->stack || !search->leaves) {
        imap_no_memory(s);
        return;
    }
    search->next_uid = search->only ? search->only[0] : 1;
    if (!search->only && !search_limit(s))
        return;
    search->now_s = search->told_s = s->o.seconds ? s->o.seconds() : 0;
    s->work = search_ask_index;
    imap_advance(s);
}

void search_begin_of_charset(struct postern_imap *s)
{
    struct postern_span charset = parse_astring(s, &s->in);

    parse_space(&s->in);
    if (search_parse_keys(s, s->search, charset))
        search_begin(s);
}

static void search_run(struct postern_imap *s)
{
    if (search_new(s) && search_parse(s, s->search))
        search_begin(s);
}

void imap_cmd_search(struct postern_imap *s)
{
    search_with_filters(s, search_run);
}
