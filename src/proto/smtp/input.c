/* SPDX-License-Identifier: MIT */
/* input - octets become command lines, or go to the message that is under way.
 * TRAP: only CRLF ends a command. A LF alone does, for the sake of old programs, where nothing
 * stands behind it yet: what is hidden behind one can not become a command of its own (B1). */
#include "proto/smtp/session.h"

/* B5 B7 */
#define COMMAND_OCTETS 2048
#define AUTH_OCTETS 12290 /* RFC 4954 4 */
#define ENDLESS_OCTETS 65536
#define TOO_LONG_MAX 3

static size_t line_limit(const struct postern_smtp *s, struct postern_span in)
{
    struct postern_span held = buffer_span(&s->line.partial);
    char verb[5];
    size_t n = held.n < sizeof verb ? held.n : sizeof verb;
    size_t more = in.n < sizeof verb - n ? in.n : sizeof verb - n;

    if (n)
        memcpy(verb, held.p, n);
    memcpy(verb + n, in.p, more);
    return s->sasl || span_equal_nocase(span_make(verb, n + more), SPAN("AUTH ")) ? AUTH_OCTETS
                                                                                  : COMMAND_OCTETS;
}

/* bare_end - (B6) a LF without CR that ends the command: its offset, or in.n. */
static size_t bare_end(const struct postern_smtp *s, struct postern_span in)
{
    size_t lf = span_find(in, '\n');

    if (lf == in.n || s->o.newline == POSTERN_SMTP_REJECT ||
        (lf ? in.p[lf - 1] == '\r' : s->line.after_cr))
        return in.n;
    return s->o.newline == POSTERN_SMTP_LEGACY || lf + 1 == in.n ? lf : in.n;
}

static void too_long(struct postern_smtp *s)
{
    s->line_octets = 0;
    if (++s->too_long >= TOO_LONG_MAX)
        smtp_end(s, "4.7.0", "too many lines that are too long");
    else if (s->sasl)
        smtp_sasl_line(s, (struct postern_span){NULL, 0});
    else
        smtp_refuse(s, 500, "5.5.6", "line too long");
}

static void line_over(struct postern_smtp *s, struct postern_span line)
{
    struct postern_span copy;

    s->line_octets = 0;
    s->last = s->now;
    if (arena_copy(&s->arena, line, &copy) < 0) {
        smtp_no_memory(s);
        return;
    }
    line_release(&s->line);
    if (s->sasl)
        smtp_sasl_line(s, copy.p ? copy : SPAN(""));
    else
        smtp_command(s, copy);
}

static size_t feed_line(struct postern_smtp *s, struct postern_span in)
{
    size_t bare = bare_end(s, in), used = 0, ignored;
    struct postern_span line;
    int event;

    if (s->line_octets == 0)
        s->line_began = s->now;
    if (bare < in.n) {
        event = line_feed(&s->line, span_make(in.p, bare), line_limit(s, in), &used, &line);
        if (event == LINE_MORE)
            event = line_feed(&s->line, SPAN("\r\n"), AUTH_OCTETS + 2, &ignored, &line);
        used = bare + 1;
    } else {
        event = line_feed(&s->line, in, line_limit(s, in), &used, &line);
    }
    s->line_octets += used;
    if (event < 0)
        smtp_no_memory(s);
    else if (event == LINE_READY)
        line_over(s, line);
    else if (event == LINE_TOO_LONG)
        too_long(s);
    else if (s->line_octets > ENDLESS_OCTETS)
        smtp_end(s, "4.7.0", "a line without an end");
    return used;
}

size_t smtp_input_feed(struct postern_smtp *s, struct postern_span in)
{
    if (s->state == POSTERN_SMTP_CONTENT)
        return smtp_content_feed(s, in);
    /* I6: no line is looked for */
    if (s->chunk.left)
        return smtp_content_octets(s, in);
    if (s->state == POSTERN_SMTP_CONNECTED && !s->line_octets && in.p[0] == 0x16) { /* A6 */
        smtp_reply(s, 554, "5.5.0", "TLS on a plaintext port");
        smtp_over(s);
        return in.n;
    }
    return feed_line(s, in);
}
