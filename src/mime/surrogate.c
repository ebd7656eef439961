/* SPDX-License-Identifier: MIT */
/* surrogate - a message with an internationalized header made fit for an old client (RFC 6858).
 * Owns one unfolded header field at a time; the body passes untouched. R92: addresses are replaced
 * by an invalid one, the Subject is encoded, other fields with raw 8-bit are dropped.
 * Does NOT look into the headers of MIME parts: RFC 6858 2 leaves them, they are body to an old client.
 * Trap: a field is only known to be over when the next line does not begin with white space. */
#include "mime/surrogate.h"

#include "base/memory.h"
#include "base/span.h"
#include "codec/base64.h"
#include "codec/utf8.h"

/* a longer field is dropped when it has 8-bit octets, passed on as it comes when it has none */
#define FIELD_MAX 65536
/* octets of UTF-8 in one encoded word: 45 make 60 of base64, and =?UTF-8?B? ?= 12 more; at most 75 */
#define WORD_OCTETS 45

struct surrogate {
    const struct postern_allocator *allocator;
    struct buffer field; /* the lines of the field so far */
    bool line_start;     /* the next octet begins a line */
    bool in_body;
    bool dropping; /* the field is over its size and has 8-bit: swallow it */
    bool passing;  /* the field is over its size and is plain: pass it on */
};

int surrogate_new(struct surrogate **surrogate_r, const struct postern_allocator *allocator)
{
    struct surrogate *s = memory_new(allocator, sizeof *s);

    if (!s)
        return POSTERN_E_NOMEM;
    *s = (struct surrogate){.allocator = allocator, .field.allocator = allocator, .line_start = true};
    *surrogate_r = s;
    return 0;
}

void surrogate_free(struct surrogate **surrogate)
{
    struct surrogate *s = surrogate ? *surrogate : NULL;

    if (!s)
        return;
    buffer_done(&s->field);
    memory_free(s->allocator, s);
    *surrogate = NULL;
}

