/* SPDX-License-Identifier: MIT */
/* search_parse - the keys of SEARCH (RFC 9051 6.4.4, RFC 3501 6.4.4, RFC 5032, 7162, 8474). Keys
 * are read one by one; what waits for more operands waits on a stack of its own. */
#include "proto/imap/context.h"

#define FUZZY_WORDS_MAX 16

static struct search_step *add(struct postern_imap *s, struct imap_search *search,
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

/* fold - a text of the search as it is compared: UTF-8, without case. I 6.4.4-13 */
static struct postern_span fold(struct postern_imap *s, struct charset *charset,
                                struct postern_span text)
{
    struct buffer utf8 = {.allocator = s->o.allocator}, folded = {.allocator = s->o.allocator};
    struct postern_span kept = SPAN("");

    charset_feed(charset, text, &utf8);
    text_fold(buffer_span(&utf8), &folded);
    if (utf8.error || folded.error || arena_copy(&s->arena, buffer_span(&folded), &kept) < 0)
        imap_no_memory(s);
    buffer_done(&utf8);
    buffer_done(&folded);
    return kept;
}

/* ---- leaves ---------------------------------------------------------------------------------- */

enum argument { NONE, DATE, NUMBER, STRING, FIELD_STRING };

static const struct {
    const char *name;
    enum search_op op;
    enum argument argument;
    int64_t number;
    const char *field;
    bool negated;
} keys[] = {
    {"ALL", SEARCH_ALL, NONE, 0, NULL, false},
    {"SEEN", SEARCH_FLAG, NONE, POSTERN_FLAG_SEEN, NULL, false},
    {"UNSEEN", SEARCH_FLAG, NONE, POSTERN_FLAG_SEEN, NULL, true},
    {"ANSWERED", SEARCH_FLAG, NONE, POSTERN_FLAG_ANSWERED, NULL, false},
    {"UNANSWERED", SEARCH_FLAG, NONE, POSTERN_FLAG_ANSWERED, NULL, true},
    {"FLAGGED", SEARCH_FLAG, NONE, POSTERN_FLAG_FLAGGED, NULL, false},
    {"UNFLAGGED", SEARCH_FLAG, NONE, POSTERN_FLAG_FLAGGED, NULL, true},
    {"DELETED", SEARCH_FLAG, NONE, POSTERN_FLAG_DELETED, NULL, false},
    {"UNDELETED", SEARCH_FLAG, NONE, POSTERN_FLAG_DELETED, NULL, true},
    {"DRAFT", SEARCH_FLAG, NONE, POSTERN_FLAG_DRAFT, NULL, false},
    {"UNDRAFT", SEARCH_FLAG, NONE, POSTERN_FLAG_DRAFT, NULL, true},
    {"RECENT", SEARCH_RECENT, NONE, 0, NULL, false},
    {"OLD", SEARCH_RECENT, NONE, 0, NULL, true},
    {"NEW", SEARCH_NEW, NONE, 0, NULL, false},
    {"BEFORE", SEARCH_BEFORE, DATE, 0, NULL, false},
    {"ON", SEARCH_ON, DATE, 0, NULL, false},
    {"SINCE", SEARCH_SINCE, DATE, 0, NULL, false},
    {"SAVEDBEFORE", SEARCH_SAVEDBEFORE, DATE, 0, NULL, false},
    {"SAVEDON", SEARCH_SAVEDON, DATE, 0, NULL, false},
    {"SAVEDSINCE", SEARCH_SAVEDSINCE, DATE, 0, NULL, false},
    {"SAVEDATESUPPORTED", SEARCH_SAVEDATESUPPORTED, NONE, 0, NULL, false},
    {"SENTBEFORE", SEARCH_SENTBEFORE, DATE, 0, NULL, false},
    {"SENTON", SEARCH_SENTON, DATE, 0, NULL, false},
    {"SENTSINCE", SEARCH_SENTSINCE, DATE, 0, NULL, false},
    {"LARGER", SEARCH_LARGER, NUMBER, 0, NULL, false},
    {"SMALLER", SEARCH_SMALLER, NUMBER, 0, NULL, false},
    {"YOUNGER", SEARCH_YOUNGER, NUMBER, 0, NULL, false},
    {"OLDER", SEARCH_OLDER, NUMBER, 0, NULL, false},
    {"SUBJECT", SEARCH_HEADER, STRING, 0, "Subject", false},
    {"FROM", SEARCH_HEADER, STRING, 0, "From", false},
    {"TO", SEARCH_HEADER, STRING, 0, "To", false},
    {"CC", SEARCH_HEADER, STRING, 0, "Cc", false},
    {"BCC", SEARCH_HEADER, STRING, 0, "Bcc", false},
    {"HEADER", SEARCH_HEADER, FIELD_STRING, 0, NULL, false},
    {"BODY", SEARCH_BODY, STRING, 0, NULL, false},
    {"TEXT", SEARCH_TEXT, STRING, 0, NULL, false},
};

static void parse_argument(struct postern_imap *s, struct charset *charset, size_t key,
                           struct search_step *step)
{
    step->number = keys[key].number;
    step->name = postern_span_of(keys[key].field);
    if (keys[key].argument != NONE)
        parse_space(&s->in);
    if (keys[key].argument == DATE)
        step->number = parse_date(s, &s->in);
    if (keys[key].argument == NUMBER)
        step->number = (int64_t)parse_number(&s->in, INT64_MAX);
    if (keys[key].argument == FIELD_STRING) {
        step->name = parse_astring(s, &s->in);
        parse_space(&s->in);
    }
    step->field = postern_mime_field_named(step->name);
    if (keys[key].argument == STRING || keys[key].argument == FIELD_STRING)
        step->text = fold(s, charset, parse_astring(s, &s->in));
}

/* add_words - of a text that is meant fuzzily: or all of its words, wherever they stand.
 * I 6203:3-1 */
static void add_words(struct postern_imap *s, struct imap_search *search)
{
    struct search_step whole = search->steps[search->count - 1];
    struct postern_span rest = whole.text;
    unsigned words = 0;

    if (!memchr(rest.p, ' ', rest.n))
        return;
    while (rest.n && words < FUZZY_WORDS_MAX) {
        struct postern_span word = span_cut(&rest, ' ');
        struct search_step *step = word.n ? add(s, search, whole.op) : NULL;

        if (!step)
            continue;
        step->name = whole.name;
        step->field = whole.field;
        step->text = word;
        step->loose = true;
        if (words++)
            (void)add(s, search, SEARCH_AND);
    }
    if (words)
        (void)add(s, search, SEARCH_OR);
}

/* parse_modseq - ["entry" type] number (RFC 7162 3.1.5); the entry is one for all.
 * I 7162:3.1.5-1 I 7162:3.1.5-2 */
static void parse_modseq(struct postern_imap *s, struct imap_search *search)
{
    struct search_step *step = add(s, search, SEARCH_MODSEQ);

    parse_space(&s->in);
    if (s->in.rest.n && s->in.rest.p[0] == '"') {
        (void)parse_string(s, &s->in);
        parse_space(&s->in);
        s->in.bad |= !parse_try_word(&s->in, "PRIV") && !parse_try_word(&s->in, "SHARED") &&
                     !parse_try_word(&s->in, "ALL");
        parse_space(&s->in);
    }
    if (step)
        step->number = (int64_t)parse_number(&s->in, INT64_MAX);
    search->has_modseq = true;
    imap_enable_condstore(s);
}

/* I 6.4.4-5 */
static void parse_keyword(struct postern_imap *s, struct imap_search *search, bool negated)
{
    struct search_step *step = add(s, search, SEARCH_KEYWORD);

    parse_space(&s->in);
    if (step)
        step->number = imap_keyword(s, parse_atom(&s->in));
    if (negated)
        (void)add(s, search, SEARCH_NOT);
}

/* I 8474:6-1 I 8474:6-2 */
static void parse_email_id(struct postern_imap *s, struct imap_search *search, bool of_thread)
{
    struct search_step *step = add(s, search, SEARCH_EMAILID);
    struct postern_span id;
    uint64_t number = 0;

    parse_space(&s->in);
    id = parse_atom(&s->in);
    if (of_thread || !id.n || id.p[0] != 'E' || !span_number(span_from(id, 1), UINT64_MAX, &number))
        number = 0; /* nobody's: no message has the id of a thread */
    if (step)
        step->number = (int64_t)number;
}

/* parse_beyond - UIDAFTER and UIDBEFORE: a UID, which need not be there (RFC 9738 3.2). */
static void parse_beyond(struct postern_imap *s, struct imap_search *search, bool after)
{
    struct search_step *step = add(s, search, SEARCH_SET);
    struct postern_uid_range *range = arena_alloc(&s->arena, sizeof *range);
    uint32_t uid;

    parse_space(&s->in);
    uid = (uint32_t)parse_number(&s->in, UINT32_MAX);
    s->in.bad |= uid == 0;
    if (!range)
        imap_no_memory(s);
    if (!range || !step || s->in.bad)
        return;
    *range = after ? (struct postern_uid_range){uid + 1, UINT32_MAX}
                   : (struct postern_uid_range){1, uid - 1};
    step->set = (struct imap_set){range, (after ? uid < UINT32_MAX : uid > 1) ? 1 : 0};
}

/* I 6.4.4-4 I 5032:4-1 */
static bool parse_named(struct postern_imap *s, struct imap_search *search, struct charset *charset)
{
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct search_step *step;

        if (!parse_try_word(&s->in, keys[i].name))
            continue;
        if (keys[i].op == SEARCH_YOUNGER || keys[i].op == SEARCH_OLDER)
            s->in.bad |= !imap_offers(s, "WITHIN");
        if (keys[i].op >= SEARCH_SAVEDBEFORE && keys[i].op <= SEARCH_SAVEDATESUPPORTED)
            s->in.bad |= !imap_offers(s, "SAVEDATE");
        step = add(s, search, keys[i].op);
        if (step)
            parse_argument(s, charset, i, step);
        if (keys[i].op == SEARCH_YOUNGER || keys[i].op == SEARCH_OLDER)
            s->in.bad |= step && (step->number < 1 || step->number > UINT32_MAX);
        if (search->fuzzy && step && !s->in.bad && step->text.n)
            add_words(s, search);
        if (keys[i].negated)
            (void)add(s, search, SEARCH_NOT);
        return true;
    }
    return false;
}

