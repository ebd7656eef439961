/* SPDX-License-Identifier: MIT */
/* search_key - one key of SEARCH that is whole in itself (RFC 9051 6.4.4, RFC 3501 6.4.4, RFC 5032,
 * 7162, 8474, 9738). */
#include "proto/imap/search.h"

#define FUZZY_WORDS_MAX 16

/* fold - a text of the search as it is compared: UTF-8, without case. I 6.4.4-13 */
static struct postern_span fold(struct postern_imap *s, struct charset *charset,
                                struct postern_span text)
{
    struct buffer utf8 = {.allocator = s->o.allocator}, folded = {.allocator = s->o.allocator};
    struct postern_span kept = SPAN("");

    charset_feed(charset, text, &utf8);
    charset_end(charset, &utf8);
    text_fold(buffer_span(&utf8), &folded);
    if (utf8.error || folded.error || arena_copy(&s->arena, buffer_span(&folded), &kept) < 0)
        imap_no_memory(s);
    buffer_done(&utf8);
    buffer_done(&folded);
    return kept;
}

enum argument { NONE, DATE, NUMBER, STRING, FIELD_STRING };

static const struct key {
    const char *name;
    enum search_op op;
    enum argument argument;
    int64_t flag;
    const char *field; /* of the header */
    bool negated;
} keys[] = {
    {"ALL", SEARCH_ALL, .argument = NONE},
    {"SEEN", SEARCH_FLAG, .flag = POSTERN_FLAG_SEEN},
    {"UNSEEN", SEARCH_FLAG, .flag = POSTERN_FLAG_SEEN, .negated = true},
    {"ANSWERED", SEARCH_FLAG, .flag = POSTERN_FLAG_ANSWERED},
    {"UNANSWERED", SEARCH_FLAG, .flag = POSTERN_FLAG_ANSWERED, .negated = true},
    {"FLAGGED", SEARCH_FLAG, .flag = POSTERN_FLAG_FLAGGED},
    {"UNFLAGGED", SEARCH_FLAG, .flag = POSTERN_FLAG_FLAGGED, .negated = true},
    {"DELETED", SEARCH_FLAG, .flag = POSTERN_FLAG_DELETED},
    {"UNDELETED", SEARCH_FLAG, .flag = POSTERN_FLAG_DELETED, .negated = true},
    {"DRAFT", SEARCH_FLAG, .flag = POSTERN_FLAG_DRAFT},
    {"UNDRAFT", SEARCH_FLAG, .flag = POSTERN_FLAG_DRAFT, .negated = true},
    {"RECENT", SEARCH_RECENT, .argument = NONE},
    {"OLD", SEARCH_RECENT, .negated = true},
    {"NEW", SEARCH_NEW, .argument = NONE},
    {"BEFORE", SEARCH_BEFORE, .argument = DATE},
    {"ON", SEARCH_ON, .argument = DATE},
    {"SINCE", SEARCH_SINCE, .argument = DATE},
    {"SAVEDBEFORE", SEARCH_SAVEDBEFORE, .argument = DATE},
    {"SAVEDON", SEARCH_SAVEDON, .argument = DATE},
    {"SAVEDSINCE", SEARCH_SAVEDSINCE, .argument = DATE},
    {"SAVEDATESUPPORTED", SEARCH_SAVEDATESUPPORTED, .argument = NONE},
    {"SENTBEFORE", SEARCH_SENTBEFORE, .argument = DATE},
    {"SENTON", SEARCH_SENTON, .argument = DATE},
    {"SENTSINCE", SEARCH_SENTSINCE, .argument = DATE},
    {"LARGER", SEARCH_LARGER, .argument = NUMBER},
    {"SMALLER", SEARCH_SMALLER, .argument = NUMBER},
    {"YOUNGER", SEARCH_YOUNGER, .argument = NUMBER},
    {"OLDER", SEARCH_OLDER, .argument = NUMBER},
    {"SUBJECT", SEARCH_HEADER, .argument = STRING, .field = "Subject"},
    {"FROM", SEARCH_HEADER, .argument = STRING, .field = "From"},
    {"TO", SEARCH_HEADER, .argument = STRING, .field = "To"},
    {"CC", SEARCH_HEADER, .argument = STRING, .field = "Cc"},
    {"BCC", SEARCH_HEADER, .argument = STRING, .field = "Bcc"},
    {"HEADER", SEARCH_HEADER, .argument = FIELD_STRING},
    {"BODY", SEARCH_BODY, .argument = STRING},
    {"TEXT", SEARCH_TEXT, .argument = STRING},
};

