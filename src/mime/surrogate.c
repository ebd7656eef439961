/* SPDX-License-Identifier: MIT */
/* surrogate - finds the header fields of a message and of its parts as the octets stream by.
 *
 * Owns one field at a time, and the boundaries of the multiparts that it is in. Fields outside
 * ASCII go to surrogate_field.c; everything else passes. Traps: a field is only known to be over
 * when the next line does not begin with white space; a part may have no header at all, its
 * boundary followed by another. */
#include "mime/surrogate.h"

#include "base/memory.h"
#include "base/span.h"
#include "codec/utf8.h"
#include "mime/surrogate_field.h"

#define FIELD_MAX 65536
#define BOUNDARY_MAX 70 /* RFC 2046 5.1.1 */
#define DEPTH_MAX 16

enum place {
    IN_HEADER,
    IN_BODY,       /* at the beginning of a line, or within one that may be a boundary (held) */
    IN_BODY_LINE,  /* within a line that is none */
    IN_LONG_PLAIN, /* in a field beyond its bound: pass its ASCII on */
    IN_LONG_BAD    /* the same, not ASCII: swallow it */
};

struct boundary {
    char text[BOUNDARY_MAX];
    uint8_t n;
};

struct surrogate {
    const struct postern_allocator *allocator;
    struct buffer held; /* the field so far; in a body the line that may be a boundary */
    enum place place;
    bool line_start; /* the next octet begins a line of the header */
    bool is_message; /* this header's body is another message */
    unsigned depth;
    struct boundary boundaries[DEPTH_MAX];
};

int surrogate_new(struct surrogate **surrogate_r, const struct postern_allocator *allocator)
{
    struct surrogate *s = memory_new(allocator, sizeof *s);

    if (!s)
        return POSTERN_E_NOMEM;
    s->allocator = s->held.allocator = allocator;
    s->line_start = true;
    *surrogate_r = s;
    return 0;
}

void surrogate_free(struct surrogate **surrogate)
{
    struct surrogate *s = surrogate ? *surrogate : NULL;

    if (!s)
        return;
    buffer_done(&s->held);
    memory_free(s->allocator, s);
    *surrogate = NULL;
}

/* ---- boundaries ------------------------------------------------------------------------------ */

static void boundary_push(struct surrogate *s, struct postern_span text)
{
    if (text.n < 1 || text.n > BOUNDARY_MAX || s->depth == DEPTH_MAX)
        return;
    memcpy(s->boundaries[s->depth].text, text.p, text.n);
    s->boundaries[s->depth++].n = (uint8_t)text.n;
}

static struct postern_span without_line_end(struct postern_span line)
{
    while (line.n && strchr("\r\n \t", line.p[line.n - 1]) && line.p[line.n - 1])
        line.n--;
    return line;
}

/* boundary_meet - if the line is a boundary of ours, the place behind it; else -1. The innermost
 * first: what is within a multipart that is not closed ends with it. */
static int boundary_meet(struct surrogate *s, struct postern_span line)
{
    line = without_line_end(line);
    if (!span_begins(line, SPAN("--")))
        return -1;
    line = span_from(line, 2);
    for (unsigned i = s->depth; i-- > 0;) {
        struct postern_span known = span_make(s->boundaries[i].text, s->boundaries[i].n);

        if (span_equal(line, known)) {
            s->depth = i + 1;
            s->is_message = false;
            return IN_HEADER;
        }
        if (line.n == known.n + 2 && span_begins(line, known) && line.p[line.n - 1] == '-' &&
            line.p[line.n - 2] == '-') {
            s->depth = i;
            return IN_BODY;
        }
    }
    return -1;
}

/* parameter_value - of NAME=VALUE or NAME="VALUE"; backslashes in it are not undone, boundaries
 * have none. */
static struct postern_span parameter_value(struct postern_span part, struct postern_span wanted)
{
    struct postern_span value = part, name = span_cut(&value, '=');

    while (name.n && strchr(" \t\r\n", *name.p) && *name.p)
        name = span_from(name, 1);
    if (!value.p || !span_equal_nocase(without_line_end(name), wanted))
        return (struct postern_span){NULL, 0};
    value = span_trim(without_line_end(value));
    if (value.n && *value.p == '"') {
        value = span_from(value, 1);
        value.n = span_find(value, '"');
    }
    return value;
}

/* content_type - learn from it what the body will be. */
static void content_type(struct surrogate *s, struct postern_span field)
{
    struct postern_span rest = field, part, type;

    span_cut(&rest, ':');
    type = parameter_next(&rest);
    while (type.n && strchr(" \t\r\n", *type.p) && *type.p)
        type = span_from(type, 1);
    type = without_line_end(type);
    s->is_message = span_equal_nocase(type, SPAN("message/rfc822")) ||
                    span_equal_nocase(type, SPAN("message/global"));
    if (!span_begins_nocase(type, SPAN("multipart/")))
        return;
    while (rest.p) {
        part = parameter_value(parameter_next(&rest), SPAN("boundary"));
        if (part.p) {
            boundary_push(s, part);
            return;
        }
    }
}

