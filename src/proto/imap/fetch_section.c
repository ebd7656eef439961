/* SPDX-License-Identifier: MIT */
/* fetch_section - BODY[...]: which octets of a message it means (RFC 9051 6.4.5.1). */
#include "proto/imap/fetch.h"

/* nth_child - from 1; 0: it has not as many. */
static uint32_t nth_child(struct postern_span block, const struct postern_mime_part *part,
                          uint32_t n)
{
    uint32_t child = part->child;

    while (child && --n) {
        struct postern_mime_part one;

        postern_mime_part(block, child, &one);
        child = one.next;
    }
    return child;
}

/* find_part - by its path. Part 1 of a message that is no multipart is its body. I 6.4.5.1-1
 * I 6.4.5.1-2 I 6.4.5.1-3 */
static bool find_part(struct postern_span block, const struct fetch_section *section,
                      uint32_t *part_r)
{
    bool is_message = true; /* not only a part of one */
    struct postern_mime_part part;
    uint32_t at = 0;

    for (unsigned i = 0; i < section->path_n; i++) {
        postern_mime_part(block, at, &part);
        if (!is_message && part.kind == POSTERN_MIME_MESSAGE && part.child) {
            at = part.child;
            postern_mime_part(block, at, &part);
            is_message = true;
        }
        if (part.kind == POSTERN_MIME_MULTIPART) {
            at = nth_child(block, &part, section->path[i]);
            if (!at)
                return false;
        } else if (!is_message || section->path[i] != 1) {
            return false;
        }
        is_message = false;
    }
    *part_r = at;
    return true;
}

/* encoding_of - as the part's header says; absent: it does not. */
static struct postern_span encoding_of(const struct imap_fetch *fetch,
                                       const struct fetch_section *section)
{
    struct postern_span block = fetch->structures.block;
    uint32_t part;

    if (!section->path_n || !find_part(block, section, &part))
        return (struct postern_span){0};
    return span_trim(postern_mime_field(block, part, POSTERN_MIME_CONTENT_ENCODING, 0));
}

bool section_is_binary(const struct imap_fetch *fetch, const struct fetch_section *section)
{
    return section->prefix && span_begins_nocase(encoding_of(fetch, section), SPAN("binary"));
}

bool section_transfer(const struct imap_fetch *fetch, const struct fetch_section *section,
                      enum transfer_kind *kind_r)
{
    static const char *const plain[] = {"7bit", "8bit", "binary"};
    struct postern_span encoding = encoding_of(fetch, section);

    *kind_r = TRANSFER_NONE;
    if (!encoding.n)
        return true;
    *kind_r = transfer_of(encoding);
    for (size_t i = 0; i < sizeof plain / sizeof *plain && *kind_r == TRANSFER_NONE; i++)
        if (span_begins_nocase(encoding, postern_span_of(plain[i])))
            return true;
    return *kind_r != TRANSFER_NONE;
}

/* I 2.4-1 I 6.4.5.1-4 I 6.4.5.1-8 */
bool section_find(struct postern_span block, const struct fetch_section *section,
                  struct postern_mime_range whole, struct postern_mime_range *range_r)
{
    struct postern_mime_part part;
    uint32_t at;

    if (section->what == SECTION_ALL && !section->path_n) {
        *range_r = whole;
        if (block.n) {
            postern_mime_part(block, 0, &part);
            *range_r = part.body;
            range_r->raw = range_r->wire = 0;
        }
        return true;
    }
    if (!find_part(block, section, &at))
        return false;
    postern_mime_part(block, at, &part);
    if (section->path_n && section->what != SECTION_ALL && section->what != SECTION_MIME) {
        if (part.kind != POSTERN_MIME_MESSAGE || !part.child)
            return false;
        postern_mime_part(block, part.child, &part);
    }
    *range_r =
        section->what == SECTION_ALL || section->what == SECTION_TEXT ? part.body : part.header;
    return true;
}

static void write_name(struct postern_imap *s, struct postern_span name)
{
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] <= ' ' || (unsigned char)name.p[i] > 126 ||
            strchr("(){%*\"\\]", name.p[i])) {
            write_string(s, name);
            return;
        }
    if (name.n)
        write_span(s, name);
    else
        write_text(s, "\"\"");
}

/* I 6.4.5-5 I 7.5.2-15 I 3501:6.4.5-2 */
void section_write_label(struct postern_imap *s, const struct fetch_section *section)
{
    static const char *const names[] = {"",     "HEADER", "HEADER.FIELDS (", "HEADER.FIELDS.NOT (",
                                        "TEXT", "MIME"};

    if (section->label) {
        write_text(s, section->label);
        return;
    }
    write_text(s, section->prefix ? section->prefix : "BODY[");
    for (unsigned i = 0; i < section->path_n; i++) {
        write_text(s, i ? "." : "");
        write_number(s, section->path[i]);
    }
    write_text(s, section->path_n && section->what ? "." : "");
    write_text(s, names[section->what]);
    for (size_t i = 0; i < section->name_count; i++) {
        write_text(s, i ? " " : "");
        write_name(s, section->names[i]);
    }
    write_text(s, section->names ? ")]" : "]");
    if (!section->partial)
        return;
    write_text(s, "<");
    write_number(s, section->offset);
    write_text(s, ">");
}

/* I 6.4.5.1-6 */
static bool is_named(const struct fetch_section *section, struct postern_span name)
{
    for (size_t i = 0; i < section->name_count; i++)
        if (span_equal_nocase(name, section->names[i]))
            return true;
    return false;
}

/* I 6.4.5.1-7 */
void section_filter(const struct fetch_section *section, struct postern_span header,
                    struct buffer *out)
{
    bool keeps = false;

    while (header.n) {
        size_t end = span_find(header, '\n') + 1;
        struct postern_span line = header, name;

        line.n = end < header.n ? end : header.n;
        header = span_from(header, line.n);
        if (line.p[0] == '\r' || line.p[0] == '\n')
            break;
        if (line.p[0] != ' ' && line.p[0] != '\t') {
            name = line;
            name.n = span_find(line, ':');
            keeps = name.n < line.n &&
                    is_named(section, span_trim(name)) == (section->what == SECTION_FIELDS);
        }
        if (keeps)
            buffer_append(out, line);
    }
    buffer_append_text(out, "\r\n");
}
