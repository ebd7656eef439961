/* SPDX-License-Identifier: MIT */
/* path - addresses of MAIL and RCPT: read from left to right, once.
 * TRAP: a quoted local part may have ">", "@" and spaces in it (E4); the end of a path is where the
 * grammar says, not the first ">". */
#include "proto/smtp/path.h"

#include "base/span.h"
#include "codec/utf8.h"

/* E1 E2 */
#define LOCAL_MAX 64
#define LOCAL_LENIENT_MAX 255
#define DOMAIN_MAX 255
#define LABEL_MAX 63
#define PATH_MAX_OCTETS 256

/* struct cursor - where reading stands. */
struct cursor {
    struct postern_span rest;
    bool strict;
    enum path_fault fault;
};

static bool at(const struct cursor *in, char c)
{
    return in->rest.n && in->rest.p[0] == c;
}

static bool take(struct cursor *in, char c)
{
    if (!at(in, c))
        return false;
    in->rest = span_from(in->rest, 1);
    return true;
}

static void fail(struct cursor *in, enum path_fault fault)
{
    if (in->fault == PATH_GOOD)
        in->fault = fault;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alphanumeric(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80);
}

static bool is_atext(char c)
{
    return is_alphanumeric(c) || (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

/* ---- domains --------------------------------------------------------------------------------- */

/* four_numbers - 192.0.2.1, each without leading zeros; the rest must be empty. */
static bool four_numbers(struct postern_span text)
{
    unsigned parts = 0;

    while (text.p) {
        struct postern_span part = span_cut(&text, '.');
        uint64_t number;

        if (!span_number(part, 255, &number) || (part.n > 1 && part.p[0] == '0') || ++parts > 4)
            return false;
    }
    return parts == 4;
}

static bool is_group(struct postern_span group)
{
    if (group.n < 1 || group.n > 4)
        return false;
    for (size_t i = 0; i < group.n; i++)
        if (!is_digit(group.p[i]) && !strchr("abcdef", ascii_lower(group.p[i])))
            return false;
    return true;
}

/* count_groups - of one side of "::"; SIZE_MAX: it is none. The last may be four numbers. */
static size_t count_groups(struct postern_span side, bool is_last)
{
    size_t count = 0;

    if (!side.n)
        return 0;
    while (side.p) {
        struct postern_span group = span_cut(&side, ':');

        if (!side.p && is_last && span_find(group, '.') < group.n) {
            if (!four_numbers(group))
                return SIZE_MAX;
            return count + 2;
        }
        if (!is_group(group) || ++count > 8)
            return SIZE_MAX;
    }
    return count;
}

static bool is_ipv6(struct postern_span text)
{
    for (size_t i = 0; i + 1 < text.n; i++)
        if (text.p[i] == ':' && text.p[i + 1] == ':') {
            size_t left = count_groups(span_make(text.p, i), false);
            size_t right = count_groups(span_from(text, i + 2), true);

            return left <= 7 && right <= 7 && left + right <= 7;
        }
    return count_groups(text, true) == 8;
}

/* E3 */
static void read_literal(struct cursor *in, struct postern_smtp_path *path)
{
    struct postern_span text = in->rest, inside;
    size_t end = span_find(text, ']');

    if (end == text.n) {
        fail(in, PATH_LITERAL);
        return;
    }
    inside = span_make(text.p + 1, end - 1);
    if (span_begins_nocase(inside, SPAN("IPv6:")) ? !is_ipv6(span_from(inside, 5))
                                                  : !four_numbers(inside))
        fail(in, PATH_LITERAL);
    path->domain = span_make(text.p, end + 1);
    path->literal = true;
    in->rest = span_from(text, end + 1);
}

static void read_label(struct cursor *in)
{
    size_t n = 0;
    const char *p = in->rest.p;

    while (n < in->rest.n && (is_alphanumeric(p[n]) || p[n] == '-' || (p[n] == '_' && !in->strict)))
        n++;
    if (n == 0 || p[0] == '-' || p[n - 1] == '-')
        fail(in, PATH_SYNTAX);
    else if (n > LABEL_MAX)
        fail(in, PATH_TOO_LONG);
    in->rest = span_from(in->rest, n);
}

static void read_domain(struct cursor *in, struct postern_smtp_path *path)
{
    const char *from = in->rest.p;

    if (at(in, '[')) {
        read_literal(in, path);
        return;
    }
    do
        read_label(in);
    while (in->fault == PATH_GOOD && take(in, '.'));
    path->domain = span_make(from, (size_t)(in->rest.p - from));
    if (path->domain.n > DOMAIN_MAX)
        fail(in, PATH_TOO_LONG);
}

/* ---- local parts ----------------------------------------------------------------------------- */

/* read_quoted - behind the first quote. */
static void read_quoted(struct cursor *in, char *local, size_t *n_r)
{
    while (in->rest.n && !at(in, '"')) {
        bool escaped = take(in, '\\');

        if (!in->rest.n)
            break;
        if ((in->rest.p[0] & 0x80) && escaped)
            fail(in, PATH_SYNTAX);
        local[(*n_r)++] = in->rest.p[0];
        in->rest = span_from(in->rest, 1);
    }
    if (!take(in, '"'))
        fail(in, PATH_SYNTAX);
}

/* E5 */
static void read_atoms(struct cursor *in, char *local, size_t *n_r)
{
    const char *from = in->rest.p;
    size_t n = 0;

    while (n < in->rest.n && (is_atext(from[n]) || from[n] == '.'))
        n++;
    if (n == 0)
        fail(in, PATH_SYNTAX);
    for (size_t i = 0; i < n && in->strict; i++)
        if (from[i] == '.' && (i == 0 || i == n - 1 || from[i + 1] == '.'))
            fail(in, PATH_SYNTAX);
    if (n)
        memcpy(local, from, n);
    *n_r = n;
    in->rest = span_from(in->rest, n);
}

static void read_mailbox(struct cursor *in, char *local, struct postern_smtp_path *path)
{
    const char *from = in->rest.p;
    size_t n = 0, wire;

    if (take(in, '"'))
        read_quoted(in, local, &n);
    else
        read_atoms(in, local, &n);
    wire = (size_t)(in->rest.p - from);
    path->local = span_make(local, n);
    if (wire > (in->strict ? LOCAL_MAX : LOCAL_LENIENT_MAX))
        fail(in, PATH_TOO_LONG);
    if (in->fault == PATH_GOOD && take(in, '@'))
        read_domain(in, path);
    path->text = span_make(from, (size_t)(in->rest.p - from));
    path->utf8 = !utf8_is_ascii(path->text);
    if (path->utf8 && !utf8_is_valid(path->text))
        fail(in, PATH_UTF8);
}

/* drop_route - "@a,@b:" (D4) is read and forgotten. */
static void drop_route(struct cursor *in)
{
    struct postern_smtp_path ignored = {0};

    do {
        if (!take(in, '@'))
            fail(in, PATH_SYNTAX);
        else
            read_domain(in, &ignored);
    } while (in->fault == PATH_GOOD && take(in, ','));
    if (in->fault == PATH_GOOD && !take(in, ':'))
        fail(in, PATH_SYNTAX);
}

enum path_fault path_read(struct postern_span *rest, bool strict, char *local,
                          struct postern_smtp_path *path_r)
{
    struct cursor in = {*rest, strict, PATH_GOOD};

    *path_r = (struct postern_smtp_path){.text = {"", 0}, .local = {"", 0}};
    if (!take(&in, '<'))
        return PATH_SYNTAX;
    /* D2 */
    if (take(&in, '>')) {
        *rest = in.rest;
        return PATH_GOOD;
    }
    if (at(&in, '@'))
        drop_route(&in);
    if (in.fault == PATH_GOOD)
        read_mailbox(&in, local, path_r);
    if (in.fault == PATH_GOOD && !take(&in, '>'))
        fail(&in, PATH_SYNTAX);
    if (path_r->text.n + 2 > PATH_MAX_OCTETS)
        fail(&in, PATH_TOO_LONG);
    *rest = in.rest;
    return in.fault;
}

int postern_smtp_parse_address(struct postern_span text, char *buffer,
                               struct postern_smtp_path *path_r)
{
    struct cursor in = {.rest = text};

    *path_r = (struct postern_smtp_path){0};
    if (!text.n)
        return POSTERN_E_SYNTAX;
    read_mailbox(&in, buffer, path_r);
    if (in.fault == PATH_TOO_LONG || text.n > PATH_MAX_OCTETS - 2)
        return POSTERN_E_TOO_LONG;
    return in.fault || in.rest.n ? POSTERN_E_SYNTAX : 0;
}
