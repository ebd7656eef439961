/* SPDX-License-Identifier: MIT */
/* fetch_parse - the items of FETCH (RFC 9051 6.4.5, RFC 3501 6.4.5, RFC 7162 3.1.4). */
#include "proto/imap/fetch.h"

static void *take(struct postern_imap *s, size_t n)
{
    void *p = arena_alloc(&s->arena, n);

    if (p)
        memset(p, 0, n);
    else
        imap_no_memory(s);
    if (!p)
        s->in.bad = true;
    return p;
}

static void add(struct postern_imap *s, struct imap_fetch *fetch, enum fetch_kind kind,
                struct fetch_section *section)
{
    struct fetch_item *item, **at = &fetch->items;

    while (*at && (section || (*at)->kind != kind))
        at = &(*at)->next;
    if (*at) /* named twice: told once */
        return;
    item = take(s, sizeof *item);
    if (!item)
        return;
    item->kind = kind;
    item->section = section;
    *at = item;
    fetch->needs_block |= kind == FETCH_ENVELOPE || kind == FETCH_BODY ||
                          kind == FETCH_BODYSTRUCTURE || kind == FETCH_PREVIEW;
    if (kind == FETCH_EMAILID || kind == FETCH_THREADID)
        s->in.bad |= !imap_offers(s, "OBJECTID");
    fetch->has_flags |= kind == FETCH_FLAGS;
    fetch->has_uid |= kind == FETCH_UID;
    if (kind == FETCH_MODSEQ) {
        fetch->has_modseq = true;
        imap_enable_condstore(s);
    }
    if (!section)
        return;
    fetch->sets_seen |= !section->peek;
    /* the whole message can be sent without knowing what is in it */
    fetch->needs_block |=
        section->what != SECTION_ALL || section->path_n || section->offset || section->prefix;
}

/* ---- sections -------------------------------------------------------------------------------- */

/* I 9-13 */
static void parse_names(struct postern_imap *s, struct fetch_section *section)
{
    size_t room = 1;

    parse_space(&s->in);
    parse_char(&s->in, '(');
    for (size_t i = 0; i < s->in.rest.n && s->in.rest.p[i] != ']'; i++)
        room += s->in.rest.p[i] == ' ';
    section->names = take(s, room * sizeof *section->names);
    do {
        struct postern_span name = parse_astring(s, &s->in);

        if (!s->in.bad && section->name_count < room)
            section->names[section->name_count++] = name;
    } while (!s->in.bad && parse_try(&s->in, ' '));
    parse_char(&s->in, ')');
}

/* I 6.4.5.1-5 I 9-14 */
static void parse_text(struct postern_imap *s, struct fetch_section *section)
{
    if (parse_try_word(&s->in, "HEADER.FIELDS.NOT")) {
        section->what = SECTION_FIELDS_NOT;
        parse_names(s, section);
    } else if (parse_try_word(&s->in, "HEADER.FIELDS")) {
        section->what = SECTION_FIELDS;
        parse_names(s, section);
    } else if (span_begins_nocase(s->in.rest, SPAN("HEADER]"))) {
        section->what = SECTION_HEADER;
        s->in.rest = span_from(s->in.rest, 6);
    } else if (span_begins_nocase(s->in.rest, SPAN("TEXT]"))) {
        section->what = SECTION_TEXT;
        s->in.rest = span_from(s->in.rest, 4);
    } else if (section->path_n && span_begins_nocase(s->in.rest, SPAN("MIME]"))) {
        section->what = SECTION_MIME;
        s->in.rest = span_from(s->in.rest, 4);
    } else {
        s->in.bad = true;
    }
}

static bool is_digit_next(const struct postern_imap *s)
{
    return s->in.rest.n && s->in.rest.p[0] >= '0' && s->in.rest.p[0] <= '9';
}

/* I 9-11 */
static void parse_partial(struct postern_imap *s, struct fetch_section *section)
{
    if (!parse_try(&s->in, '<'))
        return;
    section->partial = true;
    section->offset = parse_number(&s->in, INT64_MAX);
    parse_char(&s->in, '.');
    section->length = parse_number(&s->in, INT64_MAX);
    parse_char(&s->in, '>');
    if (section->length == 0)
        s->in.bad = true;
}

