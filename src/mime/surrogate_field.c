/* SPDX-License-Identifier: MIT */
/* surrogate_field - addresses, Subject, MIME parameters; every other field is excised (R92).
 *
 * An address whose own characters are all ASCII stays usable: only its name is encoded (RFC 2047).
 * One that is internationalized becomes an invalid one, with the address itself as the name.
 * Nothing recurses: comments and groups are counted, not entered. */
#include "mime/surrogate_field.h"

#include "base/span.h"
#include "codec/base64.h"
#include "codec/utf8.h"

#define LINE_MAX_2047 76 /* RFC 2047 2: no line with an encoded word is longer */
#define WORD_FRAME 12    /* =?UTF-8?B? and ?= */
#define INVALID "<invalid@internationalized-address.invalid>"

/* A place in structured text: what quotes, comments, angles and [literals] mean for the octet at
 * hand. */
struct lexer {
    bool quoted, escaped, angle, literal;
    unsigned comment;
};

/* lex - whether c is plain text outside of quotes, comments and angles. */
static bool lex(struct lexer *l, char c)
{
    bool outside = !l->quoted && !l->comment && !l->angle && !l->literal;

    if (l->escaped) {
        l->escaped = false;
        return false;
    }
    if (c == '\\' && (l->quoted || l->comment)) {
        l->escaped = true;
        return false;
    }
    if (c == '"' && !l->comment)
        l->quoted = !l->quoted;
    else if (c == '(' && !l->quoted)
        l->comment++;
    else if (c == ')' && !l->quoted && l->comment)
        l->comment--;
    else if ((c == '[' || c == ']') && !l->quoted && !l->comment)
        l->literal = c == '[';
    else if (c == '<' && outside)
        l->angle = true;
    else if (c == '>' && l->angle && !l->quoted && !l->comment)
        l->angle = false;
    else
        return outside;
    return false;
}

/* ---- encoded words --------------------------------------------------------------------------- */

/* how many octets of text fit in a word on a line that has `column` octets already */
static size_t word_octets(struct postern_span text, size_t column)
{
    size_t room = column + 1 + WORD_FRAME < LINE_MAX_2047
                      ? (LINE_MAX_2047 - column - 1 - WORD_FRAME) / 4 * 3
                      : 0;
    size_t n = text.n < room ? text.n : room;

    while (n < text.n && n > 0 && ((unsigned char)text.p[n] & 0xc0) == 0x80)
        n--; /* RFC 2047 5: never cut inside a character */
    return n;
}

/* encode_words - text as encoded words, each after a space or a fold. Returns the column it ends
 * in. */
static size_t encode_words(struct postern_span text, size_t column, struct buffer *out)
{
    if (!utf8_is_valid(text))
        text = SPAN("(unreadable)");
    while (text.n) {
        size_t n = word_octets(text, column), before;

        if (n == 0) {
            buffer_append_text(out, "\r\n");
            column = 0;
            continue;
        }
        before = buffer_length(out);
        buffer_append_text(out, " =?UTF-8?B?");
        base64_encode(span_make(text.p, n), out);
        buffer_append_text(out, "?=");
        if (out->error)
            return 0;
        column += buffer_length(out) - before;
        text = span_from(text, n);
    }
    return column;
}

/* flatten - without line ends, and trimmed; appended to scratch and lent from there. */
static struct postern_span flatten(struct postern_span text, struct buffer *scratch)
{
    size_t at = buffer_length(scratch);

    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] != '\r' && text.p[i] != '\n')
            buffer_append_char(scratch, text.p[i]);
    return scratch->error ? SPAN("") : span_trim(span_from(buffer_span(scratch), at));
}

static void subject(struct postern_span value, struct buffer *scratch, struct buffer *out)
{
    buffer_append_text(out, "Subject:");
    encode_words(flatten(value, scratch), strlen("Subject:"), out);
    buffer_append_text(out, "\r\n");
}

/* ---- addresses ------------------------------------------------------------------------------- */

/* unquoted - text without comments, quotation marks and backslashes. */
static struct postern_span unquoted(struct postern_span text, struct buffer *scratch)
{
    size_t at = buffer_length(scratch);
    struct lexer l = {0};

    for (size_t i = 0; i < text.n; i++) {
        bool in_comment = l.comment > 0, was_escaped = l.escaped;
        char c = text.p[i];

        lex(&l, c);
        if (in_comment || l.comment || c == '\r' || c == '\n' ||
            (!was_escaped && (c == '"' || c == '\\')))
            continue;
        buffer_append_char(scratch, c);
    }
    return scratch->error ? SPAN("") : span_trim(span_from(buffer_span(scratch), at));
}

/* angle_of - where the first '<' outside of quotes and comments stands, or text.n. */
static size_t angle_of(struct postern_span text)
{
    struct lexer l = {0};

    for (size_t i = 0; i < text.n; i++) {
        lex(&l, text.p[i]);
        if (l.angle)
            return i;
    }
    return text.n;
}

