/* SPDX-License-Identifier: MIT */
/* list - the words of lists. */
#include "mime/list.h"

#include "base/eight.h"
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

/* is_plain - none of the eight octets is of a kind. */
static bool is_plain(uint64_t octets)
{
    return !eight_has_8bit(octets) && !eight_has_below(octets, ' ') && !eight_has(octets, 127) &&
           !eight_has(octets, '"') && !eight_has(octets, '\\');
}

/* kinds_of - what is plain at the beginning, mostly all of it, is passed over in steps of eight; of
 * the last step some may be seen twice. */
static unsigned kinds_of(struct postern_span text)
{
    unsigned kinds = 0;
    size_t i = 0;

    while (i + 8 <= text.n && is_plain(eight_at(text.p + i)))
        i += 8;
    if (i && text.n - i < 8 && is_plain(eight_at(text.p + text.n - 8)))
        return 0;
    for (; i < text.n; i++)
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

/* write_quoted - room is asked for once, since most texts are short; each octet may take two. */
static void write_quoted(struct list *list, struct postern_span text, unsigned kinds)
{
    size_t n = 0;
    char *room = buffer_room(list->out, (kinds & HAS_ESCAPED ? 2 : 1) * text.n + 2);

    if (!room)
        return;
    room[n++] = '"';
    if (text.n && !(kinds & HAS_ESCAPED)) {
        memcpy(room + n, text.p, text.n);
        n += text.n;
    }
    for (size_t i = 0; kinds & HAS_ESCAPED && i < text.n; i++) {
        if (kind_of((unsigned char)text.p[i]) & HAS_ESCAPED)
            room[n++] = '\\';
        room[n++] = text.p[i];
    }
    room[n++] = '"';
    buffer_commit(list->out, n);
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
