/* SPDX-License-Identifier: MIT */
/* scanner - one pass over a message by lines (memchr), never octet by octet in a body. The open
 * parts are a chain of parents, the boundaries that may end them a stack; both are bounded. */
#include "mime/scanner.h"

#include "base/memory.h"
#include "base/span.h"

void postern_mime_options_init(struct postern_mime_options *options)
{
    *options = (struct postern_mime_options){.depth_max = 100,
                                             .parts_max = 10000,
                                             .boundary_max = 200,
                                             .field_max = 65536,
                                             .kept_max = 1u << 20};
}

struct part *mime_part_at(const struct postern_mime *mime, uint32_t i)
{
    return (struct part *)(void *)(mime->parts.data + mime->parts.head) + i;
}

static uint32_t part_count(const struct postern_mime *mime)
{
    return (uint32_t)(buffer_length(&mime->parts) / sizeof(struct part));
}

/* link_child - at the end of its parent's children. */
static void link_child(struct postern_mime *mime, uint32_t parent, uint32_t child, uint32_t before)
{
    if (before)
        mime_part_at(mime, before)->next = child;
    else
        mime_part_at(mime, parent)->child = child;
}

/* last_child - of a multipart: the part that was open under it until now. */
static uint32_t last_child(const struct postern_mime *mime, uint32_t parent)
{
    uint32_t i = mime->current;

    if (!mime_part_at(mime, parent)->child)
        return 0;
    while (i != parent && mime_part_at(mime, i)->parent != parent)
        i = mime_part_at(mime, i)->parent;
    return i == parent ? 0 : i;
}

uint32_t mime_part_add(struct postern_mime *mime, uint32_t parent)
{
    uint32_t i = part_count(mime);
    struct part part = {
        .parent = parent == NO_PART ? 0 : parent,
        .header = {mime->at, mime->at, mime->at + mime->added, mime->at + mime->added}};

    part.body = part.header;
    part.fields = (uint32_t)(buffer_length(&mime->fields) / sizeof(struct field));
    if (parent != NO_PART)
        part.depth = mime_part_at(mime, parent)->depth + 1;
    buffer_append(&mime->parts, span_make((const char *)&part, sizeof part));
    if (mime->parts.error)
        return 0;
    mime->current = i;
    mime->place = IN_HEADER;
    return i;
}

int postern_mime_new(struct postern_mime **mime_r, const struct postern_mime_options *options,
                     const struct postern_allocator *allocator)
{
    struct postern_mime *mime = memory_new(allocator, sizeof *mime);

    if (!mime)
        return POSTERN_E_NOMEM;
    mime->allocator = allocator;
    if (options)
        mime->options = *options;
    else
        postern_mime_options_init(&mime->options);
    mime->line.allocator = mime->field.allocator = mime->parts.allocator = mime->fields.allocator =
        allocator;
    mime->strings.allocator = mime->boundaries.allocator = allocator;
    mime->stack.allocator = mime->block.allocator = allocator;
    mime_part_add(mime, NO_PART);
    if (mime->parts.error) {
        postern_mime_free(&mime);
        return POSTERN_E_NOMEM;
    }
    *mime_r = mime;
    return 0;
}

void postern_mime_free(struct postern_mime **mime_p)
{
    struct postern_mime *mime = mime_p ? *mime_p : NULL;

    if (!mime)
        return;
    buffer_done(&mime->line);
    buffer_done(&mime->field);
    buffer_done(&mime->parts);
    buffer_done(&mime->fields);
    buffer_done(&mime->strings);
    buffer_done(&mime->boundaries);
    buffer_done(&mime->stack);
    buffer_done(&mime->block);
    memory_free(mime->allocator, mime);
    *mime_p = NULL;
}

/* ---- delimiters ------------------------------------------------------------------------------ */

static struct boundary *stack_at(const struct postern_mime *mime, size_t i)
{
    return (struct boundary *)(void *)(mime->stack.data + mime->stack.head) + i;
}

static size_t stack_count(const struct postern_mime *mime)
{
    return buffer_length(&mime->stack) / sizeof(struct boundary);
}

