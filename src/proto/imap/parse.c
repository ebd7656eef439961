/* SPDX-License-Identifier: MIT */
/* parse - the words of a command (RFC 9051 9). The first thing that does not fit makes the parser
 * bad; from then on everything is empty, so a handler asks once, at the end.
 * Bounded by the text itself: each list has at most as many entries as it has octets. */
#include "codec/utf7.h"
#include "codec/utf8.h"
#include "proto/imap/session.h"
#include "proto/wire/date.h"

/* I 2.2.2-2 */
static void spoil(struct imap_parser *in)
{
    in->bad = true;
    in->rest = (struct postern_span){0};
}

bool parse_try(struct imap_parser *in, char c)
{
    if (in->rest.n == 0 || in->rest.p[0] != c)
        return false;
    in->rest = span_from(in->rest, 1);
    return true;
}

void parse_char(struct imap_parser *in, char c)
{
    if (!parse_try(in, c))
        spoil(in);
}

/* I 9-2 */
void parse_space(struct imap_parser *in)
{
    parse_char(in, ' ');
}

void parse_end(struct imap_parser *in)
{
    if (in->rest.n)
        spoil(in);
}

/* ATOM-CHAR: no "(" ")" "{" SP CTL list-wildcards quoted-specials resp-specials */
static bool is_atom(char c)
{
    return (unsigned char)c > ' ' && (unsigned char)c < 127 && !strchr("(){%*\"\\]", c);
}

static bool is_astring(char c)
{
    return is_atom(c) || c == ']';
}

static bool is_list_char(char c)
{
    return is_astring(c) || c == '%' || c == '*' || (unsigned char)c > 127;
}

static struct postern_span take_while(struct imap_parser *in, bool (*fits)(char c))
{
    struct postern_span word = in->rest;

    word.n = 0;
    while (word.n < in->rest.n && fits(in->rest.p[word.n]))
        word.n++;
    in->rest = span_from(in->rest, word.n);
    return word;
}

/* I 4.1-1 */
struct postern_span parse_atom(struct imap_parser *in)
{
    struct postern_span word = take_while(in, is_atom);

    if (word.n == 0)
        spoil(in);
    return word;
}

/* I 9-1 */
bool parse_try_word(struct imap_parser *in, const char *word)
{
    struct postern_span expected = postern_span_of(word);

    if (!span_begins_nocase(in->rest, expected) ||
        (in->rest.n > expected.n && is_atom(in->rest.p[expected.n])))
        return false;
    in->rest = span_from(in->rest, expected.n);
    return true;
}

/* I 4.2-1 */
uint64_t parse_number(struct imap_parser *in, uint64_t max)
{
    struct postern_span digits = in->rest;
    uint64_t number = 0;

    digits.n = 0;
    while (digits.n < in->rest.n && in->rest.p[digits.n] >= '0' && in->rest.p[digits.n] <= '9')
        digits.n++;
    in->rest = span_from(in->rest, digits.n);
    if (!digits.n || !span_number(digits, max, &number))
        spoil(in);
    return number;
}

/* ---- strings --------------------------------------------------------------------------------- */

/* quoted - RFC 9051 9: no CR, LF, NUL; "\" only before '"' and "\". I 4.3-1, I 4.3-2
 * I 6855:3-3 */
static struct postern_span quoted(struct postern_imap *s, struct imap_parser *in)
{
    char *out = arena_alloc(&s->arena, in->rest.n + 1);
    size_t n = 0;

    if (!out) {
        imap_no_memory(s);
        spoil(in);
        return in->rest;
    }
    parse_char(in, '"');
    while (in->rest.n && in->rest.p[0] != '"') {
        char c = in->rest.p[0];

        if (c == '\\') {
            in->rest = span_from(in->rest, 1);
            c = in->rest.n ? in->rest.p[0] : '\0';
            if (c != '\\' && c != '"')
                c = '\0';
        }
        if (c == '\0' || c == '\r' || c == '\n') {
            spoil(in);
            break;
        }
        out[n++] = c;
        in->rest = span_from(in->rest, 1);
    }
    parse_char(in, '"');
    if ((s->utf8 || s->rev2) && !in->bad && !utf8_is_valid(span_make(out, n)))
        spoil(in); /* RFC 6855 3 */
    return in->bad ? in->rest : span_make(out, n);
}

/* literal - "{5}", its line end, five octets: input.c saw to it that they are there. I 4.3-4, I 9-3
 */
static struct postern_span literal(struct imap_parser *in)
{
    struct postern_span text;
    uint64_t n;

