/* SPDX-License-Identifier: MIT */
/* write - the words of responses (RFC 9051 9), appended to the output. */
#include "codec/utf7.h"
#include "proto/imap/session.h"
#include "codec/date.h"

void write_span(struct postern_imap *s, struct postern_span text)
{
    buffer_append(&s->out, text);
}

void write_number(struct postern_imap *s, uint64_t number)
{
    buffer_append_number(&s->out, number);
}

/* I 6855:3-6 */
struct list write_list(struct postern_imap *s)
{
    return (struct list){.out = &s->out, .utf8 = s->utf8 || s->rev2, .rev2 = s->rev2};
}

void write_string(struct postern_imap *s, struct postern_span text)
{
    struct list list = write_list(s);

    list_string(&list, text);
}

/* I 4.5-2 */
void write_nstring(struct postern_imap *s, struct postern_span text)
{
    struct list list = write_list(s);

    list_nstring(&list, text);
}

void write_attribute(struct postern_imap *s, const char **space, const char *name)
{
    write_text(s, *space);
    write_text(s, name);
    *space = " ";
}

/* I 5.1-6 I 7.2.2-2 I 7.3.1-1
 * I 6855:3-1 I 6855:3-2 */
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
static void put_digits(char *at, unsigned number, unsigned digits)
{
    for (; digits-- > 0; number /= 10)
        at[digits] = (char)('0' + number % 10);
}

/* write_date_time - asked for each message of a list: put together in place. */
void write_date_time(struct postern_imap *s, int64_t seconds)
{
    char text[] = "\"dd-mmm-yyyy hh:mm:ss +0000\"";
    struct date date = date_of(seconds);

    put_digits(text + 1, date.day, 2);
    if (date.day < 10)
        text[1] = ' ';
    memcpy(text + 4, date_months[date.month - 1], 3);
    put_digits(text + 8, (unsigned)date.year, 4);
    put_digits(text + 13, date.hour, 2);
    put_digits(text + 16, date.minute, 2);
    put_digits(text + 19, date.second, 2);
    write_span(s, SPAN(text));
}
