/* SPDX-License-Identifier: MIT */
/* write - the words of responses (RFC 9051 9), appended to the output. What a quoted string cannot
 * hold becomes a literal. */
#include "codec/base64.h"
#include "codec/utf7.h"
#include "codec/utf8.h"
#include "proto/imap/session.h"
#include "proto/wire/date.h"

void write_span(struct postern_imap *s, struct postern_span text)
{
    buffer_append(&s->out, text);
}

void write_number(struct postern_imap *s, uint64_t number)
{
    buffer_append_number(&s->out, number);
}

/* fits_quotes - 1 as it is, 2 with "\" before some, 0 not at all. */
static int fits_quotes(struct postern_span text, bool utf8)
{
    int fits = 1;

    if (text.n > 1000)
        return 0;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];

        if (c == '"' || c == '\\')
            fits = 2;
        else if (c < ' ' || c == 127 || (c > 127 && !utf8))
            return 0;
    }
    return fits;
}

/* I 4.3-9 */
static void write_literal(struct postern_imap *s, struct postern_span text)
{
    buffer_append_char(&s->out, '{');
    write_number(s, text.n);
    write_text(s, "}\r\n");
    write_span(s, text);
}

void write_string(struct postern_imap *s, struct postern_span text)
{
    bool utf8 = (s->utf8 || s->rev2) && utf8_is_valid(text);
    int fits = fits_quotes(text, utf8);

    if (!fits) {
        write_literal(s, text);
        return;
    }
    buffer_append_char(&s->out, '"');
    if (fits == 1)
        write_span(s, text);
    for (size_t i = 0; fits == 2 && i < text.n; i++) {
        if (text.p[i] == '"' || text.p[i] == '\\')
            buffer_append_char(&s->out, '\\');
        buffer_append_char(&s->out, text.p[i]);
    }
    buffer_append_char(&s->out, '"');
}

/* I 4.5-2 */
void write_nstring(struct postern_imap *s, struct postern_span text)
{
    if (text.p)
        write_string(s, text);
    else
        write_text(s, "NIL");
}

void write_header(struct postern_imap *s, struct postern_span text)
{
    struct buffer word = {.allocator = s->o.allocator};

    if (!text.p || (!memchr(text.p, '\0', text.n) &&
                    (utf8_is_ascii(text) || ((s->utf8 || s->rev2) && utf8_is_valid(text))))) {
        write_nstring(s, text);
        return;
    }
    buffer_append_text(&word, utf8_is_valid(text) ? "=?utf-8?b?" : "=?unknown-8bit?b?");
    base64_encode(text, &word);
    buffer_append_text(&word, "?=");
    if (word.error)
        imap_no_memory(s);
    write_string(s, buffer_span(&word));
    buffer_done(&word);
}

/* I 5.1-6 I 7.2.2-2 I 7.3.1-1 */
void write_mailbox(struct postern_imap *s, struct postern_span name)
{
    struct buffer text = {.allocator = s->o.allocator};

    if (s->rev2 || s->utf8) {
        write_string(s, name);
        return;
    }
    if (utf7_encode(name, "", &text) < 0)
        imap_no_memory(s);
    write_string(s, text.data ? buffer_span(&text) : SPAN(""));
    buffer_done(&text);
}

void write_flags(struct postern_imap *s, uint32_t flags, uint64_t keywords, bool recent)
{
    static const char *const names[] = {"\\Seen", "\\Answered", "\\Flagged", "\\Deleted",
                                        "\\Draft"};
    const char *space = "";

    buffer_append_char(&s->out, '(');
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (flags >> i & 1) {
            write_text(s, space);
            write_text(s, names[i]);
            space = " ";
        }
    if (recent) {
        write_text(s, space);
        write_text(s, "\\Recent");
        space = " ";
    }
    for (unsigned i = 0; keywords && i < s->keyword_count; i++)
        if (keywords >> i & 1) {
            write_text(s, space);
            write_text(s, s->keywords[i]);
            space = " ";
        }
    buffer_append_char(&s->out, ')');
}

void write_ranges(struct postern_imap *s, const struct postern_uid_range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i)
            buffer_append_char(&s->out, ',');
        write_number(s, ranges[i].first);
        if (ranges[i].last > ranges[i].first) {
            buffer_append_char(&s->out, ':');
            write_number(s, ranges[i].last);
        }
    }
}

/* I 7.1-2
 * I 5267:3.2-1 */
void write_uids(struct postern_imap *s, const uint32_t *uids, size_t count)
{
    for (size_t i = 0; i < count;) {
        size_t end = i + 1;
        struct postern_uid_range range;

        while (end < count && uids[end] == uids[end - 1] + 1)
            end++;
        range = (struct postern_uid_range){uids[i], uids[end - 1]};
        if (i)
            buffer_append_char(&s->out, ',');
        write_ranges(s, &range, 1);
        i = end;
    }
}

/* I 2.3.3-1 */
void write_date_time(struct postern_imap *s, int64_t seconds)
{
    struct date date = date_of(seconds);

    write_text(s, date.day < 10 ? "\" " : "\"");
    write_number(s, date.day);
    write_text(s, "-");
    write_text(s, date_months[date.month - 1]);
    write_text(s, "-");
    date_write_digits(&s->out, (unsigned)date.year, 4);
    write_text(s, " ");
    date_write_digits(&s->out, date.hour, 2);
    write_text(s, ":");
    date_write_digits(&s->out, date.minute, 2);
    write_text(s, ":");
    date_write_digits(&s->out, date.second, 2);
    write_text(s, " +0000\"");
}