/* parse_leaf - one key that is whole in itself.
 * I 6.4.4-16 I 6.4.4-17 I 6203:5-1 */
static void parse_leaf(struct postern_imap *s, struct imap_search *search, struct charset *charset)
{
    bool by_uid;

    if (parse_named(s, search, charset))
        return;
    if (parse_try_word(&s->in, "KEYWORD")) {
        parse_keyword(s, search, false);
    } else if (parse_try_word(&s->in, "UNKEYWORD")) {
        parse_keyword(s, search, true);
    } else if (parse_try_word(&s->in, "MODSEQ")) {
        parse_modseq(s, search);
    } else if (imap_offers(s, "OBJECTID") && parse_try_word(&s->in, "EMAILID")) {
        parse_email_id(s, search, false);
    } else if (imap_offers(s, "OBJECTID") && parse_try_word(&s->in, "THREADID")) {
        parse_email_id(s, search, true);
    } else if (imap_limit(s) && parse_try_word(&s->in, "UIDAFTER")) {
        parse_beyond(s, search, true);
    } else if (imap_limit(s) && parse_try_word(&s->in, "UIDBEFORE")) {
        parse_beyond(s, search, false);
    } else {
        struct search_step *step = add(s, search, SEARCH_SET);

        by_uid = parse_try_word(&s->in, "UID");
        if (by_uid)
            parse_space(&s->in);
        if (step)
            parse_set(s, &s->in, by_uid, &step->set);
    }
}