/* ---- headers --------------------------------------------------------------------------------- */

static void field_end(struct surrogate *s, struct buffer *out)
{
    struct postern_span field = buffer_span(&s->held);

    if (span_begins_nocase(field, SPAN("Content-Type:")))
        content_type(s, field);
    if (utf8_is_ascii(field))
        buffer_append(out, field);
    else
        surrogate_field(field, out);
    buffer_take(&s->held, field.n);
}

static bool is_blank(struct postern_span line)
{
    return span_equal(line, SPAN("\n")) || span_equal(line, SPAN("\r\n"));
}

/* header_line_end - a line of the header is whole, held alone or behind the field it continues. */
static void header_line_end(struct surrogate *s, struct buffer *out)
{
    struct postern_span held = buffer_span(&s->held);
    int place = boundary_meet(s, held);

    s->line_start = true;
    if (place < 0 && !is_blank(held))
        return;
    buffer_append(out, held);
    buffer_take(&s->held, held.n);
    if (place >= 0)
        s->place = (enum place)place;
    else if (!s->is_message)
        s->place = IN_BODY;
    s->is_message = false; /* its header begins now, and says again what follows */
}

/* header_step - as many octets as belong together; how many. */
static size_t header_step(struct surrogate *s, struct postern_span in, struct buffer *out)
{
    size_t line = span_find(in, '\n'), n = line < in.n ? line + 1 : in.n;
    size_t room = FIELD_MAX - buffer_length(&s->held);

    if (s->line_start && *in.p != ' ' && *in.p != '\t')
        field_end(s, out);
    s->line_start = false;
    n = n < room ? n : room;
    buffer_append(&s->held, span_make(in.p, n));
    if (s->held.error)
        return n;
    if (in.p[n - 1] == '\n')
        header_line_end(s, out);
    if (buffer_length(&s->held) == FIELD_MAX) {
        s->place = utf8_is_ascii(buffer_span(&s->held)) ? IN_LONG_PLAIN : IN_LONG_BAD;
        if (s->place == IN_LONG_PLAIN)
            buffer_append(out, buffer_span(&s->held));
        buffer_take(&s->held, FIELD_MAX);
    }
    return n;
}

static size_t long_step(struct surrogate *s, struct postern_span in, struct buffer *out)
{
    if (s->line_start && *in.p != ' ' && *in.p != '\t') {
        s->place = IN_HEADER;
        return 0;
    }
    s->line_start = *in.p == '\n';
    if (s->place == IN_LONG_PLAIN && (unsigned char)*in.p < 128)
        buffer_append_char(out, *in.p);
    return 1;
}

/* ---- bodies ---------------------------------------------------------------------------------- */

/* body_step - hold a line as long as it may be a boundary: it begins with "--" and is short. */
static size_t body_step(struct surrogate *s, struct postern_span in, struct buffer *out)
{
    size_t held = buffer_length(&s->held);
    char c = *in.p;
    int place = -1;

    if ((held < 2 && c != '-') || held == BOUNDARY_MAX + 128) {
        buffer_append(out, buffer_span(&s->held));
        buffer_take(&s->held, held);
        s->place = IN_BODY_LINE;
        return 0;
    }
    buffer_append_char(&s->held, c);
    if (c != '\n' || s->held.error)
        return 1;
    place = boundary_meet(s, buffer_span(&s->held));
    buffer_append(out, buffer_span(&s->held));
    buffer_take(&s->held, held + 1);
    s->place = place >= 0 ? (enum place)place : IN_BODY;
    s->line_start = true;
    return 1;
}

static size_t line_step(struct surrogate *s, struct postern_span in, struct buffer *out)
{
    size_t line = span_find(in, '\n'), n = line < in.n ? line + 1 : in.n;

    if (!s->depth)
        n = in.n; /* nothing can follow but body */
    else if (line < in.n)
        s->place = IN_BODY;
    buffer_append(out, span_make(in.p, n));
    return n;
}

int surrogate_feed(struct surrogate *s, struct postern_span in, struct buffer *out)
{
    static size_t (*const steps[])(struct surrogate *, struct postern_span,
                                   struct buffer *) = {[IN_HEADER] = header_step,
                                                       [IN_BODY] = body_step,
                                                       [IN_BODY_LINE] = line_step,
                                                       [IN_LONG_PLAIN] = long_step,
                                                       [IN_LONG_BAD] = long_step};

    while (in.n && !out->error && !s->held.error)
        in = span_from(in, steps[s->place](s, in, out));
    return s->held.error ? s->held.error : out->error;
}

int surrogate_finish(struct surrogate *s, struct buffer *out)
{
    if (s->place == IN_HEADER)
        field_end(s, out);
    else
        buffer_append(out, buffer_span(&s->held));
    buffer_take(&s->held, buffer_length(&s->held));
    return s->held.error ? s->held.error : out->error;
}