/* parse_path - one number of it. I 9-12 */
static void parse_path(struct postern_imap *s, struct fetch_section *section)
{
    if (section->path_n == FETCH_PATH_MAX)
        s->in.bad = true;
    else
        section->path[section->path_n++] = (uint32_t)parse_number(&s->in, UINT32_MAX);
    if (!s->in.bad && section->path[section->path_n - 1] == 0)
        s->in.bad = true;
}

void section_parse(struct postern_imap *s, struct fetch_section *section)
{
    parse_char(&s->in, '[');
    while (is_digit_next(s) && !s->in.bad) {
        parse_path(s, section);
        if (!parse_try(&s->in, '.'))
            break;
        if (!is_digit_next(s)) {
            parse_text(s, section);
            break;
        }
    }
    if (!section->path_n && s->in.rest.n && s->in.rest.p[0] != ']')
        parse_text(s, section);
    parse_char(&s->in, ']');
}

/* parse_section - "[1.2.HEADER]<0.100>", behind "BODY". */
static void parse_section(struct postern_imap *s, struct imap_fetch *fetch, bool peek)
{
    struct fetch_section *section = take(s, sizeof *section);

    if (!section)
        return;
    section->peek = peek;
    section_parse(s, section);
    parse_partial(s, section);
    add(s, fetch, FETCH_SECTION, section);
}

/* parse_binary - "[1.2]<0.100>", behind "BINARY" (RFC 3516): parts only.
 * I 3516:4.2-3 I 3516:7-1 */
static void parse_binary(struct postern_imap *s, struct imap_fetch *fetch, bool peek, bool size)
{
    struct fetch_section *section = take(s, sizeof *section);

    if (!section)
        return;
    section->peek = peek;
    section->prefix = size ? "BINARY.SIZE[" : "BINARY[";
    parse_char(&s->in, '[');
    while (!s->in.bad && is_digit_next(s)) {
        parse_path(s, section);
        if (!parse_try(&s->in, '.'))
            break;
        if (!is_digit_next(s))
            s->in.bad = true;
    }
    parse_char(&s->in, ']');
    if (!size)
        parse_partial(s, section);
    add(s, fetch, size ? FETCH_BINARY_SIZE : FETCH_BINARY, section);
}

/* I 3501:6.4.5-1 */
static void add_rfc822(struct postern_imap *s, struct imap_fetch *fetch, const char *label,
                       enum section_what what)
{
    struct fetch_section *section = take(s, sizeof *section);

    if (!section)
        return;
    section->label = label;
    section->what = what;
    section->peek = what == SECTION_HEADER;
    add(s, fetch, FETCH_SECTION, section);
}

/* ---- items ----------------------------------------------------------------------------------- */

/* try_prefix - "BODY" before "[". */
static bool try_prefix(struct postern_imap *s, struct postern_span word)
{
    if (!span_begins_nocase(s->in.rest, word))
        return false;
    s->in.rest = span_from(s->in.rest, word.n - 1);
    return true;
}

/* parse_preview - with "(LAZY)" or without: it is made at once, either way (RFC 8970 4).
 * I 8970:4.1-1 */
static void parse_preview(struct postern_imap *s, struct imap_fetch *fetch)
{
    add(s, fetch, FETCH_PREVIEW, NULL);
    if (!span_begins(s->in.rest, SPAN(" (")))
        return;
    parse_space(&s->in);
    parse_char(&s->in, '(');
    s->in.bad |= !parse_try_word(&s->in, "LAZY");
    parse_char(&s->in, ')');
}