    (void)parse_try(in, '~');
    parse_char(in, '{');
    n = parse_number(in, UINT32_MAX);
    (void)parse_try(in, '+');
    parse_char(in, '}');
    (void)parse_try(in, '\r');
    parse_char(in, '\n');
    if (in->bad || n > in->rest.n) {
        spoil(in);
        return in->rest;
    }
    text = span_make(in->rest.p, (size_t)n);
    in->rest = span_from(in->rest, (size_t)n);
    if (!in->takes_nul && text.n && memchr(text.p, '\0', text.n))
        spoil(in);
    return text;
}

/* I 4.3-5 */
struct postern_span parse_string(struct postern_imap *s, struct imap_parser *in)
{
    if (in->rest.n && in->rest.p[0] == '"')
        return quoted(s, in);
    return literal(in);
}

static bool is_string(const struct imap_parser *in)
{
    return in->rest.n && (in->rest.p[0] == '"' || in->rest.p[0] == '{' || in->rest.p[0] == '~');
}

/* I 4.3-3 */
struct postern_span parse_astring(struct postern_imap *s, struct imap_parser *in)
{
    struct postern_span word;

    if (is_string(in))
        return parse_string(s, in);
    word = take_while(in, is_astring);
    if (word.n == 0)
        spoil(in);
    return word;
}

struct postern_span parse_nstring(struct postern_imap *s, struct imap_parser *in)
{
    if (parse_try_word(in, "NIL"))
        return (struct postern_span){0};
    return parse_string(s, in);
}

/* ---- names of mailboxes ---------------------------------------------------------------------- */

/* is_written_so - is this the one way to write the name? A shift for what needs none could hide a
 * name from those who compare (RFC 3501 5.1.3). I 3501:5.1.3-1 */
static bool is_written_so(struct postern_imap *s, struct postern_span text,
                          struct postern_span written)
{
    struct buffer again = {.allocator = s->o.allocator};
    bool same = utf7_encode(text, "", &again) == 0 && span_equal(buffer_span(&again), written);

    buffer_done(&again);
    return same;
}

/* to_utf8 - UTF-8 stands as it is, if it may; else it is modified UTF-7. A name that is neither is
 * no name that exists: it is told as bad. I 4.3.1-1 I 5.1-1 */
static struct postern_span to_utf8(struct postern_imap *s, struct imap_parser *in,
                                   struct postern_span name)
{
    struct buffer text = {.allocator = s->o.allocator};
    struct postern_span kept = name;
    int err = 0;

    if (in->bad)
        return name;
    if (!utf8_is_ascii(name))
        err = utf8_is_valid(name) ? arena_copy(&s->arena, name, &kept) : POSTERN_E_SYNTAX;
    else if (!(s->rev2 || s->utf8) && memchr(name.p ? name.p : "", '&', name.n))
        err = utf7_decode(name, &text);
    if (!err && text.data)
        err = arena_copy(&s->arena, buffer_span(&text), &kept);
    buffer_done(&text);
    if (!err && kept.p != name.p && utf8_is_ascii(name) && !is_written_so(s, kept, name))
        err = POSTERN_E_SYNTAX;
    if (err == POSTERN_E_NOMEM)
        imap_no_memory(s);
    if (err) {
        spoil(in);
        in->why = "this is no name of a mailbox";
    }
    return kept;
}

/* with_inbox - what is below INBOX is below it however that is written: another "inbox" would be a
 * mailbox that no client can name. I 5.1-3 */
static struct postern_span with_inbox(struct postern_imap *s, struct imap_parser *in,
                                      struct postern_span name)
{
    struct postern_span inbox = SPAN("INBOX"), kept;

    if (in->bad || !span_begins_nocase(name, inbox))
        return name;
    if (name.n == inbox.n)
        return inbox;
    if (name.p[inbox.n] != '/' || span_begins(name, inbox))
        return name;
    if (arena_copy(&s->arena, name, &kept) < 0) {
        imap_no_memory(s);
        spoil(in);
        return name;
    }
    memcpy((char *)kept.p, inbox.p, inbox.n);
    return kept;
}

/* I 4.5-1 I 5.1-3 */
struct postern_span parse_mailbox(struct postern_imap *s, struct imap_parser *in)
{
    return with_inbox(s, in, to_utf8(s, in, parse_astring(s, in)));
}

/* I 6.3.9-11 */
struct postern_span parse_pattern(struct postern_imap *s, struct imap_parser *in)
{
    struct postern_span word;

    if (is_string(in))
        return to_utf8(s, in, parse_string(s, in));
    word = take_while(in, is_list_char);
    if (word.n == 0)
        spoil(in);
    return to_utf8(s, in, word);
}