static bool is_address_field(struct postern_span name)
{
    static const char *const names[] = {"From", "To", "Cc", "Bcc", "Reply-To", "Sender", "Return-Path",
                                        "Resent-From", "Resent-To", "Resent-Cc", "Resent-Bcc",
                                        "Resent-Reply-To", "Resent-Sender"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (span_equal_nocase(name, postern_span_of(names[i])))
            return true;
    return false;
}

/* encode_words - text as RFC 2047 words, folded; broken UTF-8 becomes question marks. */
static void encode_words(struct postern_span text, struct buffer *out)
{
    bool first = true;

    while (text.n) {
        size_t n = text.n < WORD_OCTETS ? text.n : WORD_OCTETS;

        /* never cut inside a character (RFC 2047 5) */
        while (n < text.n && n > 1 && ((unsigned char)text.p[n] & 0xc0) == 0x80)
            n--;
        buffer_append_text(out, first ? " =?UTF-8?B?" : "\r\n =?UTF-8?B?");
        base64_encode(span_make(text.p, n), out);
        buffer_append_text(out, "?=");
        text = span_from(text, n);
        first = false;
    }
}

static void subject(struct postern_span value, struct arena *arena, struct buffer *out)
{
    char *flat = arena_alloc(arena, value.n + 1);
    size_t n = 0;

    if (!flat) {
        out->error = POSTERN_E_NOMEM;
        return;
    }
    for (size_t i = 0; i < value.n; i++)
        if (value.p[i] != '\r' && value.p[i] != '\n')
            flat[n++] = value.p[i];
    buffer_append_text(out, "Subject:");
    if (utf8_is_valid(span_make(flat, n)))
        encode_words(span_trim(span_make(flat, n)), out);
    else
        buffer_append_text(out, " (unreadable)");
    buffer_append_text(out, "\r\n");
}

/* replace_field - what stands for a field with raw 8-bit octets. */
static int replace_field(struct surrogate *s, struct postern_span field, struct buffer *out)
{
    struct arena arena = {.allocator = s->allocator};
    struct postern_span value = field, name = span_trim(span_cut(&value, ':'));

    if (is_address_field(name)) {
        buffer_append(out, name);
        buffer_append_text(out, ": \"Internationalized address\" <invalid@internationalized-address.invalid>\r\n");
    } else if (span_equal_nocase(name, SPAN("Subject"))) {
        subject(value, &arena, out);
    }
    arena_drop(&arena);
    return out->error;
}

/* without_bad_parameters - a Content-* field keeps its value and those parameters that are ASCII (R92). */
static void without_bad_parameters(struct postern_span field, struct buffer *out)
{
    struct postern_span rest = field;
    bool first = true;

    while (rest.p) {
        struct postern_span part = span_cut(&rest, ';');

        while (part.n && (part.p[part.n - 1] == '\n' || part.p[part.n - 1] == '\r'))
            part.n--;
        if (!utf8_is_ascii(part))
            continue;
        if (!first)
            buffer_append_char(out, ';');
        buffer_append(out, part);
        first = false;
    }
    buffer_append_text(out, "\r\n");
}

static bool has_presentable_value(struct postern_span field)
{
    return span_begins_nocase(field, SPAN("Content-")) && utf8_is_ascii(span_cut(&field, ';'));
}

static int end_field(struct surrogate *s, struct buffer *out)
{
    struct postern_span field = buffer_span(&s->field);
    int err = 0;

    if (utf8_is_ascii(field))
        buffer_append(out, field);
    else if (has_presentable_value(field))
        without_bad_parameters(field, out);
    else
        err = replace_field(s, field, out);
    buffer_take(&s->field, field.n);
    s->dropping = s->passing = false;
    return err ? err : out->error;
}

/* overlong_field - the field has outgrown its bound: decide once, then swallow or pass on the rest. */
static void overlong_field(struct surrogate *s, struct buffer *out)
{
    struct postern_span field = buffer_span(&s->field);

    if (!s->passing && !utf8_is_ascii(field))
        s->dropping = true;
    else
        s->passing = true;
    if (s->passing && utf8_is_ascii(field))
        buffer_append(out, field);
    buffer_take(&s->field, field.n);
}

/* header_line - take one line, or the part of one that is there; returns how many octets it took. */
static size_t header_line(struct surrogate *s, struct postern_span in)
{
    size_t at = span_find(in, '\n');
    size_t n = at < in.n ? at + 1 : in.n;

    if (!s->dropping)
        buffer_append(&s->field, span_make(in.p, n));
    s->line_start = at < in.n;
    return n;
}

/* is_blank - whether the collected bytes are the line that ends the header. */
static bool is_blank(struct postern_span line)
{
    return span_equal(line, SPAN("\n")) || span_equal(line, SPAN("\r\n"));
}

int surrogate_feed(struct surrogate *s, struct postern_span in, struct buffer *out)
{
    while (in.n && !s->in_body) {
        bool continues = in.p[0] == ' ' || in.p[0] == '\t';
        bool had_field = buffer_length(&s->field) || s->dropping || s->passing;

        if (s->line_start && had_field && !continues) {
            int err = end_field(s, out);

            if (err < 0)
                return err;
        }
        in = span_from(in, header_line(s, in));
        if (s->line_start && is_blank(buffer_span(&s->field)))
            s->in_body = true;
        else if (buffer_length(&s->field) > FIELD_MAX || s->passing)
            overlong_field(s, out);
        if (s->field.error)
            return s->field.error;
    }
    if (s->in_body && buffer_length(&s->field)) {
        buffer_append(out, buffer_span(&s->field));
        buffer_done(&s->field);
    }
    buffer_append(out, in);
    return out->error;
}

int surrogate_finish(struct surrogate *s, struct buffer *out)
{
    return s->in_body ? out->error : end_field(s, out);
}
