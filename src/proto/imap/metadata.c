/* SPDX-License-Identifier: MIT */
/* cmd-metadata - GETMETADATA and SETMETADATA (RFC 5464): small texts that clients keep with a
 * mailbox, or with the account (the empty name). What of the account is shared is the
 * administrator's to say. */
#include "proto/imap/commands.h"
#include "proto/imap/metadata.h"
#include "proto/imap/rights.h"

#include <limits.h>

#define ENTRIES_MAX 100
#define VALUE_MAX 65536
#define SPECIAL_USE SPAN("/private/specialuse")

/* ---- names ----------------------------------------------------------------------------------- */

/* is_entry - "/private/..." or "/shared/...", no empty level, nothing that stands for others (RFC
 * 5464 3.2).
 * I 5464:3.2-1 */
static bool is_entry(struct postern_span name)
{
    if (!span_begins_nocase(name, SPAN("/private/")) && !span_begins_nocase(name, SPAN("/shared/")))
        return false;
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];

        if (c < ' ' || c > 126 || c == '*' || c == '%' ||
            (c == '/' && (i + 1 == name.n || name.p[i + 1] == '/')))
            return false;
    }
    return true;
}

static struct postern_span parse_entry(struct postern_imap *s)
{
    struct postern_span entry = parse_astring(s, &s->in);

    if (!s->in.bad && !is_entry(entry)) {
        s->in.bad = true;
        s->in.why = "an entry begins with /private/ or /shared/";
    }
    return entry;
}

/* parse_mailbox_or_none - "" is the account.
 * I 5464:4.2-1 */
static struct postern_span parse_mailbox_or_none(struct postern_imap *s)
{
    if (s->in.rest.n >= 2 && s->in.rest.p[0] == '"' && s->in.rest.p[1] == '"') {
        s->in.rest = span_from(s->in.rest, 2);
        return SPAN("");
    }
    return parse_mailbox(s, &s->in);
}

/* I 5464:5-1 */
void metadata_parse_entries(struct postern_imap *s, struct imap_metadata *metadata)
{
    bool several = parse_try(&s->in, '(');

    metadata->entries = arena_alloc(&s->arena, ENTRIES_MAX * sizeof *metadata->entries);
    if (!metadata->entries) {
        imap_no_memory(s);
        return;
    }
    do {
        struct postern_span entry = parse_entry(s);

        if (metadata->entry_count == ENTRIES_MAX)
            s->in.bad = true;
        else
            metadata->entries[metadata->entry_count++] = entry;
    } while (several && !s->in.bad && parse_try(&s->in, ' '));
    if (several)
        parse_char(&s->in, ')');
}

/* ---- looking --------------------------------------------------------------------------------- */

/* is_meant - by the entry, or one of those below it.
 * I 5464:3.2-2 I 5464:4.2.2-1 */
static bool is_meant(const struct imap_metadata *metadata, struct postern_span asked,
                     struct postern_span entry)
{
    struct postern_span below;

    if (span_equal_nocase(entry, asked))
        return true;
    if (!metadata->depth || entry.n <= asked.n || !span_begins_nocase(entry, asked) ||
        entry.p[asked.n] != '/')
        return false;
    below = span_from(entry, asked.n + 1);
    return metadata->depth == UINT_MAX || span_find(below, '/') == below.n;
}

/* write_entry_name - as an atom where it is one.
 * I 5464:3.2-3 */
static void write_entry_name(struct postern_imap *s, struct postern_span entry)
{
    for (size_t i = 0; i < entry.n; i++)
        if (strchr("(){ \"\\", entry.p[i])) {
            write_string(s, entry);
            return;
        }
    write_span(s, entry);
}

/* I 5464:3.2-5 I 5464:3.2-6 I 5464:5-2 */
static void write_entry(struct postern_imap *s, const char **space, struct postern_span entry,
                        struct postern_span value)
{
    write_text(s, *space);
    write_entry_name(s, entry);
    write_text(s, " ");
    if (value.n && memchr(value.p, '\0', value.n)) { /* RFC 5464 5: literal8 */
        write_text(s, "~{");
        write_number(s, value.n);
        write_text(s, "}\r\n");
        write_span(s, value);
    } else {
        write_nstring(s, value);
    }
    *space = " ";
}

/* write_value - an entry that is there, unless its value is longer than is asked for.
 * I 5464:4.2.1-1 */
static void write_value(struct postern_imap *s, struct imap_metadata *metadata,
                        const struct postern_metadata *one, const char **space)
{
    if (!metadata->has_max_size || one->value.n <= metadata->max_size)
        write_entry(s, space, one->entry, one->value);
    else if (one->value.n > metadata->longest)
        metadata->longest = one->value.n;
}