/* ---- flags ----------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    uint32_t flag;
    /* I 3501:2.3.2-2 */
} system_flags[] = {{"Seen", POSTERN_FLAG_SEEN},       {"Answered", POSTERN_FLAG_ANSWERED},
                    {"Flagged", POSTERN_FLAG_FLAGGED}, {"Deleted", POSTERN_FLAG_DELETED},
                    {"Draft", POSTERN_FLAG_DRAFT},     {"Recent", 0}};

/* one_flag - \Recent is taken and means nothing: no client can change it. I 2.3.2-1 I 6.4.6-6 */
static void one_flag(struct imap_parser *in, struct imap_flags *flags)
{
    struct postern_span word;

    if (!parse_try(in, '\\')) {
        word = parse_atom(in);
        if (!in->bad)
            flags->keywords[flags->count++] = word;
        return;
    }
    word = parse_atom(in);
    for (size_t i = 0; i < sizeof system_flags / sizeof *system_flags; i++)
        if (span_equal_nocase(word, postern_span_of(system_flags[i].name))) {
            flags->flags |= system_flags[i].flag;
            return;
        }
    spoil(in);
    in->why = "there is no such system flag";
}

/* I 4.4-1 I 2.3.2-2 I 6.4.6-4 */
void parse_flags(struct postern_imap *s, struct imap_parser *in, struct imap_flags *flags_r)
{
    bool list = parse_try(in, '(');
    size_t words = 1;

    *flags_r = (struct imap_flags){0};
    for (size_t i = 0; i < in->rest.n && in->rest.p[i] != ')'; i++)
        words += in->rest.p[i] == ' ';
    flags_r->keywords = arena_alloc(&s->arena, words * sizeof *flags_r->keywords);
    if (!flags_r->keywords) {
        imap_no_memory(s);
        spoil(in);
        return;
    }
    if (list && parse_try(in, ')'))
        return;
    do
        one_flag(in, flags_r);
    while (!in->bad && parse_try(in, ' '));
    if (list)
        parse_char(in, ')');
}

/* ---- sets ------------------------------------------------------------------------------------ */

/* sift - heapsort's step: the range at `at` sinks to its place among the first n. */
static void sift(struct postern_uid_range *ranges, size_t at, size_t n)
{
    struct postern_uid_range one = ranges[at];

    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && ranges[child + 1].first > ranges[child].first)
            child++;
        if (ranges[child].first <= one.first)
            break;
        ranges[at] = ranges[child];
    }
    ranges[at] = one;
}

/* sort - by first, in place, in n log n for any input. */
static void sort(struct postern_uid_range *ranges, size_t n)
{
    for (size_t i = n / 2; i-- > 0;)
        sift(ranges, i, n);
    for (size_t i = n; i-- > 1;) {
        struct postern_uid_range first = ranges[0];

        ranges[0] = ranges[i];
        ranges[i] = first;
        sift(ranges, 0, i);
    }
}

/* set_join - rising and apart. I 4.1.1-1 */
static void set_join(struct imap_set *set)
{
    size_t kept = 0;

    sort(set->ranges, set->count);
    for (size_t i = 1; i < set->count; i++) {
        struct postern_uid_range *last = &set->ranges[kept], next = set->ranges[i];

        if (next.first <= last->last || next.first == last->last + 1)
            last->last = next.last > last->last ? next.last : last->last;
        else
            set->ranges[++kept] = next;
    }
    set->count = set->count ? kept + 1 : 0;
}

/* one_end - a number or "*", which is the last message; 0: there is none. A search may look for
 * numbers that no message has (RFC 7377 2).
 * I 4.1.1-2 I 9-6 I 7377:2-1 */
static uint32_t one_end(struct postern_imap *s, struct imap_parser *in, bool by_uid)
{
    uint32_t number;

    if (parse_try(in, '*')) {
        if (by_uid)
            return s->view.messages ? view_uid(&s->view, s->view.messages) : 0;
        return s->view.messages;
    }
    number = (uint32_t)parse_number(in, UINT32_MAX);
    if (number == 0)
        spoil(in);
    if (!in->bad && !by_uid && number > s->view.messages && !s->search) {
        spoil(in);
        in->why = "there are not so many messages";
    }
    return number;
}

/* I 6.4.9-2 I 9-5 I 9-7 */
static void one_range(struct postern_imap *s, struct imap_parser *in, bool by_uid,
                      struct imap_set *set)
{
    bool star = in->rest.n && in->rest.p[0] == '*';
    uint32_t first = one_end(s, in, by_uid), last = first, least;

