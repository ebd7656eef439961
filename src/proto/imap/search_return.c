/* SPDX-License-Identifier: MIT */
/* search_return - "RETURN (...)": what is told of the messages found (RFC 4731, 5182, 5267, 9394).
 */
#include "proto/imap/context.h"

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

/* parse_update - who wants to be told goes on being told by this tag. I 7377:2.2-4 */
static void parse_update(struct postern_imap *s, struct imap_search *search)
{
    if (s->state != POSTERN_IMAP_SELECTED)
        s->in.bad = true; /* RFC 7377 2.2 */
    if (!search->mailbox.p && context_has(s, s->tag)) {
        s->in.bad = true;
        s->in.why = "the tag was used for this already";
    }
    context_parse_items(s, search);
}

/* parse_option_rest - of one whose name is read. */
static void parse_option_rest(struct postern_imap *s, struct imap_search *search, unsigned option)
{
    if (option >= RETURN_UPDATE)
        s->in.bad |= !imap_offers(s, search->sort ? "CONTEXT=SORT" : "CONTEXT=SEARCH");
    if (option == RETURN_UPDATE)
        parse_update(s, search);
    if (option == RETURN_PARTIAL) {
        s->in.bad |= !imap_offers(s, "PARTIAL") || search->returns & RETURN_PARTIAL;
        parse_space(&s->in);
        search_parse_partial(s, &search->partial);
    }
}

/* I 4731:4-1 I 5267:4.2-1 I 5267:4.3-3 */
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

    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (parse_try_word(&s->in, options[i].name)) {
            parse_option_rest(s, search, options[i].option);
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
