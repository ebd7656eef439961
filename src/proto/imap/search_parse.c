/* SPDX-License-Identifier: MIT */
/* search_parse - what a SEARCH is about (RFC 9051 6.4.4): its charset, and keys with NOT, OR and
 * lists around them. Keys are read one by one; what waits for more operands waits on a stack of its
 * own. */
#include "proto/imap/search.h"

struct search_step *search_add(struct postern_imap *s, struct imap_search *search,
                               enum search_op op)
{
    if (search->count == search->room) {
        size_t room = search->room ? search->room * 2 : 16;
        struct search_step *more = arena_alloc(&s->arena, room * sizeof *more);

        if (!more) {
            imap_no_memory(s);
            s->in.bad = true;
            return NULL;
        }
        if (search->count)
            memcpy(more, search->steps, search->count * sizeof *more);
        search->steps = more;
        search->room = room;
    }
    search->steps[search->count] = (struct search_step){.op = op};
    return &search->steps[search->count++];
}

struct waiting {
    enum search_op op; /* AND: a list */
    unsigned operands;
};

/* operand_over - whoever waited for it has it; false: nothing but the end may follow. I 6.4.4-1
 * I 6.4.4-3 */
static void operand_over(struct postern_imap *s, struct imap_search *search, struct waiting *stack,
                         size_t *depth)
{
    while (!s->in.bad) {
        struct waiting *top = &stack[*depth - 1];

        top->operands++;
        if (top->op == SEARCH_AND) {
            if (top->operands > 1)
                (void)search_add(s, search, SEARCH_AND);
            if (*depth == 1 || !parse_try(&s->in, ')'))
                return;
        } else if (top->op == SEARCH_OR && top->operands < 2) {
            return;
        } else if (top->op == SEARCH_FUZZY) {
            search->fuzzy--;
        } else {
            (void)search_add(s, search, top->op);
        }
        (*depth)--;
    }
}

static void push(struct postern_imap *s, struct waiting *stack, size_t *depth, enum search_op op)
{
    if (*depth == SEARCH_DEPTH_MAX) {
        s->in.bad = true;
        s->in.why = "too many levels";
        return;
    }
    stack[(*depth)++] = (struct waiting){op, 0};
}

/* parse_joiner - what waits for operands that come behind it. false: a key stands there. */
static bool parse_joiner(struct postern_imap *s, struct imap_search *search, struct waiting *stack,
                         size_t *depth)
{
    if (parse_try(&s->in, '(')) {
        push(s, stack, depth, SEARCH_AND);
        return true;
    }
    if (parse_try_word(&s->in, "NOT")) {
        push(s, stack, depth, SEARCH_NOT);
    } else if (parse_try_word(&s->in, "OR")) {
        push(s, stack, depth, SEARCH_OR);
    } else if (imap_offers(s, "SEARCH=FUZZY") && parse_try_word(&s->in, "FUZZY")) {
        push(s, stack, depth, SEARCH_FUZZY);
        search->fuzzy++;
        search->has_fuzzy = true;
    } else {
        return false;
    }
    parse_space(&s->in);
    return true;
}

/* I 6.4.4-2 */
static void parse_keys(struct postern_imap *s, struct imap_search *search, struct charset *charset)
{
    struct waiting *stack = arena_alloc(&s->arena, SEARCH_DEPTH_MAX * sizeof *stack);
    size_t depth = 0;
    bool more = true;

    if (!stack) {
        imap_no_memory(s);
        return;
    }
    push(s, stack, &depth, SEARCH_AND);
    do {
        if (parse_joiner(s, search, stack, &depth))
            continue;
        search_parse_key(s, search, charset);
        operand_over(s, search, stack, &depth);
        more = s->in.rest.n != 0; /* behind a space a key must follow */
        if (more)
            parse_space(&s->in);
        else if (depth > 1)
            s->in.bad = true;
    } while (!s->in.bad && more);
}

/* I 6.4.4-15 I 6.4.4.1-5 I 3501:7.1-1 I 5182:2.1-4 I 5182:2.1-5 I 6203:4-2 I 6203:6-2 */
bool search_parse_keys(struct postern_imap *s, struct imap_search *search,
                       struct postern_span charset_name)
{
    struct charset *charset = NULL;
    int err = s->in.bad ? 0 : charset_open(&charset, charset_name);

    if (err == POSTERN_E_UNSUPPORTED) {
        if (search->returns & RETURN_SAVE)
            search_forget(s); /* RFC 5182 2.1: a NO empties "$" */
        imap_no(s, "BADCHARSET (UTF-8)", "this charset is not known");
        return false;
    }
    if (err)
        imap_no_memory(s);
    parse_keys(s, search, charset);
    charset_close(&charset);
    if (!search->has_fuzzy &&
        (search->returns & RETURN_RELEVANCY || sort_is_by_relevancy(search->sort)))
        s->in.bad = true; /* RFC 6203 4, 6 */
    return imap_good(s);
}

bool search_parse(struct postern_imap *s, struct imap_search *search)
{
    parse_space(&s->in);
    return search_parse_program(s, search);
}

/* I 6.4.4-14 */
bool search_parse_program(struct postern_imap *s, struct imap_search *search)
{
    struct postern_span charset = SPAN("");

    search_parse_return(s, search);
    if (!search->returns)
        search->returns = RETURN_ALL;
    if (parse_try_word(&s->in, "CHARSET")) {
        /* I 6855:3-5 */
        if (s->utf8) /* RFC 6855 3: all is UTF-8 then */
            s->in.bad = true;
        parse_space(&s->in);
        charset = parse_astring(s, &s->in);
        parse_space(&s->in);
    }
    return search_parse_keys(s, search, charset);
}
