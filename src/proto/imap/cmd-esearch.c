/* SPDX-License-Identifier: MIT */
/* cmd-esearch - ESEARCH (RFC 7377). The names come from the list; then each mailbox is looked at,
 * its view and keywords stand where the selected one's do, the criteria are read (their "*" and
 * keywords are that mailbox's) and the search goes as ever. Numbers are only of the selected
 * mailbox. */
#include "proto/imap/commands.h"
#include "proto/imap/esearch.h"
#include "proto/imap/rights.h"

#define SOURCES_MAX 100

enum {
    SOURCE_MAILBOX = 1,
    SOURCE_SUBTREE = 2,
    SOURCE_SUBTREE_ONE = 4,
    SOURCE_PERSONAL = 8,
    SOURCE_SUBSCRIBED = 16
};
#define NEEDS_LIST (SOURCE_SUBTREE | SOURCE_SUBTREE_ONE | SOURCE_PERSONAL | SOURCE_SUBSCRIBED)

/* ---- what is to be searched ------------------------------------------------------------------ */

static void add_source(struct postern_imap *s, struct imap_esearch *esearch, unsigned kind,
                       struct postern_span name)
{
    if (esearch->source_count == SOURCES_MAX) {
        s->in.bad = true;
        return;
    }
    esearch->wanted |= kind;
    esearch->kinds[esearch->source_count] = kind;
    esearch->sources[esearch->source_count++] = name;
}

/* parse_names - one, or several in parentheses. */
static void parse_names(struct postern_imap *s, struct imap_esearch *esearch, unsigned kind)
{
    bool several;

    parse_space(&s->in);
    several = parse_try(&s->in, '(');
    do
        add_source(s, esearch, kind, parse_mailbox(s, &s->in));
    while (several && !s->in.bad && parse_try(&s->in, ' '));
    if (several)
        parse_char(&s->in, ')');
}

/* parse_source - "inboxes" are all mailboxes of the user's own, as with NOTIFY.
 * I 7377:2.2-6 */
static void parse_source(struct postern_imap *s, struct imap_esearch *esearch)
{
    static const struct {
        const char *word;
        unsigned kind;
        bool has_names;
    } words[] = {{"mailboxes", SOURCE_MAILBOX, true},       {"subtree", SOURCE_SUBTREE, true},
                 {"subtree-one", SOURCE_SUBTREE_ONE, true}, {"personal", SOURCE_PERSONAL, false},
                 {"subscribed", SOURCE_SUBSCRIBED, false},  {"inboxes", SOURCE_PERSONAL, false}};

    if (parse_try_word(&s->in, "selected")) {
        esearch->selected = true;
        return;
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!parse_try_word(&s->in, words[i].word))
            continue;
        if (words[i].has_names)
            parse_names(s, esearch, words[i].kind);
        else
            add_source(s, esearch, words[i].kind, SPAN(""));
        return;
    }
    s->in.bad = true;
}

static void parse_sources(struct postern_imap *s, struct imap_esearch *esearch)
{
    if (!parse_try_word(&s->in, "IN")) {
        esearch->selected = true;
        return;
    }
    parse_space(&s->in);
    parse_char(&s->in, '(');
    do
        parse_source(s, esearch);
    while (!s->in.bad && parse_try(&s->in, ' '));
    parse_char(&s->in, ')');
    parse_space(&s->in);
}

/* ---- names ----------------------------------------------------------------------------------- */

static bool is_under(struct postern_span name, struct postern_span parent, bool deep)
{
    struct postern_span below;

    if (span_equal(name, parent))
        return true;
    if (name.n <= parent.n || !span_begins(name, parent) || name.p[parent.n] != '/')
        return false;
    below = span_from(name, parent.n + 1);
    return deep || span_find(below, '/') == below.n;
}