/* ---- what joins them ------------------------------------------------------------------------- */

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
                (void)add(s, search, SEARCH_AND);
            if (*depth == 1 || !parse_try(&s->in, ')'))
                return;
        } else if (top->op == SEARCH_OR && top->operands < 2) {
            return;
        } else if (top->op == SEARCH_FUZZY) {
            search->fuzzy--;
        } else {
            (void)add(s, search, top->op);
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

/* I 6.4.4-2 */
static void parse_keys(struct postern_imap *s, struct imap_search *search, struct charset *charset)
{
    struct waiting *stack = arena_alloc(&s->arena, SEARCH_DEPTH_MAX * sizeof *stack);
    size_t depth = 0;

    if (!stack) {
        imap_no_memory(s);
        return;
    }
    push(s, stack, &depth, SEARCH_AND);
    do {
        if (parse_try(&s->in, '(')) {
            push(s, stack, &depth, SEARCH_AND);
            continue;
        }
        if (parse_try_word(&s->in, "NOT")) {
            push(s, stack, &depth, SEARCH_NOT);
            parse_space(&s->in);
            continue;
        }
        if (imap_offers(s, "SEARCH=FUZZY") && parse_try_word(&s->in, "FUZZY")) {
            push(s, stack, &depth, SEARCH_FUZZY);
            search->fuzzy++;
            search->has_fuzzy = true;
            parse_space(&s->in);
            continue;
        }
        if (parse_try_word(&s->in, "OR")) {
            push(s, stack, &depth, SEARCH_OR);
            parse_space(&s->in);
            continue;
        }
        parse_leaf(s, search, charset);
        operand_over(s, search, stack, &depth);
        if (s->in.rest.n)
            parse_space(&s->in);
        else if (depth > 1)
            s->in.bad = true;
    } while (!s->in.bad && (s->in.rest.n || depth > 1));
}

/* ---- around them ----------------------------------------------------------------------------- */

/* partial_end - "7" or "-7". */
static uint32_t partial_end(struct postern_imap *s, bool from_end)
{
    uint32_t number;

    if (from_end)
        parse_char(&s->in, '-');
    number = (uint32_t)parse_number(&s->in, UINT32_MAX);
    s->in.bad |= number == 0;
    return number;
}

void search_parse_partial(struct postern_imap *s, struct search_partial *partial_r)
{
    bool from_end = s->in.rest.n && s->in.rest.p[0] == '-';
    uint32_t first = partial_end(s, from_end), last;

    parse_char(&s->in, ':');
    last = partial_end(s, from_end);
    *partial_r = (struct search_partial){.from_end = from_end,
                                         .first = first < last ? first : last,
                                         .last = first < last ? last : first,
                                         .told_first = first,
                                         .told_last = last};
}

/* I 4731:4-1 I 5267:4.2-1 I 5267:4.3-3 I 7377:2.2-4 */
static unsigned parse_return_option(struct postern_imap *s, struct imap_search *search)
{
    static const struct {
        const char *name;
        unsigned option;
    } options[] = {{"MIN", RETURN_MIN},
                   {"MAX", RETURN_MAX},
                   {"ALL", RETURN_ALL},
                   {"COUNT", RETURN_COUNT},
                   {"SAVE", RETURN_SAVE},
                   {"PARTIAL", RETURN_PARTIAL},
                   {"RELEVANCY", RETURN_RELEVANCY},
                   {"UPDATE", RETURN_UPDATE},
                   {"CONTEXT", RETURN_CONTEXT}};

    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (!parse_try_word(&s->in, options[i].name))
            continue;
        if (options[i].option >= RETURN_UPDATE)
            s->in.bad |= !imap_offers(s, search->sort ? "CONTEXT=SORT" : "CONTEXT=SEARCH");
        if (options[i].option == RETURN_UPDATE && s->state != POSTERN_IMAP_SELECTED)
            s->in.bad = true; /* RFC 7377 2.2 */
        if (options[i].option == RETURN_UPDATE && !search->mailbox.p && context_has(s, s->tag)) {
            s->in.bad = true;
            s->in.why = "the tag was used for this already";
        }
        if (options[i].option == RETURN_UPDATE)
            context_parse_items(s, search);
        if (options[i].option == RETURN_PARTIAL) {
            s->in.bad |= !imap_offers(s, "PARTIAL") || search->returns & RETURN_PARTIAL;
            parse_space(&s->in);
            search_parse_partial(s, &search->partial);
        }
        return options[i].option;
    }
    s->in.bad = true;
    return 0;
}

/* I 6.4.4-20 I 4731:3.1-6 I 5267:3.3-1 I 9394:3.1-4 */
void search_parse_return(struct postern_imap *s, struct imap_search *search)
{
    if (!parse_try_word(&s->in, "RETURN"))
        return;
    search->has_return = true;
    parse_space(&s->in);
    parse_char(&s->in, '(');
    while (!s->in.bad && !parse_try(&s->in, ')')) {
        search->returns |= parse_return_option(s, search);
        if (s->in.rest.n && s->in.rest.p[0] != ')')
            parse_space(&s->in);
    }
    if (search->returns & RETURN_ALL && search->returns & RETURN_PARTIAL)
        s->in.bad = true; /* RFC 9394 3.1 */
    if (!(search->returns & ~(unsigned)(RETURN_UPDATE | RETURN_CONTEXT)))
        search->returns |= RETURN_ALL; /* RFC 4731 3.1, RFC 9051 6.4.4 */
    parse_space(&s->in);
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
