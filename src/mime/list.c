/* SPDX-License-Identifier: MIT */
/* list - the words of lists. */
#include "mime/list.h"

#include "codec/base64.h"
#include "codec/utf8.h"

#define QUOTED_MAX 1000

/* What a text has in it. */
enum { HAS_ESCAPED = 1, HAS_CONTROL = 2, HAS_NUL = 4, HAS_8BIT = 8 };

static unsigned kind_of(unsigned char c)
{
    if (c > 127)
        return HAS_8BIT;
    if (c == '\0')
        return HAS_NUL | HAS_CONTROL;
    if (c < ' ' || c == 127)
        return HAS_CONTROL;
    return c == '"' || c == '\\' ? HAS_ESCAPED : 0;
}

static unsigned kinds_of(struct postern_span text)
{
    unsigned kinds = 0;

    for (size_t i = 0; i < text.n; i++)
        kinds |= kind_of((unsigned char)text.p[i]);
    return kinds;
}

void list_number(struct list *list, uint64_t number)
{
    buffer_append_number(list->out, number);
}

/* I 4.3-9 */
static void write_literal(struct list *list, struct postern_span text)
{
    buffer_append_char(list->out, '{');
    list_number(list, text.n);
    list_text(list, "}\r\n");
    buffer_append(list->out, text);
}

/* may_tell_8bit - none, or such as may be told raw. */
static bool may_tell_8bit(struct list *list, struct postern_span text, unsigned kinds)
{
    if (!(kinds & HAS_8BIT))
        return true;
    list->differs = true;
    return list->utf8 && utf8_is_valid(text);
}

static void write_quoted(struct list *list, struct postern_span text, unsigned kinds)
{
    buffer_append_char(list->out, '"');
    if (!(kinds & HAS_ESCAPED))
        buffer_append(list->out, text);
    for (size_t i = 0; kinds & HAS_ESCAPED && i < text.n; i++) {
        if (kind_of((unsigned char)text.p[i]) & HAS_ESCAPED)
            buffer_append_char(list->out, '\\');
        buffer_append_char(list->out, text.p[i]);
    }
    buffer_append_char(list->out, '"');
}

static void write_known(struct list *list, struct postern_span text, unsigned kinds)
{
    if (text.n > QUOTED_MAX || kinds & HAS_CONTROL || !may_tell_8bit(list, text, kinds))
        write_literal(list, text);
    else
        write_quoted(list, text, kinds);
}

void list_string(struct list *list, struct postern_span text)
{
    write_known(list, text, kinds_of(text));
}

/* I 4.5-2 */
void list_nstring(struct list *list, struct postern_span text)
{
    if (text.p)
        list_string(list, text);
    else
        list_text(list, "NIL");
}

void list_header(struct list *list, struct postern_span text)
{
    struct buffer word = {.allocator = list->out->allocator, .plain = true};
    unsigned kinds = text.p ? kinds_of(text) : 0;

    if (!text.p) {
        list_text(list, "NIL");
        return;
    }
    if (!(kinds & HAS_NUL) && may_tell_8bit(list, text, kinds)) {
        write_known(list, text, kinds);
        return;
    }
    buffer_append_text(&word, utf8_is_valid(text) ? "=?utf-8?b?" : "=?unknown-8bit?b?");
    base64_encode(text, &word);
    buffer_append_text(&word, "?=");
    if (word.error)
        list->out->error = word.error;
    list_string(list, buffer_span(&word));
    buffer_done(&word);
}
