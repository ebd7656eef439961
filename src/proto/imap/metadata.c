/* SPDX-License-Identifier: MIT */
/* metadata - entries of annotations (RFC 5464): small texts that clients keep with a mailbox, or
 * with the account (the empty name). Their names as they are asked for, and what is told of them.
 */
#include "proto/imap/metadata.h"

#include <limits.h>

bool metadata_is_scope(struct postern_span name)
{
    return span_equal_nocase(name, SPAN("/private")) || span_equal_nocase(name, SPAN("/shared"));
}

/* is_entry - "/private/..." or "/shared/...", no empty level, nothing that stands for others (RFC
 * 5464 3.2).
 * I 5464:3.2-1 */
static bool is_entry(struct postern_span name)
{
    if (!metadata_is_scope(name) && !span_begins_nocase(name, SPAN("/private/")) &&
        !span_begins_nocase(name, SPAN("/shared/")))
        return false;
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];

        if (c < ' ' || c > 126 || c == '*' || c == '%' ||
            (c == '/' && (i + 1 == name.n || name.p[i + 1] == '/')))
            return false;
    }
    return true;
}

struct postern_span metadata_parse_entry(struct postern_imap *s)
{
    struct postern_span entry = parse_astring(s, &s->in);

    if (!s->in.bad && !is_entry(entry)) {
        s->in.bad = true;
        s->in.why = "an entry begins with /private/ or /shared/";
    }
    return entry;
}

/* I 5464:4.2-1 */
struct postern_span metadata_parse_mailbox(struct postern_imap *s)
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

    metadata->entries = arena_alloc(&s->arena, METADATA_ENTRIES_MAX * sizeof *metadata->entries);
    if (!metadata->entries) {
        imap_no_memory(s);
        return;
    }
    do {
        struct postern_span entry = metadata_parse_entry(s);

        if (metadata->entry_count == METADATA_ENTRIES_MAX)
            s->in.bad = true;
        else
            metadata->entries[metadata->entry_count++] = entry;
    } while (several && !s->in.bad && parse_try(&s->in, ' '));
    if (several)
        parse_char(&s->in, ')');
}

/* I 5464:3.2-2 I 5464:4.2.2-1 */
bool metadata_means(const struct imap_metadata *metadata, struct postern_span asked,
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

/* I 5464:3.2-3 */
void metadata_write_name(struct postern_imap *s, struct postern_span entry)
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
    metadata_write_name(s, entry);
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
        if (metadata_means(metadata, asked, all->metadata[i].entry)) {
            any = true;
            write_value(s, metadata, &all->metadata[i], space);
        }
    if (metadata->special && metadata_means(metadata, asked, METADATA_SPECIAL_USE)) {
        struct postern_metadata use = {METADATA_SPECIAL_USE,
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
