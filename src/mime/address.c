/* SPDX-License-Identifier: MIT */
/* address - address lists, one item at a time. An item is read word by word up to a comma,
 * semicolon or colon outside of quotes, comments and angle brackets; what stood there decides what
 * it is. The first three quarters of the caller's buffer take the words, the rest the last comment.
 */
#include "base/span.h"
#include <postern/mime.h>

struct reader {
    struct postern_span rest;
    char *out, *end;
    char *comment;
    size_t comment_n, comment_max;
};

static char peek(const struct reader *reader)
{
    return reader->rest.n ? reader->rest.p[0] : '\0';
}

static void step(struct reader *reader)
{
    reader->rest = span_from(reader->rest, 1);
}

static void put(struct reader *reader, char c)
{
    if (reader->out < reader->end)
        *reader->out++ = c;
}

/* What an octet may mean, at all or within quotes. */
enum { MEANS = 1, MEANS_QUOTED = 2 };
static const unsigned char meanings[256] = {
    ['\t'] = MEANS, ['\n'] = MEANS, ['\r'] = MEANS,
    [' '] = MEANS,  ['('] = MEANS,  ['"'] = MEANS | MEANS_QUOTED,
    [','] = MEANS,  [':'] = MEANS,  [';'] = MEANS,
    ['<'] = MEANS,  ['>'] = MEANS,  ['\\'] = MEANS_QUOTED};

/* put_run - an octet that has no meaning here, and those behind it that have none anywhere. */
static void put_run(struct reader *reader, unsigned meaning)
{
    size_t n = 1, room = (size_t)(reader->end - reader->out);

    while (n < reader->rest.n && !(meanings[(unsigned char)reader->rest.p[n]] & meaning))
        n++;
    memcpy(reader->out, reader->rest.p, n < room ? n : room);
    reader->out += n < room ? n : room;
    reader->rest = span_from(reader->rest, n);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* is_stop - one of them, all of which have a meaning; a NUL octet is none. */
static bool is_stop(const char *stops, char c)
{
    return meanings[(unsigned char)c] & MEANS && strchr(stops, c);
}

static void put_comment(struct reader *reader, char c)
{
    if (reader->comment_n < reader->comment_max)
        reader->comment[reader->comment_n++] = c;
}

/* take_comment - they nest without recursion. */
static void take_comment(struct reader *reader)
{
    unsigned depth = 0;

    reader->comment_n = 0;
    for (; reader->rest.n; step(reader)) {
        char c = peek(reader);

        if (c == ')' && --depth == 0)
            break;
        if (c == '(' && depth++ == 0)
            continue;
        if (c == '\\' && reader->rest.n > 1) {
            step(reader);
            c = peek(reader);
        }
        put_comment(reader, c);
    }
    step(reader);
}

static void take_quoted(struct reader *reader)
{
    step(reader);
    while (reader->rest.n && peek(reader) != '"') {
        if (peek(reader) == '\\' && reader->rest.n > 1)
            step(reader);
        put_run(reader, MEANS_QUOTED);
    }
    step(reader);
}

/* take_until - what stands before one of the stops, unquoted, without comments; spaces: words apart
 * by one, but none around "@" (RFC 5322 3.4.1: there it belongs to neither side), else none. */
static struct postern_span take_until(struct reader *reader, const char *stops, bool spaces)
{
    const char *begin = reader->out;
    bool space = false;

    while (reader->rest.n && !is_stop(stops, peek(reader))) {
        char c = peek(reader);

        if (is_space(c) || c == '(') {
            space = true;
            if (c == '(')
                take_comment(reader);
            else
                step(reader);
            continue;
        }
        if (space && spaces && reader->out != begin && c != '@' && reader->out[-1] != '@')
            put(reader, ' ');
        space = false;
        if (c == '"')
            take_quoted(reader);
        else
            put_run(reader, MEANS);
    }
    return span_make(begin, (size_t)(reader->out - begin));
}

/* split - "local@host", at the last '@'. */
static void split(struct postern_span words, struct postern_mime_address *address)
{
    size_t at = words.n;

    while (at && words.p[at - 1] != '@')
        at--;
    address->mailbox = at ? span_make(words.p, at - 1) : words;
    if (at)
        address->host = span_from(words, at);
}

/* take_angle - "<[route:]local@host>". */
static void take_angle(struct reader *reader, struct postern_mime_address *address)
{
    struct postern_span words;

    step(reader);
    words = take_until(reader, ":>", false);
    if (peek(reader) == ':' && words.n && words.p[0] == '@') {
        address->route = words;
        step(reader);
        words = take_until(reader, ">", false);
    } else if (peek(reader) == ':') {
        const char *begin = words.p;

        put(reader, ':');
        step(reader);
        take_until(reader, ">", false);
        words = span_make(begin, (size_t)(reader->out - begin));
    }
    step(reader);
    split(words, address);
}

static bool is_address(const struct postern_mime_address *address)
{
    return address->mailbox.n || address->host.n;
}

/* take_item - 1 an address or the beginning of a group, 0 nothing stood there. */
static int take_item(struct reader *reader, bool in_group, struct postern_mime_address *address)
{
    struct postern_span words;

    reader->comment_n = 0;
    words = take_until(reader, in_group ? ",;<" : ",;<:", true);
    if (peek(reader) == ':') {
        step(reader);
        address->kind = POSTERN_MIME_ADDRESS_GROUP_BEGIN;
        address->name = words;
        return 1;
    }
    if (peek(reader) == '<') {
        if (words.n)
            address->name = words;
        take_angle(reader, address);
        take_until(reader, ",;", true); /* nothing should stand there */
    } else {
        split(words, address);
    }
    if (!address->name.n && reader->comment_n)
        address->name = span_trim(span_make(reader->comment, reader->comment_n));
    return is_address(address);
}

int postern_mime_address(struct postern_span *rest, bool *in_group,
                         struct postern_mime_address *address_r, char *buffer, size_t size)
{
    struct reader reader = {.rest = *rest,
                            .end = buffer + size / 4 * 3,
                            .comment = buffer + size / 4 * 3,
                            .comment_max = size / 4};
    int found = 0;

    while (!found && reader.rest.n) {
        char c = peek(&reader);

        *address_r = (struct postern_mime_address){0};
        reader.out = buffer;
        if (c == ';' && *in_group) {
            step(&reader);
            *in_group = false;
            address_r->kind = POSTERN_MIME_ADDRESS_GROUP_END;
            found = 1;
        } else if (c == ',' || c == ';' || is_space(c)) {
            step(&reader);
        } else {
            found = take_item(&reader, *in_group, address_r);
            if (address_r->kind == POSTERN_MIME_ADDRESS_GROUP_BEGIN)
                *in_group = true;
        }
    }
    *rest = reader.rest;
    if (!found && *in_group) { /* a group that is not ended ends with the list */
        *in_group = false;
        *address_r = (struct postern_mime_address){.kind = POSTERN_MIME_ADDRESS_GROUP_END};
        found = 1;
    }
    return found;
}
