/* SPDX-License-Identifier: MIT */
/* input - octets become whole commands: lines, and literals in them (RFC 9051 4.3, RFC 7888).
 * A command is kept as it came, "{5}" and its five octets included, until it is parsed; the octets
 * of a message go to the application instead. Memory follows what came, never what was announced.
 * TRAP: a literal that was refused but needs no consent ("{9+}") comes all the same: it is
 * swallowed with the rest of its command, or it would be read as commands. */
#include "proto/imap/session.h"

#define DIGITS_MAX 20

void imap_input_reset(struct postern_imap *s)
{
    buffer_done(&s->input.text);
    s->input.state = INPUT_LINE;
    s->input.left = 0;
    s->input.drop = false;
}

void imap_input_clear(struct postern_imap *s)
{
    buffer_take(&s->input.text, buffer_length(&s->input.text));
    s->input.line_at = 0;
}

struct announced {
    uint64_t size;
    bool is_literal, waits, binary; /* waits: for "+" */
    struct postern_span before;     /* the text up to it */
};

/* find_literal - "{12}", "{12+}", "~{12}" at the end of a line. I 4.3-8 */
static struct announced find_literal(struct postern_span line)
{
    struct announced found = {.waits = true};
    size_t end = line.n, digits;

    if (!end || line.p[end - 1] != '}')
        return found;
    end--;
    if (end && line.p[end - 1] == '+') {
        found.waits = false;
        end--;
    }
    digits = end;
    while (digits && line.p[digits - 1] >= '0' && line.p[digits - 1] <= '9')
        digits--;
    if (digits == end || digits == 0 || line.p[digits - 1] != '{')
        return found;
    found.is_literal = true;
    if (!span_number(span_make(line.p + digits, end - digits), UINT64_MAX / 2, &found.size))
        found.size = UINT64_MAX / 2;
    digits--;
    found.binary = digits && line.p[digits - 1] == '~';
    found.before = span_make(line.p, digits - found.binary);
    return found;
}

/* I 7162:4-1
 * I 2971:3.3-1 */
static size_t text_max(const struct postern_imap *s)
{
    return s->state & (POSTERN_IMAP_AUTHENTICATED | POSTERN_IMAP_SELECTED)
               ? s->o.command_max
               : s->o.command_before_login_max;
}

/* I 4.3-7 */
void imap_input_swallow(struct postern_imap *s, uint64_t size)
{
    s->input.drop = true;
    s->input.state = size ? INPUT_SWALLOW : INPUT_LINE;
    s->input.left = size;
}

/* refuse_literal - it is too long for a command. I 2.2.1-3, I 7.6-2
 * I 7888:3-3 I 7888:4-1 */
static void refuse_literal(struct postern_imap *s, const struct announced *found)
{
    bool by_uid;
    struct postern_span rest;

    (void)imap_verb(buffer_span(&s->input.text), &s->tag, &rest, &by_uid);
    if (arena_copy(&s->arena, s->tag, &s->tag) < 0)
        imap_no_memory(s);
    if (!found->waits)
        imap_input_swallow(s, found->size);
    imap_bad_code(s, "TOOBIG", "literal too long");
}

/* I 4.3-6, I 7.6-1 I 5.5-2 I 7.5.1-4
 * I 7888:3-1 I 7888:3-2 */
static void take_literal(struct postern_imap *s, const struct announced *found)
{
    size_t have = buffer_length(&s->input.text);

    if (s->input.drop) {
        if (found->waits) /* nobody consents to it */
            imap_write_result(s);
        else
            imap_input_swallow(s, found->size);
    } else if (imap_append_is_next(s, found->before)) {
        imap_append_message(s, found->before, found->size, found->waits, found->binary);
    } else if (found->size > text_max(s) - have) {
        refuse_literal(s, found);
    } else {
        if (found->waits)
            buffer_append_text(&s->out, "+ OK\r\n");
        s->input.left = found->size;
        s->input.state = found->size ? INPUT_LITERAL : INPUT_LINE;
        s->input.line_at = have;
    }
}

static struct postern_span without_end(struct postern_span line)
{
    line.n -= line.n && line.p[line.n - 1] == '\n';
    line.n -= line.n && line.p[line.n - 1] == '\r';
    return line;
}

/* line_over - the line that began at line_at is whole. I 6.2.2-9, I 7.6-3 I 5.4-2 */
static void line_over(struct postern_imap *s)
{
    struct postern_span text = buffer_span(&s->input.text);
    struct postern_span line = without_end(span_from(text, s->input.line_at));
    struct announced found;

    s->last = s->now; /* a whole line moves the idle timer, single octets do not */
    if (s->sasl || s->idling) {
        if (s->sasl)
            imap_sasl_line(s, line);
        else
            imap_idle_line(s, line);
        imap_input_clear(s);
        return;
    }
    found = find_literal(line);
    if (found.is_literal) {
        found.before = span_make(text.p, (size_t)(found.before.p - text.p) + found.before.n);
        take_literal(s, &found);
    } else if (s->input.drop) {
        imap_write_result(s);
    } else {
        imap_command(s, without_end(text));
    }
}

/* I 2.2-1 */
static size_t feed_line(struct postern_imap *s, struct postern_span in)
{
    size_t n = span_find(in, '\n'), whole = n < in.n ? n + 1 : in.n;
    size_t have = buffer_length(&s->input.text);

    if (s->input.drop && have > 64 && n == in.n)
        buffer_take(&s->input.text, have - 64), s->input.line_at = 0;
    else if (have + whole > text_max(s) + 2) {
        buffer_append_text(&s->out, "* BYE [TOOBIG] command too long\r\n");
        imap_over(s);
        return in.n;
    }
    if (have == 0)
        s->input.line_at = 0;
    buffer_append(&s->input.text, span_make(in.p, whole));
    if (n < in.n && !s->input.text.error)
        line_over(s);
    return whole;
}

size_t imap_input_feed(struct postern_imap *s, struct postern_span in)
{
    struct imap_input *input = &s->input;
    size_t n = input->left < in.n ? (size_t)input->left : in.n;

    switch (input->state) {
    case INPUT_LITERAL:
        buffer_append(&input->text, span_make(in.p, n));
        break;
    case INPUT_MESSAGE:
        return imap_append_octets(s, in);
    case INPUT_SWALLOW:
        break;
    default:
        return feed_line(s, in);
    }
    input->left -= n;
    if (input->left == 0) {
        input->state = INPUT_LINE;
        input->line_at = buffer_length(&input->text);
    }
    return n;
}