/* I 5464:4.2-4 */
static void write_asked(struct postern_imap *s, struct imap_metadata *metadata,
                        const struct imap_answer *all, struct postern_span asked,
                        const char **space)
{
    bool any = false;

    for (size_t i = 0; i < all->count; i++)
        if (is_meant(metadata, asked, all->metadata[i].entry)) {
            any = true;
            write_value(s, metadata, &all->metadata[i], space);
        }
    if (metadata->special && is_meant(metadata, asked, SPECIAL_USE)) {
        struct postern_metadata use = {SPECIAL_USE,
                                       postern_span_of(imap_special(metadata->special))};

        any = true;
        write_value(s, metadata, &use, space);
    }
    if (!any && !metadata->depth)
        write_entry(s, space, asked, (struct postern_span){NULL, 0});
}

void metadata_write(struct postern_imap *s, struct imap_metadata *metadata,
                    const struct imap_answer *all)
{
    size_t begin = buffer_length(&s->out);
    const char *space = "";

    write_text(s, "* METADATA ");
    if (metadata->mailbox.n)
        write_mailbox(s, metadata->mailbox);
    else
        write_text(s, "\"\"");
    write_text(s, " (");
    for (size_t i = 0; i < metadata->entry_count; i++)
        write_asked(s, metadata, all, metadata->entries[i], &space);
    if (*space)
        write_text(s, ")\r\n");
    else if (!s->out.error) /* an empty list is none */
        s->out.tail = s->out.head + begin;
}

/* I 5464:4.2.1-2 I 5464:4.2-3 */
static void looked(struct postern_imap *s, const struct imap_answer *answer)
{
    struct imap_metadata *metadata = s->metadata;
    struct buffer line = {.allocator = s->o.allocator};

    if (answer->err) {
        imap_refuse(s, answer->err);
        return;
    }
    metadata_write(s, metadata, answer);
    if (!metadata->longest) {
        imap_ok(s, NULL, "done");
        return;
    }
    buffer_append_text(&line, "OK [METADATA LONGENTRIES ");
    buffer_append_number(&line, metadata->longest);
    buffer_append_text(&line, "]");
    imap_result_take(s, &line, "done");
}

static void parse_options(struct postern_imap *s, struct imap_metadata *metadata)
{
    parse_char(&s->in, '(');
    do {
        if (parse_try_word(&s->in, "MAXSIZE")) {
            parse_space(&s->in);
            metadata->max_size = parse_number(&s->in, UINT32_MAX);
            metadata->has_max_size = true;
        } else if (parse_try_word(&s->in, "DEPTH")) {
            parse_space(&s->in);
            metadata->depth = parse_try_word(&s->in, "1")          ? 1
                              : parse_try_word(&s->in, "infinity") ? UINT_MAX
                                                                   : 0;
            if (!metadata->depth && !parse_try_word(&s->in, "0"))
                s->in.bad = true;
        } else {
            s->in.bad = true;
        }
    } while (!s->in.bad && parse_try(&s->in, ' '));
    parse_char(&s->in, ')');
    parse_space(&s->in);
}

static bool is_options_next(const struct postern_imap *s)
{
    return span_begins_nocase(s->in.rest, SPAN("(MAXSIZE ")) ||
           span_begins_nocase(s->in.rest, SPAN("(DEPTH "));
}

/* asks_use - of a mailbox of the user's own. */
static bool asks_use(const struct postern_imap *s, const struct imap_metadata *metadata)
{
    for (size_t i = 0; i < metadata->entry_count; i++)
        if (is_meant(metadata, metadata->entries[i], SPECIAL_USE))
            return metadata->mailbox.n && rights_is_personal(s, metadata->mailbox);
    return false;
}

/* took_use - what it is used for is an entry (RFC 6154 4). I 6154:4-1 */
static void took_use(struct postern_imap *s, const struct imap_answer *answer)
{
    s->metadata->special = answer->err ? POSTERN_SPECIAL_NONE : answer->statuses->special;
    s->question = (struct postern_imap_question){.name = s->metadata->mailbox};
    imap_ask_if(s, POSTERN_IMAP_METADATA, rights_annotate, looked);
}

