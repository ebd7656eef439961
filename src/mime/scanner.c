/* SPDX-License-Identifier: MIT */
/* scanner - one pass over a message by lines (memchr), never octet by octet in a body. The open
 * parts are a chain of parents, the boundaries that may end them a stack; both are bounded.
 * Here: what lines are, and where they go; delimiter.c: lines that end parts; header.c: fields;
 * kind.c: what a header makes of its part; block.c: the result.
 *
 * Invariant: nothing depends on how the message was cut into pieces; so a decision about a line is
 * taken when it begins, by its first octet, or when it ends. */
#include "mime/scanner.h"

#include "base/lines.h"
#include "base/memory.h"
#include "base/span.h"

/* A delimiter may have spaces behind it (RFC 2046 5.1.1, transport-padding); this many. */
#define PADDING_MAX 1000
#define BOUNDARY_LIMIT 1000
/* What most headers fit into, so that little is moved while it grows. */
#define FIRST_FIELDS 32
#define FIRST_BYTES 1024

void postern_mime_options_init(struct postern_mime_options *options)
{
    *options = (struct postern_mime_options){.depth_max = 100,
                                             .parts_max = 10000,
                                             .boundary_max = 200,
                                             .field_max = 65536,
                                             .header_max = 256u << 10,
                                             .others_max = 1000,
                                             .kept_max = 1u << 20};
}

struct part *mime_part_at(const struct postern_mime *mime, uint32_t i)
{
    return (struct part *)(void *)(mime->parts.data + mime->parts.head) + i;
}

uint32_t mime_part_count(const struct postern_mime *mime)
{
    return (uint32_t)(buffer_length(&mime->parts) / sizeof(struct part));
}