static void stack_cut(struct postern_mime *mime, size_t count)
{
    size_t left = count * sizeof(struct boundary);

    if (count < stack_count(mime)) {
        mime->boundaries.tail = mime->boundaries.head + stack_at(mime, count)->text;
        mime->stack.tail = mime->stack.head + left;
    }
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* is_delimiter - "--BOUNDARY", perhaps "--", then nothing but spaces. */
static bool is_delimiter(struct postern_span line, struct postern_span boundary, bool *closes_r)
{
    struct postern_span rest;

    if (line.n < 2 + boundary.n || memcmp(line.p + 2, boundary.p, boundary.n) != 0)
        return false;
    rest = span_from(line, 2 + boundary.n);
    *closes_r = span_begins(rest, SPAN("--"));
    if (*closes_r)
        return true; /* whatever follows is of no use to anybody */
    for (size_t i = 0; i < rest.n; i++)
        if (!is_space(rest.p[i]))
            return false;
    return true;
}

/* end_before_line - of a part: before the line under way, without the line end before that; but not
 * before `least`, as when a delimiter comes right behind a header. */
static void end_before_line(const struct postern_mime *mime, uint64_t least_raw,
                            uint64_t least_wire, uint64_t *raw_r, uint64_t *wire_r)
{
    *raw_r = mime->line_at - mime->end_n;
    *wire_r = mime->line_at + mime->line_added - (mime->end_n ? 2 : 0);
    if (*raw_r < least_raw || mime->line_at < mime->end_n) {
        *raw_r = least_raw;
        *wire_r = least_wire;
    }
}

/* close_header - a delimiter where a header was, or was just over: it has no body. */
static void close_header(struct postern_mime *mime, struct part *part)
{
    end_before_line(mime, part->header.raw, part->header.wire, &part->header.raw_end,
                    &part->header.wire_end);
    part->body.raw = part->body.raw_end = part->header.raw_end;
    part->body.wire = part->body.wire_end = part->header.wire_end;
}

static void close_at(struct postern_mime *mime, struct part *part)
{
    bool attached = mime_part_at(mime, part->parent)->kind == POSTERN_MIME_MESSAGE;

    if (attached && mime->line_at - mime->end_n < part->body.raw) {
        /* the empty line behind its header is the delimiter's, as it is for its parent */
        close_header(mime, part);
        return;
    }
    end_before_line(mime, part->body.raw, part->body.wire, &part->body.raw_end,
                    &part->body.wire_end);
}

/* close_below - all open parts under a multipart end here. The lines of a part are its parent's. */
static void close_below(struct postern_mime *mime, uint32_t multipart)
{
    uint32_t lines = 0, i = mime->current;

    for (; i != multipart; i = mime_part_at(mime, i)->parent) {
        struct part *part = mime_part_at(mime, i);

        part->body_lines += lines;
        if (i == mime->current && mime->place == IN_HEADER) {
            close_header(mime, part);
        } else {
            if (i == mime->current && part->body_lines)
                part->body_lines--; /* the last line's end is the delimiter's */
            close_at(mime, part);
        }
        lines = part->body_lines + part->header_lines;
    }
    mime_part_at(mime, multipart)->body_lines += lines + (mime->current != multipart);
    mime->current = multipart;
}

static void new_child(struct postern_mime *mime, uint32_t multipart, uint32_t before)
{
    uint32_t child;

    mime->place = IN_BODY;
    if (part_count(mime) >= mime->options.parts_max) {
        mime->cut = true; /* the rest of the multipart is opaque */
        return;
    }
    child = mime_part_add(mime, multipart);
    if (child)
        link_child(mime, multipart, child, before);
}

/* take_delimiter - if the held line is one, and whose; innermost first. false: it is of the body.
 */
static bool take_delimiter(struct postern_mime *mime, struct postern_span line)
{
    bool closes = false;

    for (size_t i = stack_count(mime); i-- > 0;) {
        const struct boundary *boundary = stack_at(mime, i);
        struct postern_span text =
            span_make(buffer_span(&mime->boundaries).p + boundary->text, boundary->text_n);
        uint32_t multipart = boundary->part, before;

        if (!is_delimiter(line, text, &closes))
            continue;
        if (mime->place == IN_HEADER) {
            mime_field_over(mime);
            mime_header_cut(mime);
        }
        before = last_child(mime, multipart);
        close_below(mime, multipart);
        mime_part_at(mime, multipart)->body_lines++; /* the delimiter's own */
        stack_cut(mime, closes ? i : i + 1);
        if (closes)
            mime->place = IN_BODY;
        else
            new_child(mime, multipart, before);
        return true;
    }
    return false;
}

/* ---- lines ----------------------------------------------------------------------------------- */

static bool has_8bit(struct postern_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] >= 0x80)
            return true;
    return false;
}

static bool is_blank(struct postern_span line)
{
    return span_equal(line, SPAN("\n")) || span_equal(line, SPAN("\r\n"));
}

/* field_line - a line of a header: the field under way goes on while lines begin with a space. */
static void field_line(struct postern_mime *mime, struct postern_span line)
{
    size_t room;

    if (line.p[0] != ' ' && line.p[0] != '\t')
        mime_field_over(mime);
    room = mime->options.field_max - buffer_length(&mime->field);
    if (line.n > room) {
        mime->cut = true;
        line.n = room;
    }
    buffer_append(&mime->field, line);
}

