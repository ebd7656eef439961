/* SPDX-License-Identifier: MIT */
/* cmd-append - APPEND, also of several messages (RFC 9051 6.3.12, RFC 3502), and REPLACE (RFC
 * 8508): their beginnings, up to the mailbox. A message is refused before its octets are asked for
 * where that can be (RFC 9051 6.3.12): unknown mailbox, too big, over quota. TRAP: "{9+}" comes all
 * the same, and is swallowed. */
#include "proto/imap/append.h"
#include "proto/imap/commands.h"
#include "proto/imap/rights.h"

static bool is_ours(const struct imap_row *row)
{
    return row && (row->handler == imap_cmd_append || row->handler == imap_cmd_replace);
}

bool imap_append_is_next(struct postern_imap *s, struct postern_span text)
{
    struct imap_parser in;
    struct postern_span tag, rest = {0};
    const struct imap_row *row;
    bool by_uid;

    if (text.n >= 4 && span_equal_nocase(span_from(text, text.n - 4), SPAN("URL ")))
        return false; /* of CATENATE: a short text like any other */
    if (s->append)
        return true;
    row = imap_verb(text, &tag, &rest, &by_uid);
    if (!is_ours(row))
        return false;
    in = (struct imap_parser){.rest = rest};
    parse_space(&in);
    if (row->handler == imap_cmd_replace) {
        if (!parse_try(&in, '*'))
            (void)parse_atom(&in); /* what it is, is seen later */
        parse_space(&in);
    }
    (void)parse_astring(s, &in);
    return !in.bad && in.rest.n > 0 && in.rest.p[0] == ' ';
}

/* parse_replaced - the one message, by its number or UID; "*" is the last.
 * I 8508:3.2-1 */
static void parse_replaced(struct postern_imap *s, struct imap_append *append)
{
    uint32_t number, last = s->view.messages;

    parse_space(&s->in);
    if (parse_try(&s->in, '*'))
        number = s->by_uid && last ? view_uid(&s->view, last) : last;
    else
        number = (uint32_t)parse_number(&s->in, UINT32_MAX);
    if (s->in.bad || number == 0) {
        s->in.bad = true;
    } else if (s->by_uid) {
        append->replaced.first = number;
    } else if (number > s->view.messages) {
        s->in.bad = true;
        s->in.why = "there are not so many messages";
    } else {
        append->replaced.first = view_uid(&s->view, number);
    }
    append->replaced.last = append->replaced.first;
}

/* is_refused - whoever says this may not; it is answered. */
static bool is_refused(struct postern_imap *s)
{
    const char *code = NULL, *why = imap_why_not(s, &code);
    uint32_t replaced = s->append->replaced.first;

    if (why) {
        append_give_up(s);
        imap_bad_code(s, code, why);
    } else if (!s->in.bad && replaced && s->read_only) {
        append_fail(s, "READ-ONLY", "the mailbox can only be read");
    } else if (!s->in.bad && replaced && !rights_has(s, RIGHTS_TAKE_OUT)) {
        append_fail(s, "NOPERM", "not permitted");
    } else if (!s->in.bad && replaced && !view_number(&s->view, replaced)) {
        append_fail(s, NULL, "there is no such message");
    }
    return !s->append;
}

/* begin - of a command whose name is read: the mailbox. */
static bool begin(struct postern_imap *s)
{
    struct imap_append *append = arena_alloc(&s->arena, sizeof *append);
    struct postern_span name;

    if (!append) {
        imap_no_memory(s);
        return false;
    }
    memset(append, 0, sizeof *append);
    append->octets.allocator = append->header.allocator = s->o.allocator;
    s->append = append;
    if (s->row->handler == imap_cmd_replace)
        parse_replaced(s, append);
    parse_space(&s->in);
    name = parse_mailbox(s, &s->in);
    if (arena_copy(&s->arena, name, &append->name) < 0) {
        imap_no_memory(s);
        return false;
    }
    return true;
}

void imap_append_message(struct postern_imap *s, struct postern_span text, uint64_t size,
                         bool waits, bool binary)
{
    bool begins = !s->append;

    if (begins && (!imap_begin(s, text) || !begin(s)))
        return;
    if (!begins)
        s->in = (struct imap_parser){.rest = text};
    s->append->announced = true;
    s->append->waits = waits;
    s->append->size = size;
    s->append->binary = binary;
    if (!begins || !is_refused(s))
        append_go(s);
}

/* append_line - the line that ends the command. */
static void append_line(struct postern_imap *s)
{
    bool begins = !s->append;

    if (begins && !begin(s))
        return;
    s->append->announced = false;
    if (!begins || !is_refused(s))
        append_go(s);
}

void imap_cmd_append(struct postern_imap *s)
{
    append_line(s);
}

/* I 8508:3.5-1 */
void imap_cmd_replace(struct postern_imap *s)
{
    append_line(s);
}