/* I 7377:2.2-1 I 7377:2.2-2 */
static bool is_meant(const struct postern_imap *s, const struct postern_status *one)
{
    const struct imap_esearch *esearch = s->esearch;

    for (size_t i = 0; i < esearch->source_count; i++) {
        unsigned kind = esearch->kinds[i];
        struct postern_span name = esearch->sources[i];

        if ((kind == SOURCE_PERSONAL && rights_is_personal(s, one->name)) ||
            (kind == SOURCE_SUBSCRIBED && one->subscribed))
            return true;
        if (kind == SOURCE_MAILBOX && span_equal(one->name, name))
            return true;
        if (kind & (SOURCE_SUBTREE | SOURCE_SUBTREE_ONE) &&
            is_under(one->name, name, kind == SOURCE_SUBTREE))
            return true;
    }
    return false;
}

static void search_next(struct postern_imap *s);

/* begin - the names are known; the selected one is searched once. */
static void begin(struct postern_imap *s, struct imap_esearch *esearch)
{
    size_t kept = 0;

    for (size_t i = 0; i < esearch->count; i++) {
        bool again = s->state == POSTERN_IMAP_SELECTED && span_equal(esearch->names[i], s->mailbox);

        esearch->selected |= again;
        for (size_t k = 0; k < kept && !again; k++)
            again = span_equal(esearch->names[i], esearch->names[k]);
        if (!again)
            esearch->names[kept++] = esearch->names[i];
    }
    esearch->count = kept;
    s->work = search_next;
}

static void listed(struct postern_imap *s, const struct imap_answer *answer)
{
    struct imap_esearch *esearch = s->esearch;

    if (answer->err) {
        imap_refuse(s, answer->err);
        return;
    }
    esearch->names = arena_alloc(&s->arena, (answer->count + 1) * sizeof *esearch->names);
    for (size_t i = 0; esearch->names && i < answer->count; i++)
        if (rights_shows(s, &answer->statuses[i]) && is_meant(s, &answer->statuses[i]) &&
            arena_copy(&s->arena, answer->statuses[i].name, &esearch->names[esearch->count++]) < 0)
            esearch->names = NULL;
    if (esearch->names)
        begin(s, esearch);
    else
        imap_no_memory(s);
}

/* ---- one after the other --------------------------------------------------------------------- */

void esearch_restore(struct postern_imap *s)
{
    struct imap_esearch *esearch = s->esearch;

    if (!esearch || !esearch->is_away)
        return;
    view_done(&s->view);
    memory_free(s->o.allocator, s->keywords);
    s->view = esearch->view;
    s->keywords = esearch->keywords;
    s->keyword_count = esearch->keyword_count;
    s->saved = esearch->saved;
    s->saved_count = esearch->saved_count;
    s->uid_only = esearch->uid_only;
    esearch->is_away = false;
}

/* I 7377:2.1-4 */
static void put_aside(struct postern_imap *s, const struct postern_imap_mailbox *mailbox)
{
    struct imap_esearch *esearch = s->esearch;

    esearch->view = s->view;
    esearch->keywords = s->keywords;
    esearch->keyword_count = s->keyword_count;
    esearch->saved = s->saved;
    esearch->saved_count = s->saved_count;
    esearch->uid_only = s->uid_only;
    esearch->is_away = true;
    s->view = (struct imap_view){.allocator = s->o.allocator,
                                 .uid_validity = mailbox->status.uid_validity,
                                 .uid_next = mailbox->status.uid_next};
    s->keywords = NULL;
    s->keyword_count = 0;
    s->saved = NULL;
    s->saved_count = 0;
    s->uid_only = true;
    if (view_set(&s->view, mailbox->ranges, mailbox->range_count) < 0)
        imap_no_memory(s);
    imap_learn_keywords(s, mailbox->keywords, mailbox->keyword_count, false);
}