/* I 5464:4.2-2 */
void imap_cmd_getmetadata(struct postern_imap *s)
{
    struct imap_metadata *metadata = arena_alloc(&s->arena, sizeof *metadata);

    if (!metadata) {
        imap_no_memory(s);
        return;
    }
    *metadata = (struct imap_metadata){.depth = 0};
    s->metadata = metadata;
    parse_space(&s->in);
    if (is_options_next(s)) /* where the grammar has them, and where its examples do */
        parse_options(s, metadata);
    metadata->mailbox = parse_mailbox_or_none(s);
    parse_space(&s->in);
    if (is_options_next(s))
        parse_options(s, metadata);
    metadata_parse_entries(s, metadata);
    if (!imap_good(s))
        return;
    s->question = (struct postern_imap_question){.name = metadata->mailbox};
    if (asks_use(s, metadata))
        imap_ask(s, POSTERN_IMAP_STATUS, took_use);
    else
        imap_ask_if(s, POSTERN_IMAP_METADATA, rights_annotate, looked);
}

/* ---- changing -------------------------------------------------------------------------------- */

/* I 5464:4.3-7 */
static bool has_private(const struct postern_imap_question *question)
{
    for (size_t i = 0; i < question->metadata_count; i++)
        if (span_begins_nocase(question->metadata[i].entry, SPAN("/private/")))
            return true;
    return false;
}

/* I 5464:4.3-5 I 5464:4.3-6 */
static void changed(struct postern_imap *s, const struct imap_answer *answer)
{
    if (answer->err == POSTERN_E_FULL)
        imap_no(s, "METADATA TOOMANY", "no more of them");
    else if (answer->err == POSTERN_E_DENIED && has_private(&s->question) &&
             !rights_is_personal(s, s->question.name))
        imap_no(s, "METADATA NOPRIVATE", "not permitted");
    else if (answer->err)
        imap_refuse(s, answer->err);
    else
        imap_ok(s, NULL, "done");
}

/* parse_value - NIL, a string, or octets of any kind: "~{5}". */
static struct postern_span parse_value(struct postern_imap *s)
{
    struct postern_span value;

    s->in.takes_nul = s->in.rest.n && s->in.rest.p[0] == '~';
    value = parse_nstring(s, &s->in);
    s->in.takes_nul = false;
    return value;
}

/* is_settable - a vendor's entry has his name in it, and a name of its own (RFC 5464 3.2).
 * I 5464:3.2-4 */
static bool is_settable(struct postern_span entry)
{
    bool vendors = span_begins_nocase(entry, SPAN("/private/vendor/")) ||
                   span_begins_nocase(entry, SPAN("/shared/vendor/")) ||
                   span_equal_nocase(entry, SPAN("/private/vendor")) ||
                   span_equal_nocase(entry, SPAN("/shared/vendor"));
    size_t levels = 0;

    for (size_t i = 0; i < entry.n; i++)
        levels += entry.p[i] == '/';
    return !vendors || levels >= 4;
}

static size_t parse_changes(struct postern_imap *s, struct postern_metadata *changes)
{
    size_t count = 0;

    parse_char(&s->in, '(');
    do {
        struct postern_metadata one;

        one.entry = parse_entry(s);
        s->in.bad |= !is_settable(one.entry);
        parse_space(&s->in);
        one.value = parse_value(s);
        if (count == ENTRIES_MAX)
            s->in.bad = true;
        else
            changes[count++] = one;
    } while (!s->in.bad && parse_try(&s->in, ' '));
    parse_char(&s->in, ')');
    return count;
}

/* I 5464:4.3-1 I 5464:4.3-2 I 5464:4.3-3 I 5464:4.3-4 I 5464:4.1-4 */
void imap_cmd_setmetadata(struct postern_imap *s)
{
    struct postern_metadata *changes = arena_alloc(&s->arena, ENTRIES_MAX * sizeof *changes);
    struct postern_imap_question question = {.metadata = changes};

    if (!changes) {
        imap_no_memory(s);
        return;
    }
    parse_space(&s->in);
    question.name = parse_mailbox_or_none(s);
    parse_space(&s->in);
    question.metadata_count = parse_changes(s, changes);
    if (!imap_good(s))
        return;
    for (size_t i = 0; i < question.metadata_count; i++) {
        if (changes[i].value.n > VALUE_MAX) {
            imap_no(s, "METADATA MAXSIZE 65536", "too long");
            return;
        }
        if (span_equal_nocase(changes[i].entry, SPECIAL_USE)) { /* CREATE alone gives one */
            imap_no(s, "CANNOT", "not possible here");
            return;
        }
        if (!question.name.n && span_begins_nocase(changes[i].entry, SPAN("/shared/"))) {
            imap_no(s, "NOPERM", "that is the administrator's to say");
            return;
        }
    }
    s->question = question;
    imap_ask_if(s, POSTERN_IMAP_SET_METADATA, rights_annotate, changed);
}
