/* SPDX-License-Identifier: MIT */
/* delimiter - lines that end parts and begin others (RFC 2046 5.1.1). The boundaries that may still
 * come are a stack, the innermost on top; an outer one ends all that is within.
 *
 * The line end before a delimiter is the delimiter's. So all open parts end at one spot, before it,
 * and whatever began behind that spot is drawn back to it: a part then never reaches out of its
 * parent, however short both are.
 *
 * Trap: "a" and "a--b" can both be boundaries. An exact match anywhere in the stack comes first;
 * only then does "--a--" with something behind it end the multipart "a". */
#include "mime/scanner.h"

#include "base/span.h"

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
    if (count < stack_count(mime)) {
        mime->boundaries.tail = mime->boundaries.head + stack_at(mime, count)->text;
        mime->stack.tail = mime->stack.head + count * sizeof(struct boundary);
    }
}

void mime_boundary_push(struct postern_mime *mime, struct postern_span text)
{
    struct boundary boundary = {.part = mime->current,
                                .text = (uint32_t)buffer_length(&mime->boundaries),
                                .text_n = (uint32_t)text.n};

    buffer_append(&mime->boundaries, text);
    if (!mime->boundaries.error)
        buffer_append(&mime->stack, span_make((const char *)&boundary, sizeof boundary));
}

bool mime_boundary_any(const struct postern_mime *mime)
{
    return buffer_length(&mime->stack) > 0;
}

/* ---- what a line is -------------------------------------------------------------------------- */

enum match { NONE, BEGINS, ENDS, ENDS_ABOUT }; /* the last: something stands behind it */

static bool is_padding(struct postern_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != ' ' && s.p[i] != '\t' && s.p[i] != '\r' && s.p[i] != '\n')
            return false;
    return true;
}

/* match_line - "--BOUNDARY", perhaps "--", then nothing but spaces. */
static enum match match_line(struct postern_span line, struct postern_span boundary)
{
    struct postern_span rest;

    if (line.n < 2 + boundary.n || memcmp(line.p + 2, boundary.p, boundary.n) != 0)
        return NONE;
    rest = span_from(line, 2 + boundary.n);
    if (is_padding(rest))
        return BEGINS;
    if (!span_begins(rest, SPAN("--")))
        return NONE;
    return is_padding(span_from(rest, 2)) ? ENDS : ENDS_ABOUT;
}

/* find_match - the innermost exact one, else the innermost. */
static enum match find_match(const struct postern_mime *mime, struct postern_span line,
                             size_t *found_r)
{
    enum match about = NONE;

    for (size_t i = stack_count(mime); i-- > 0;) {
        const struct boundary *boundary = stack_at(mime, i);
        enum match match = match_line(
            line, span_make(buffer_span(&mime->boundaries).p + boundary->text, boundary->text_n));

        if (match == NONE || (match == ENDS_ABOUT && about != NONE))
            continue;
        *found_r = i;
        if (match != ENDS_ABOUT)
            return match;
        about = match;
    }
    return about;
}

/* ---- ending parts ---------------------------------------------------------------------------- */

/* open_child - of a multipart: the one that is open under it, or was last. 0: none. */
static uint32_t open_child(const struct postern_mime *mime, uint32_t multipart)
{
    uint32_t i = mime->current;

    if (i == multipart)
        return 0;
    while (mime_part_at(mime, i)->parent != multipart)
        i = mime_part_at(mime, i)->parent;
    return i;
}

/* end_before_line - the spot without the line end before the line, but not before `least`. */
static struct spot end_before_line(const struct postern_mime *mime, struct spot least)
{
    struct spot end = mime->line_at;

    if (mime->end_n) {
        end.raw -= mime->end_n;
        end.wire -= 2;
        end.lines--;
    }
    return end.raw < least.raw ? least : end;
}

static struct spot not_behind(struct spot spot, struct spot end)
{
    return spot.raw > end.raw ? end : spot;
}

/* close_to - the parts from the current one up to `top` end there. */
static void close_to(struct postern_mime *mime, uint32_t top, struct spot end)
{
    struct part *part = mime_part_at(mime, mime->current);

    if (mime->place == IN_HEADER)
        part->body = end;
    for (uint32_t i = mime->current;; i = part->parent) {
        part = mime_part_at(mime, i);
        part->end = end;
        part->body = not_behind(part->body, end);
        part->header = not_behind(part->header, end);
        if (i == top)
            return;
    }
}

/* close_below - all open parts under a multipart. */
static void close_below(struct postern_mime *mime, uint32_t multipart)
{
    uint32_t child = open_child(mime, multipart);
    bool in_its_header = child == mime->current && mime->place == IN_HEADER;
    struct spot end;

    if (child) {
        const struct part *part = mime_part_at(mime, child);

        end = end_before_line(mime, in_its_header ? part->header : part->body);
        if (mime->place == IN_HEADER) {
            mime_field_over(mime, end);
            mime_header_cut(mime);
        }
        close_to(mime, child, end);
    }
    mime->current = multipart;
    mime->place = IN_BODY;
}

static void new_child(struct postern_mime *mime, uint32_t multipart, uint32_t before)
{
    uint32_t child;

    if (mime_part_count(mime) >= mime->options.parts_max) {
        mime->cut = true; /* the rest of the multipart is opaque */
        return;
    }
    child = mime_part_add(mime, multipart);
    if (child && before)
        mime_part_at(mime, before)->next = child;
}

bool mime_delimiter_take(struct postern_mime *mime, struct postern_span line)
{
    size_t found = 0;
    enum match match = find_match(mime, line, &found);
    uint32_t multipart, before;

    if (match == NONE)
        return false;
    multipart = stack_at(mime, found)->part;
    before = open_child(mime, multipart);
    close_below(mime, multipart);
    stack_cut(mime, match == BEGINS ? found + 1 : found);
    if (match == BEGINS)
        new_child(mime, multipart, before);
    return true;
}

void mime_parts_close(struct postern_mime *mime)
{
    if (mime->place == IN_HEADER) {
        mime_field_over(mime, mime->at);
        mime_header_cut(mime);
    }
    close_to(mime, 0, mime->at);
}