/* search_one - in the view that is there now; in memory of its own, which goes when it is done. */
static void search_one(struct postern_imap *s)
{
    struct imap_esearch *esearch = s->esearch;

    esearch->outer = s->arena;
    esearch->is_within = true;
    s->arena = (struct arena){.allocator = s->o.allocator};
    s->in = (struct imap_parser){.rest = esearch->criteria};
    if (!search_new(s))
        return;
    s->search->mailbox = esearch->name;
    if (!search_parse_program(s, s->search)) /* it is answered */
        return;
    s->search->has_return = true;
    if (s->search->returns & RETURN_SAVE && (esearch->count || esearch->name.p)) {
        imap_bad(s, "SAVE is for the selected mailbox alone");
        return;
    }
    if (esearch->name.p)
        s->search->returns &= ~(unsigned)RETURN_UPDATE; /* RFC 7377 2.2 */
    search_begin(s);
}

static void looked(struct postern_imap *s, const struct imap_answer *answer)
{
    if (answer->err) { /* it is gone, or cannot be read: the others can */
        s->work = search_next;
        return;
    }
    put_aside(s, answer->mailbox);
    if (!s->failed)
        search_one(s);
}

static void search_next(struct postern_imap *s)
{
    struct imap_esearch *esearch = s->esearch;

    s->work = NULL;
    if (esearch->selected) {
        esearch->selected = false;
        esearch->name = (struct postern_span){NULL, 0};
        search_one(s);
    } else if (esearch->at < esearch->count) {
        esearch->name = esearch->names[esearch->at++];
        s->question = (struct postern_imap_question){.name = esearch->name};
        imap_ask_if(s, POSTERN_IMAP_LOOK, rights_read, looked);
    } else {
        imap_ok(s, NULL, "done");
    }
}

/* leave - the memory of the search that was under way.
 * I 7377:2.1-3 */
static void leave(struct postern_imap *s)
{
    struct imap_esearch *esearch = s->esearch;

    if (!esearch->is_within)
        return;
    arena_drop(&s->arena);
    s->arena = esearch->outer;
    esearch->is_within = false;
}

void esearch_found(struct postern_imap *s)
{
    bool good = search_answer(s);

    imap_search_abort(s);
    if (!good)
        return;
    s->search = NULL;
    esearch_restore(s);
    leave(s);
    s->work = search_next;
}

void esearch_end(struct postern_imap *s)
{
    if (!s->esearch)
        return;
    esearch_restore(s);
    leave(s);
    s->esearch = NULL;
}

static void esearch_run(struct postern_imap *s)
{
    struct imap_esearch *esearch = s->esearch;

    esearch->criteria = s->in.rest;
    if (esearch->wanted & NEEDS_LIST) {
        s->question = (struct postern_imap_question){
            .shared = s->o.acl && esearch->wanted & NEEDS_LIST & ~(unsigned)SOURCE_PERSONAL};
        imap_ask(s, POSTERN_IMAP_LIST, listed);
        return;
    }
    esearch->names = esearch->sources;
    esearch->count = esearch->source_count;
    begin(s, esearch);
    imap_advance(s);
}

/* I 7377:2.1-5 I 7377:2.2-3 I 7377:2.2-5 */
void imap_cmd_esearch(struct postern_imap *s)
{
    struct imap_esearch *esearch = arena_alloc(&s->arena, sizeof *esearch);
    struct postern_span *sources = arena_alloc(&s->arena, SOURCES_MAX * sizeof *sources);
    unsigned *kinds = arena_alloc(&s->arena, SOURCES_MAX * sizeof *kinds);

    if (!esearch || !sources || !kinds) {
        imap_no_memory(s);
        return;
    }
    *esearch = (struct imap_esearch){.sources = sources, .kinds = kinds};
    s->esearch = esearch;
    s->by_uid = true;
    parse_space(&s->in);
    parse_sources(s, esearch);
    if (s->in.bad)
        imap_bad(s, s->in.why ? s->in.why : "syntax error");
    else if (esearch->selected && s->state != POSTERN_IMAP_SELECTED)
        imap_bad(s, "no mailbox is selected");
    else
        search_with_filters(s, esearch_run);
}
