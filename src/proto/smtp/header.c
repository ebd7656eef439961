/* SPDX-License-Identifier: MIT */
/* header - the fields at the beginning of a message as they pass. A line is held until it is known
 * what it begins; the lines folded behind it go where it went. */
#include "proto/smtp/header.h"

#include "base/span.h"
#include "codec/date.h"

static struct postern_span held(const struct header *header)
{
    return span_make(header->held, header->held_n);
}

/* name_of - "Subject" of "Subject: x"; absent: this is no field. */
static struct postern_span name_of(struct postern_span line)
{
    size_t n = 0;

    while (n < line.n && line.p[n] > ' ' && line.p[n] < 127 && line.p[n] != ':')
        n++;
    for (size_t end = n; end < line.n; end++) {
        if (line.p[end] == ':')
            return span_make(line.p, n);
        if (line.p[end] != ' ' && line.p[end] != '\t')
            break;
    }
    return (struct postern_span){NULL, 0};
}

/* skip_blank - space, folds and comments; false: a comment is not over yet. */
static bool skip_blank(struct postern_span *text)
{
    unsigned depth = 0;

    for (; text->n; *text = span_from(*text, 1)) {
        char c = text->p[0];

        if (c == '\\' && depth && text->n > 1)
            *text = span_from(*text, 1);
        else if (c == '(')
            depth++;
        else if (c == ')' && depth)
            depth--;
        else if (!depth && c != ' ' && c != '\t' && c != '\r' && c != '\n')
            return true;
    }
    return depth == 0;
}

/* claims_us - Authentication-Results that says it is of this host (RFC 8601 5). */
static bool claims_us(struct postern_span line, struct postern_span hostname)
{
    struct postern_span rest = span_from(line, span_find(line, ':') + 1), id;
    size_t n = 0;

    (void)skip_blank(&rest);
    if (rest.n && rest.p[0] == '"')
        rest = span_from(rest, 1);
    while (n < rest.n && !strchr(" \t\r\n;\"(", rest.p[n]))
        n++;
    id = span_make(rest.p, n);
    return span_equal_nocase(id, hostname);
}

static bool is(struct postern_span name, const char *other)
{
    return span_equal_nocase(name, postern_span_of(other));
}

static void note_field(struct header *header, struct postern_span name)
{
    header->received += is(name, "Received");
    header->has_date |= is(name, "Date");
    header->has_id |= is(name, "Message-ID");
    header->has_sender |= is(name, "Sender");
    header->in_from = is(name, "From");
    header->froms += header->in_from;
    header->quoted = header->escaped = false;
    header->comment = 0;
}

static bool goes(const struct header_rules *rules, struct postern_span name,
                 struct postern_span line)
{
    if (is(name, "Return-Path")) /* O5: ours will be the only one */
        return true;
    if (is(name, "Authentication-Results"))
        return claims_us(line, rules->hostname);
    return rules->completes && !rules->keeps_bcc && (is(name, "Bcc") || is(name, "Resent-Bcc"));
}

/* note_authors - commas between the addresses of From (L6). */
static void note_authors(struct header *header, struct postern_span text)
{
    for (size_t i = 0; i < text.n && header->in_from; i++) {
        char c = text.p[i];

        if (header->escaped)
            header->escaped = false;
        else if (c == '\\')
            header->escaped = true;
        else if (c == '"' && !header->comment)
            header->quoted = !header->quoted;
        else if (!header->quoted && c == '(')
            header->comment++;
        else if (!header->quoted && c == ')' && header->comment)
            header->comment--;
        else if (!header->quoted && !header->comment && c == ',')
            header->authors++;
    }
}

static void complete(const struct header *header, const struct header_rules *rules,
                     struct buffer *out)
{
    if (!rules->completes)
        return;
    if (!header->has_date) {
        buffer_append_text(out, "Date: ");
        date_write_header(out, rules->date_s);
        buffer_append_text(out, "\r\n");
    }
    if (header->has_id)
        return;
    buffer_append_text(out, "Message-ID: <");
    buffer_append(out, rules->id);
    buffer_append_char(out, '@');
    buffer_append(out, rules->hostname);
    buffer_append_text(out, ">\r\n");
}

static void over(struct header *header, const struct header_rules *rules, struct buffer *out)
{
    complete(header, rules, out);
    header->at = HEADER_OVER;
    header->end_at = buffer_length(out);
}

/* judge - enough of a line is held to know what it is: it goes on, or out. */
static void judge(struct header *header, const struct header_rules *rules, struct buffer *out)
{
    struct postern_span line = held(header), name;

    header->held_n = 0;
    if (line.p[0] != ' ' && line.p[0] != '\t') {
        name = name_of(line);
        if (!name.p) { /* the empty line, or a body without one */
            over(header, rules, out);
            buffer_append(out, line);
            return;
        }
        note_field(header, name);
        header->dropping = goes(rules, name, line);
        note_authors(header, span_from(line, name.n));
    } else {
        note_authors(header, line);
    }
    header->at = header->dropping ? HEADER_DROPS : HEADER_PASSES;
    if (!header->dropping)
        buffer_append(out, line);
    if (line.p[line.n - 1] == '\n')
        header->at = HEADER_HOLDS;
}

/* is_undecided - Authentication-Results whose name stands on a folded line. */
static bool is_undecided(struct postern_span line)
{
    struct postern_span rest = span_from(line, span_find(line, ':') + 1);

    return span_equal_nocase(name_of(line), SPAN("Authentication-Results")) &&
           (!skip_blank(&rest) || !rest.n);
}

static bool waits_for_fold(const struct header *header)
{
    return header->held_n && header->held[header->held_n - 1] == '\n';
}

/* hold - octets of `in` until the line ends or enough is held; how many. */
static size_t hold(struct header *header, const struct header_rules *rules, struct postern_span in,
                   struct buffer *out)
{
    size_t room = sizeof header->held - header->held_n, n = span_find(in, '\n');
    bool ends = n < in.n && n < room;

    if (waits_for_fold(header) && in.p[0] != ' ' && in.p[0] != '\t') {
        judge(header, rules, out);
        return 0;
    }
    n = ends ? n + 1 : n < room ? n : room;
    memcpy(header->held + header->held_n, in.p, n);
    header->held_n += n;
    header->lines += ends;
    if (header->held_n == sizeof header->held || (ends && !is_undecided(held(header))))
        judge(header, rules, out);
    return n;
}

/* pass - (O10) octets of the rest of a line; how many. */
static size_t pass(struct header *header, struct postern_span in, struct buffer *out)
{
    size_t n = span_find(in, '\n');
    bool ends = n < in.n;

    n += ends;
    if (header->at == HEADER_PASSES) {
        note_authors(header, span_make(in.p, n));
        buffer_append(out, span_make(in.p, n));
    }
    if (ends) {
        header->at = HEADER_HOLDS;
        header->lines++;
    }
    return n;
}

void header_feed(struct header *header, const struct header_rules *rules, struct postern_span in,
                 struct buffer *out)
{
    while (in.n && header->at != HEADER_OVER) {
        size_t n =
            header->at == HEADER_HOLDS ? hold(header, rules, in, out) : pass(header, in, out);

        header->octets += n;
        in = span_from(in, n);
    }
    if (in.n)
        buffer_append(out, in);
}

void header_finish(struct header *header, const struct header_rules *rules, struct buffer *out)
{
    if (header->at == HEADER_OVER)
        return;
    if (header->held_n)
        judge(header, rules, out);
    if (header->at != HEADER_OVER)
        over(header, rules, out);
}