/* address - one mailbox with octets outside ASCII somewhere in it. */
static size_t address(struct postern_span text, size_t column, struct buffer *scratch,
                      struct buffer *out)
{
    size_t angle = angle_of(text), before, length;
    struct postern_span inner = span_from(text, angle + 1), name, spec;

    name = unquoted(span_make(text.p, angle), scratch);
    inner.n = span_find(inner, '>');
    spec = angle < text.n ? flatten(inner, scratch) : name;
    if (utf8_is_ascii(spec) && angle == text.n) { /* only a comment was not ASCII */
        buffer_append_char(out, ' ');
        buffer_append(out, spec);
        return column + 1 + spec.n;
    }
    column = encode_words(utf8_is_ascii(spec) ? name : spec, column, out);
    length = utf8_is_ascii(spec) ? spec.n + strlen(" <>") : strlen(" " INVALID);
    before = buffer_length(out);
    buffer_append_text(out, column + length > LINE_MAX_2047 ? "\r\n " : " ");
    if (utf8_is_ascii(spec)) {
        buffer_append_char(out, '<');
        buffer_append(out, spec);
        buffer_append_char(out, '>');
    } else {
        buffer_append_text(out, INVALID);
    }
    return column + buffer_length(out) - before;
}

/* piece - what stands between two delimiters: an address, or the name of a group. */
static size_t piece(struct postern_span text, bool is_group_name, size_t column,
                    struct buffer *scratch, struct buffer *out)
{
    if (utf8_is_ascii(text)) {
        buffer_append(out, text);
        return column + text.n;
    }
    return is_group_name ? encode_words(unquoted(text, scratch), column, out)
                         : address(text, column, scratch, out);
}

static void addresses(struct postern_span name, struct postern_span value, struct buffer *scratch,
                      struct buffer *out)
{
    struct lexer l = {0};
    size_t column = name.n + 1, from = 0;

    while (value.n && (value.p[value.n - 1] == '\n' || value.p[value.n - 1] == '\r'))
        value.n--;
    buffer_append(out, name);
    buffer_append_char(out, ':');
    for (size_t i = 0; i <= value.n; i++) {
        bool end = i == value.n;

        if (!end && (!lex(&l, value.p[i]) || !strchr(",:;", value.p[i]) || !value.p[i]))
            continue;
        column = piece(span_make(value.p + from, i - from), !end && value.p[i] == ':', column,
                       scratch, out);
        if (!end)
            buffer_append_char(out, value.p[i]);
        column++;
        from = i + 1;
    }
    buffer_append_text(out, "\r\n");
}

/* ---- MIME parameters ------------------------------------------------------------------------- */

struct postern_span parameter_next(struct postern_span *rest)
{
    struct postern_span all = *rest;
    struct lexer l = {0};

    for (size_t i = 0; i < all.n; i++) {
        l.angle = false; /* has no meaning here */
        if (lex(&l, all.p[i]) && all.p[i] == ';') {
            *rest = span_from(all, i + 1);
            return span_make(all.p, i);
        }
    }
    *rest = (struct postern_span){NULL, 0};
    return all;
}

/* parameters - a Content-* field keeps its value and those parameters that are ASCII; without its
 * value it goes. */
static void parameters(struct postern_span field, struct buffer *out)
{
    struct postern_span rest = field, part = parameter_next(&rest);

    if (!utf8_is_ascii(part))
        return;
    for (bool first = true;; first = false) {
        while (part.n && (part.p[part.n - 1] == '\n' || part.p[part.n - 1] == '\r'))
            part.n--;
        if (utf8_is_ascii(part) && !first)
            buffer_append_char(out, ';');
        if (utf8_is_ascii(part))
            buffer_append(out, part);
        if (!rest.p)
            break;
        part = parameter_next(&rest);
    }
    buffer_append_text(out, "\r\n");
}

static bool is_address_field(struct postern_span name)
{
    static const char *const names[] = {
        "From",           "To",          "Cc",        "Bcc",       "Reply-To",   "Sender",
        "Return-Path",    "Resent-From", "Resent-To", "Resent-Cc", "Resent-Bcc", "Resent-Sender",
        "Resent-Reply-To"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (span_equal_nocase(name, postern_span_of(names[i])))
            return true;
    return false;
}

void surrogate_field(struct postern_span field, struct buffer *out)
{
    struct buffer scratch = {.allocator = out->allocator};
    struct postern_span value = field, name = span_trim(span_cut(&value, ':'));

    /* Spans into scratch are lent while more is appended: it must not move. Nothing is copied there
     * more than twice. UNSAFE: a field is bounded far below SIZE_MAX / 2 */
    buffer_room(&scratch, 2 * field.n + 64);
    if (value.p && is_address_field(name))
        addresses(name, value, &scratch, out);
    else if (value.p && span_equal_nocase(name, SPAN("Subject")))
        subject(value, &scratch, out);
    else if (value.p && span_begins_nocase(name, SPAN("Content-")) && utf8_is_ascii(name))
        parameters(field, out);
    if (scratch.error)
        out->error = scratch.error;
    buffer_done(&scratch);
}