/* I 6.4.5-9 */
static void parse_item(struct postern_imap *s, struct imap_fetch *fetch)
{
    static const struct {
        const char *name;
        enum fetch_kind kind;
    } simple[] = {{"UID", FETCH_UID},
                  {"FLAGS", FETCH_FLAGS},
                  {"INTERNALDATE", FETCH_DATE},
                  {"RFC822.SIZE", FETCH_SIZE},
                  {"MODSEQ", FETCH_MODSEQ},
                  {"EMAILID", FETCH_EMAILID},
                  {"THREADID", FETCH_THREADID},
                  {"ENVELOPE", FETCH_ENVELOPE},
                  {"BODYSTRUCTURE", FETCH_BODYSTRUCTURE}};

    if (try_prefix(s, SPAN("BODY.PEEK["))) {
        parse_section(s, fetch, true);
        return;
    }
    if (try_prefix(s, SPAN("BODY["))) {
        parse_section(s, fetch, false);
        return;
    }
    if (try_prefix(s, SPAN("BINARY.PEEK["))) {
        parse_binary(s, fetch, true, false);
        return;
    }
    if (try_prefix(s, SPAN("BINARY.SIZE["))) {
        parse_binary(s, fetch, true, true);
        return;
    }
    if (try_prefix(s, SPAN("BINARY["))) {
        parse_binary(s, fetch, false, false);
        return;
    }
    for (size_t i = 0; i < sizeof simple / sizeof *simple; i++)
        if (parse_try_word(&s->in, simple[i].name)) {
            add(s, fetch, simple[i].kind, NULL);
            return;
        }
    if (imap_offers(s, "SAVEDATE") && parse_try_word(&s->in, "SAVEDATE"))
        add(s, fetch, FETCH_SAVEDATE, NULL);
    else if (imap_offers(s, "PREVIEW") && parse_try_word(&s->in, "PREVIEW"))
        parse_preview(s, fetch);
    else if (parse_try_word(&s->in, "BODY"))
        add(s, fetch, FETCH_BODY, NULL);
    else if (parse_try_word(&s->in, "RFC822.HEADER"))
        add_rfc822(s, fetch, "RFC822.HEADER", SECTION_HEADER);
    else if (parse_try_word(&s->in, "RFC822.TEXT"))
        add_rfc822(s, fetch, "RFC822.TEXT", SECTION_TEXT);
    else if (parse_try_word(&s->in, "RFC822"))
        add_rfc822(s, fetch, "RFC822", SECTION_ALL);
    else
        s->in.bad = true;
}

/* try_macro - ALL, FAST, FULL, alone. I 6.4.5-2 */
static bool try_macro(struct postern_imap *s, struct imap_fetch *fetch)
{
    bool full = parse_try_word(&s->in, "FULL"), all = full || parse_try_word(&s->in, "ALL");

    if (!all && !parse_try_word(&s->in, "FAST"))
        return false;
    add(s, fetch, FETCH_FLAGS, NULL);
    add(s, fetch, FETCH_DATE, NULL);
    add(s, fetch, FETCH_SIZE, NULL);
    if (all)
        add(s, fetch, FETCH_ENVELOPE, NULL);
    if (full)
        add(s, fetch, FETCH_BODY, NULL);
    return true;
}

/* I 7162:3.1.4.1-2 I 7162:3.2.6-3 I 7162:3.2.6-4 I 7162:3.2.6-5 */
static void parse_modifiers(struct postern_imap *s, struct imap_fetch *fetch)
{
    if (!parse_try(&s->in, ' '))
        return;
    parse_char(&s->in, '(');
    do {
        if (parse_try_word(&s->in, "CHANGEDSINCE")) {
            parse_space(&s->in);
            fetch->changed_since = parse_number(&s->in, INT64_MAX);
            imap_enable_condstore(s);
            if (!fetch->has_modseq)
                add(s, fetch, FETCH_MODSEQ, NULL);
        } else if (s->by_uid && s->qresync && parse_try_word(&s->in, "VANISHED")) {
            fetch->vanished = true;
        } else if (s->by_uid && imap_offers(s, "PARTIAL") && parse_try_word(&s->in, "PARTIAL")) {
            parse_space(&s->in);
            search_parse_partial(s, &fetch->partial);
            s->in.bad |= fetch->has_partial;
            fetch->has_partial = true;
        } else {
            s->in.bad = true;
        }
    } while (!s->in.bad && parse_try(&s->in, ' '));
    parse_char(&s->in, ')');
    if (fetch->vanished && !fetch->changed_since)
        s->in.bad = true;
}

void fetch_parse_items(struct postern_imap *s, struct imap_fetch *fetch)
{
    parse_char(&s->in, '(');
    do
        parse_item(s, fetch);
    while (!s->in.bad && parse_try(&s->in, ' '));
    parse_char(&s->in, ')');
}

/* I 6.4.5-1 */
bool fetch_parse(struct postern_imap *s, struct imap_fetch *fetch)
{
    parse_space(&s->in);
    parse_set(s, &s->in, s->by_uid, &fetch->set);
    parse_space(&s->in);
    if (s->by_uid && !s->uid_only)
        add(s, fetch, FETCH_UID, NULL);
    if (s->in.rest.n && s->in.rest.p[0] == '(') {
        fetch_parse_items(s, fetch);
    } else if (!try_macro(s, fetch)) {
        parse_item(s, fetch);
    }
    parse_modifiers(s, fetch);
    return imap_good(s);
}