    if (parse_try(in, ':')) {
        star |= in->rest.n && in->rest.p[0] == '*';
        last = one_end(s, in, by_uid);
    }
    if (!in->bad && !by_uid && s->uid_only) { /* RFC 9586 3.2 */
        spoil(in);
        in->code = "UIDREQUIRED";
        in->why = "message numbers are not used";
    }
    if (star && s->view.messages == 0) { /* nothing to search for, but no number (RFC 9051 9) */
        if (!by_uid && !s->search) {
            spoil(in);
            in->why = "there are not so many messages";
        }
        return;
    }
    if (in->bad)
        return;
    least = first < last ? first : last;
    last = first < last ? last : first;
    s->by_number |= !by_uid;
    if (!by_uid && least > s->view.messages)
        return;
    if (!by_uid) {
        last = last < s->view.messages ? last : s->view.messages;
        /* numbers may stand for UIDs with holes between, which are then no messages */
        least = view_uid(&s->view, least);
        last = view_uid(&s->view, last);
    }
    set->ranges[set->count++] = (struct postern_uid_range){least, last};
}

/* I 6.4.4.1-7 I 5182:2.1-2 I 5182:2.1-8 I 5182:2.1-9 */
void parse_set(struct postern_imap *s, struct imap_parser *in, bool by_uid, struct imap_set *set_r)
{
    size_t ranges = 1 + s->saved_count;

    *set_r = (struct imap_set){0};
    for (size_t i = 0; i < in->rest.n && in->rest.p[i] != ' '; i++)
        ranges += in->rest.p[i] == ',';
    set_r->ranges = arena_alloc(&s->arena, ranges * sizeof *set_r->ranges);
    if (!set_r->ranges) {
        imap_no_memory(s);
        spoil(in);
        return;
    }
    if (parse_try(in, '$')) {
        set_r->count = s->saved_count;
        if (set_r->count)
            memcpy(set_r->ranges, s->saved, set_r->count * sizeof *s->saved);
        return;
    }
    do
        one_range(s, in, by_uid, set_r);
    while (!in->bad && parse_try(in, ','));
    if (!in->bad)
        set_join(set_r);
}

/* ---- dates ----------------------------------------------------------------------------------- */

/* days_of - since 1970 (H. Hinnant's days_from_civil). */
static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
    int64_t y = year - (month <= 2), era = (y >= 0 ? y : y - 399) / 400;
    unsigned of_era = (unsigned)(y - era * 400);
    unsigned of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* fixed_number - of exactly n digits. I 9-10 */
static uint64_t fixed_number(struct imap_parser *in, size_t n, uint64_t max)
{
    size_t before = in->rest.n;
    uint64_t number = parse_number(in, max);

    if (!in->bad && before - in->rest.n != n)
        spoil(in);
    return number;
}

/* I 9-8 */
static int64_t month_and_year(struct imap_parser *in, unsigned day)
{
    static const unsigned char longest[12] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    unsigned month = 0;
    int64_t year;

    parse_char(in, '-');
    while (month < 12 && !span_begins_nocase(in->rest, postern_span_of(date_months[month])))
        month++;
    in->rest = span_from(in->rest, 3);
    parse_char(in, '-');
    year = (int64_t)fixed_number(in, 4, 9999);
    if (month == 12 || day == 0 || day > longest[month < 12 ? month : 0])
        spoil(in);
    return in->bad ? 0 : days_of(year, month + 1, day);
}

/* I 9-9 */
int64_t parse_date(struct postern_imap *s, struct imap_parser *in)
{
    bool is_quoted = parse_try(in, '"');
    size_t before = in->rest.n;
    unsigned day = (unsigned)parse_number(in, 31);
    int64_t days;

    (void)s;
    if (before - in->rest.n > 2)
        spoil(in);
    days = month_and_year(in, day);
    if (is_quoted)
        parse_char(in, '"');
    return days;
}

int64_t parse_date_time(struct postern_imap *s, struct imap_parser *in)
{
    int64_t days, seconds, zone;
    bool east;

    (void)s;
    parse_char(in, '"');
    days = month_and_year(in, (unsigned)fixed_number(in, parse_try(in, ' ') ? 1 : 2, 31));
    parse_space(in);
    seconds = (int64_t)fixed_number(in, 2, 23) * 3600;
    parse_char(in, ':');
    seconds += (int64_t)fixed_number(in, 2, 59) * 60;
    parse_char(in, ':');
    seconds += (int64_t)fixed_number(in, 2, 60);
    parse_space(in);
    east = parse_try(in, '+');
    if (!east)
        parse_char(in, '-');
    zone = (int64_t)fixed_number(in, 4, 9999);
    parse_char(in, '"');
    if (zone / 100 > 23 || zone % 100 > 59)
        spoil(in);
    zone = (zone / 100 * 60 + zone % 100) * 60;
    seconds += days * 86400 - (east ? zone : -zone);
    if (seconds < days_of(0, 1, 1) * 86400 || seconds >= days_of(10000, 1, 1) * 86400)
        spoil(in); /* it could not be told again */
    return in->bad ? 0 : seconds;
}