static void header_line(struct postern_mime *mime, struct postern_span line)
{
    struct part *part = mime_part_at(mime, mime->current);

    part->header_lines++;
    if (mime->current == 0 && !mime->utf8_header)
        mime->utf8_header = has_8bit(line);
    if (!is_blank(line)) {
        if (line.n)
            field_line(mime, line);
        return;
    }
    part->header.raw_end = part->body.raw = part->body.raw_end = mime->at;
    part->header.wire_end = part->body.wire = part->body.wire_end = mime->at + mime->added;
    mime_field_over(mime);
    mime_header_over(mime);
}

static void line_over(struct postern_mime *mime)
{
    struct postern_span line = buffer_span(&mime->line);
    bool taken = mime->holding && line.n > 2 && line.p[0] == '-' && line.p[1] == '-' &&
                 take_delimiter(mime, line);

    if (!taken && mime->place == IN_HEADER)
        header_line(mime, line);
    else if (!taken)
        mime_part_at(mime, mime->current)->body_lines++;
    buffer_take(&mime->line, buffer_length(&mime->line));
    mime->in_line = mime->holding = false;
    mime->line_at = mime->at;
    mime->line_added = mime->added;
    mime->end_n = mime->this_end_n;
}

/* hold - a line that may matter; one too long to matter in a body is let go. */
static void hold(struct postern_mime *mime, struct postern_span piece)
{
    size_t max = mime->place == IN_HEADER ? mime->options.field_max
                                          : (size_t)mime->options.boundary_max + 1000;
    size_t room = max - buffer_length(&mime->line);

    mime->holding = true;
    if (piece.n <= room) {
        buffer_append(&mime->line, piece);
        return;
    }
    if (mime->place == IN_HEADER) {
        mime->cut = true;
        buffer_append(&mime->line, span_make(piece.p, room));
        return;
    }
    buffer_take(&mime->line, buffer_length(&mime->line));
    mime->holding = false;
}

/* count - the octets of a piece of a line; ends: with its end. */
static void count(struct postern_mime *mime, struct postern_span piece, bool ends)
{
    char before = piece.n > 1 ? piece.p[piece.n - 2] : mime->in_line ? mime->last : '\0';

    if (!mime->in_line && piece.p[0] == '.')
        mime->dirty = true;
    mime->at += piece.n;
    mime->last = piece.p[piece.n - 1];
    mime->in_line = true;
    if (!ends)
        return;
    mime->this_end_n = before == '\r' ? 2 : 1;
    if (before != '\r') {
        mime->added++;
        mime->dirty = true;
    }
}

void postern_mime_feed(struct postern_mime *mime, struct postern_span octets)
{
    while (octets.n) {
        size_t at = span_find(octets, '\n');
        bool ends = at < octets.n;
        struct postern_span piece = span_make(octets.p, ends ? at + 1 : at);
        bool begins = !mime->in_line;

        if (mime->place == IN_HEADER || mime->holding ||
            (begins && piece.p[0] == '-' && stack_count(mime)))
            hold(mime, piece);
        count(mime, piece, ends);
        if (ends)
            line_over(mime);
        octets = span_from(octets, piece.n);
    }
}

/* ---- the end --------------------------------------------------------------------------------- */

/* last_line - one without an end. */
static void last_line(struct postern_mime *mime)
{
    struct postern_span line = buffer_span(&mime->line);
    bool taken = mime->holding && line.n > 2 && line.p[0] == '-' && line.p[1] == '-' &&
                 take_delimiter(mime, line);

    if (!taken && mime->place == IN_HEADER && mime->in_line)
        header_line(mime, line);
    if (mime->place == IN_HEADER) {
        mime_field_over(mime);
        mime_header_cut(mime);
    }
    mime->dirty = mime->dirty || mime->in_line;
}

static void close_all(struct postern_mime *mime)
{
    uint32_t lines = 0, i = mime->current;

    for (;; i = mime_part_at(mime, i)->parent) {
        struct part *part = mime_part_at(mime, i);

        part->body_lines += lines;
        part->body.raw_end = mime->at;
        part->body.wire_end = mime->at + mime->added;
        if (i == mime->current && mime->place == IN_HEADER) {
            part->header.raw_end = part->body.raw = mime->at;
            part->header.wire_end = part->body.wire = mime->at + mime->added;
        }
        lines = part->body_lines + part->header_lines;
        if (i == 0)
            return;
    }
}

int postern_mime_end(struct postern_mime *mime, struct postern_span *block_r)
{
    int err;

    last_line(mime);
    close_all(mime);
    err = mime_block_make(mime);
    if (err)
        return err;
    *block_r = buffer_span(&mime->block);
    return 0;
}