static void parse_argument(struct postern_imap *s, struct charset *charset, const struct key *key,
                           struct search_step *step)
{
    step->number = key->flag;
    step->name = postern_span_of(key->field);
    if (key->argument != NONE)
        parse_space(&s->in);
    if (key->argument == DATE)
        step->number = parse_date(s, &s->in);
    if (key->argument == NUMBER)
        step->number = (int64_t)parse_number(&s->in, INT64_MAX);
    if (key->argument == FIELD_STRING) {
        step->name = parse_astring(s, &s->in);
        parse_space(&s->in);
    }
    step->field = postern_mime_field_named(step->name);
    if (key->argument == STRING || key->argument == FIELD_STRING)
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
        struct search_step *step = word.n ? search_add(s, search, whole.op) : NULL;

        if (!step)
            continue;
        step->name = whole.name;
        step->field = whole.field;
        step->text = word;
        step->loose = true;
        if (words++)
            (void)search_add(s, search, SEARCH_AND);
    }
    if (words)
        (void)search_add(s, search, SEARCH_OR);
}

/* parse_modseq - ["entry" type] number (RFC 7162 3.1.5); the entry is one for all.
 * I 7162:3.1.5-1 I 7162:3.1.5-2 */
static void parse_modseq(struct postern_imap *s, struct imap_search *search)
{
    struct search_step *step = search_add(s, search, SEARCH_MODSEQ);

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
    struct search_step *step = search_add(s, search, SEARCH_KEYWORD);

    parse_space(&s->in);
    if (step)
        step->number = imap_keyword(s, parse_atom(&s->in));
    if (negated)
        (void)search_add(s, search, SEARCH_NOT);
}

/* I 8474:6-1 I 8474:6-2 */
static void parse_email_id(struct postern_imap *s, struct imap_search *search, bool of_thread)
{
    struct search_step *step = search_add(s, search, SEARCH_EMAILID);
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
    struct search_step *step = search_add(s, search, SEARCH_SET);
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

static bool is_within(const struct key *key)
{
    return key->op == SEARCH_YOUNGER || key->op == SEARCH_OLDER;
}

static bool is_offered(const struct postern_imap *s, const struct key *key)
{
    if (is_within(key))
        return imap_offers(s, "WITHIN");
    if (key->op >= SEARCH_SAVEDBEFORE && key->op <= SEARCH_SAVEDATESUPPORTED)
        return imap_offers(s, "SAVEDATE");
    return true;
}

/* parse_rest - of a key whose name is read. I 5032:4-1 */
static void parse_rest(struct postern_imap *s, struct imap_search *search, struct charset *charset,
                       const struct key *key)
{
    struct search_step *step = search_add(s, search, key->op);

    s->in.bad |= !is_offered(s, key);
    if (step)
        parse_argument(s, charset, key, step);
    if (is_within(key))
        s->in.bad |= step && (step->number < 1 || step->number > UINT32_MAX);
    if (search->fuzzy && step && !s->in.bad && step->text.n)
        add_words(s, search);
    if (key->negated)
        (void)search_add(s, search, SEARCH_NOT);
}

/* I 6.4.4-4 */
static bool parse_named(struct postern_imap *s, struct imap_search *search, struct charset *charset)
{
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (parse_try_word(&s->in, keys[i].name)) {
            parse_rest(s, search, charset, &keys[i]);
            return true;
        }
    return false;
}

static void parse_numbers(struct postern_imap *s, struct imap_search *search)
{
    struct search_step *step = search_add(s, search, SEARCH_SET);
    bool by_uid = parse_try_word(&s->in, "UID");

    if (by_uid)
        parse_space(&s->in);
    if (step)
        parse_set(s, &s->in, by_uid, &step->set);
}

/* I 6.4.4-16 I 6.4.4-17 I 6203:5-1 */
void search_parse_key(struct postern_imap *s, struct imap_search *search, struct charset *charset)
{
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
        parse_numbers(s, search);
    }
}