uint32_t mime_part_add(struct postern_mime *mime, uint32_t parent)
{
    uint32_t i = mime_part_count(mime);
    struct part part = {.parent = parent == NO_PART ? 0 : parent,
                        .header = mime->at,
                        .body = mime->at,
                        .end = mime->at};

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

static void set_options(struct postern_mime *mime, const struct postern_mime_options *options)
{
    if (options)
        mime->options = *options;
    else
        postern_mime_options_init(&mime->options);
    if (mime->options.boundary_max > BOUNDARY_LIMIT)
        mime->options.boundary_max = BOUNDARY_LIMIT;
}

int postern_mime_new(struct postern_mime **mime_r, const struct postern_mime_options *options,
                     const struct postern_allocator *allocator)
{
    struct postern_mime *mime = memory_new(allocator, sizeof *mime);

    if (!mime)
        return POSTERN_E_NOMEM;
    mime->allocator = allocator;
    set_options(mime, options);
    mime->line = mime->field = mime->parts = mime->fields = mime->strings = mime->boundaries =
        mime->stack = mime->block = (struct buffer){.allocator = allocator, .plain = true};
    (void)buffer_room(&mime->field, FIRST_BYTES);
    (void)buffer_room(&mime->strings, FIRST_BYTES);
    (void)buffer_room(&mime->fields, FIRST_FIELDS * sizeof(struct field));
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

/* ---- lines ----------------------------------------------------------------------------------- */

static bool is_blank(struct postern_span line)
{
    return (line.n == 1 && line.p[0] == '\n') ||
           (line.n == 2 && line.p[0] == '\r' && line.p[1] == '\n');
}

/* is_header_kept - is the line under way among the first header_max octets of its header? */
static bool is_header_kept(const struct postern_mime *mime)
{
    return mime->line_at.raw - mime_part_at(mime, mime->current)->header.raw <
           mime->options.header_max;
}

/* field_line - a line of a header: the field under way goes on while lines begin with a space. */
static void field_line(struct postern_mime *mime, struct postern_span line)
{
    size_t room;

    if (!mime->in_field || (line.p[0] != ' ' && line.p[0] != '\t')) {
        mime_field_over(mime, mime->line_at);
        mime->field_at = mime->line_at;
        mime->in_field = true;
    }
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

    if (is_blank(line)) {
        mime_field_over(mime, mime->line_at);
        part->body = part->end = mime->at;
        mime_header_over(mime);
    } else if (is_header_kept(mime) && line.n) {
        field_line(mime, line);
    } else {
        mime->cut = true;
        mime_field_over(mime, mime->line_at);
    }
}

static bool is_held_delimiter(struct postern_mime *mime, struct postern_span line)
{
    return mime->holding && line.n > 2 && line.p[0] == '-' && line.p[1] == '-' &&
           mime_delimiter_take(mime, line);
}

/* line_over - line: what was held of it. */
static void line_over(struct postern_mime *mime, struct postern_span line)
{
    if (!is_held_delimiter(mime, line) && mime->place == IN_HEADER)
        header_line(mime, line);
    buffer_take(&mime->line, buffer_length(&mime->line));
    mime->in_line = mime->holding = mime->passing = false;
    mime->line_at = mime->at;
    mime->end_n = mime->this_end_n;
}

/* hold - a line that may matter; of a long one the beginning, or nothing where only a delimiter or
 * an empty line would matter. whole: the piece is all of it, and needs no copy. What is held. */
static struct postern_span hold(struct postern_mime *mime, struct postern_span piece, bool whole)
{
    bool field = mime->place == IN_HEADER && is_header_kept(mime);
    size_t max = field ? mime->options.field_max : mime->options.boundary_max + PADDING_MAX;
    size_t room = max > buffer_length(&mime->line) ? max - buffer_length(&mime->line) : 0;

    mime->holding = piece.n <= room || field;
    if (piece.n <= room && whole)
        return piece;
    if (piece.n > room && field)
        mime->cut = true;
    if (mime->holding) {
        buffer_append(&mime->line, span_make(piece.p, piece.n <= room ? piece.n : room));
    } else {
        buffer_take(&mime->line, buffer_length(&mime->line));
        mime->passing = true;
    }
    return buffer_span(&mime->line);
}

/* count - the octets of a piece of a line; ends: with its end. */
static void count(struct postern_mime *mime, struct postern_span piece, bool ends)
{
    char before = piece.n > 1 ? piece.p[piece.n - 2] : mime->in_line ? mime->last : '\0';

    if (!mime->in_line && piece.p[0] == '.')
        mime->dirty = true;
    if (mime->current == 0 && mime->place == IN_HEADER && !mime->utf8_header)
        mime->utf8_header = span_has_8bit(piece);
    mime->at.raw += piece.n;
    mime->at.wire += piece.n;
    mime->last = piece.p[piece.n - 1];
    mime->in_line = true;
    if (!ends)
        return;
    mime->at.lines++;
    mime->this_end_n = before == '\r' ? 2 : 1;
    if (before != '\r') {
        mime->at.wire++;
        mime->dirty = true;
    }
}

/* pass_lines - whole lines of a body that begin with nothing that matters are only counted, all at
 * once. How many octets they are. */
static size_t pass_lines(struct postern_mime *mime, struct postern_span octets)
{
    struct plain_lines lines = lines_plain(octets);

    if (lines.n == 0)
        return 0;
    mime->dirty |= lines.bare > 0;
    mime->at.raw += lines.n;
    mime->at.wire += lines.n + lines.bare;
    mime->at.lines += lines.lines;
    mime->line_at = mime->at;
    mime->end_n = lines.n > 1 && octets.p[lines.n - 2] == '\r' ? 2 : 1;
    return lines.n;
}

/* take_piece - up to the end of the line under way, or of the octets. How many they are. */
static size_t take_piece(struct postern_mime *mime, struct postern_span octets)
{
    const char *end = memchr(octets.p, '\n', octets.n);
    struct postern_span piece = span_make(octets.p, end ? (size_t)(end - octets.p) + 1 : octets.n),
                        line = {0};
    bool may_end = !mime->in_line && piece.p[0] == '-' && mime_boundary_any(mime);

    if ((mime->place == IN_HEADER && !mime->passing) || mime->holding || may_end)
        line = hold(mime, piece, end && !mime->in_line);
    count(mime, piece, end);
    if (end)
        line_over(mime, line);
    return piece.n;
}

void postern_mime_feed(struct postern_mime *mime, struct postern_span octets)
{
    while (octets.n) {
        size_t n = mime->place == IN_BODY && !mime->in_line ? pass_lines(mime, octets) : 0;

        octets = span_from(octets, n ? n : take_piece(mime, octets));
    }
}

/* ---- the end --------------------------------------------------------------------------------- */

/* last_line - one without an end; it has one when it is sent. */
static void last_line(struct postern_mime *mime)
{
    mime->dirty = true;
    mime->at.wire += 2;
    mime->at.lines++;
    mime->this_end_n = 0;
    line_over(mime, buffer_span(&mime->line));
}

int postern_mime_end(struct postern_mime *mime, struct postern_span *block_r)
{
    if (mime->taken)
        return POSTERN_E_USAGE;
    if (!mime->ended) {
        if (mime->in_line)
            last_line(mime);
        mime_parts_close(mime);
        mime->error = mime_block_make(mime);
        mime->ended = true;
    }
    if (mime->error)
        return mime->error;
    *block_r = buffer_span(&mime->block);
    return 0;
}

int postern_mime_take(struct postern_mime *mime, struct postern_span *block_r)
{
    struct postern_span block;
    int err = postern_mime_end(mime, &block);
    char *smaller;

    if (err)
        return err;
    smaller = memory_resize(mime->allocator, mime->block.data, block.n);
    *block_r = span_make(smaller ? smaller : mime->block.data, block.n);
    mime->block = (struct buffer){.allocator = mime->allocator, .plain = true};
    mime->taken = true;
    return 0;
}
