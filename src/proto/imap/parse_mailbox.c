/* SPDX-License-Identifier: MIT */
/* parse_mailbox - names of mailboxes, and patterns for them, as UTF-8. */
#include "codec/utf7.h"
#include "codec/utf8.h"
#include "proto/imap/session.h"

/* is_written_so - is this the one way to write the name? A shift for what needs none could hide a
 * name from those who compare (RFC 3501 5.1.3). I 3501:5.1.3-1 */
static bool is_written_so(struct postern_imap *s, struct postern_span text,
                          struct postern_span written)
{
    struct buffer again = {.allocator = s->o.allocator};
    bool same = utf7_encode(text, "", &again) == 0 && span_equal(buffer_span(&again), written);

    buffer_done(&again);
    return same;
}

/* to_utf8 - UTF-8 stands as it is, if it may; else it is modified UTF-7. A name that is neither is
 * no name that exists: it is told as bad. I 4.3.1-1 I 5.1-1 */
static struct postern_span to_utf8(struct postern_imap *s, struct imap_parser *in,
                                   struct postern_span name)
{
    struct buffer text = {.allocator = s->o.allocator};
    struct postern_span kept = name;
    int err = 0;

    if (in->bad)
        return name;
    if (!utf8_is_ascii(name))
        err = utf8_is_valid(name) ? arena_copy(&s->arena, name, &kept) : POSTERN_E_SYNTAX;
    else if (!(s->rev2 || s->utf8) && memchr(name.p ? name.p : "", '&', name.n))
        err = utf7_decode(name, &text);
    if (!err && text.data)
        err = arena_copy(&s->arena, buffer_span(&text), &kept);
    buffer_done(&text);
    if (!err && kept.p != name.p && utf8_is_ascii(name) && !is_written_so(s, kept, name))
        err = POSTERN_E_SYNTAX;
    if (err == POSTERN_E_NOMEM)
        imap_no_memory(s);
    if (err) {
        parse_spoil(in);
        in->why = "this is no name of a mailbox";
    }
    return kept;
}

/* own_place - where the name begins that its owner has for it, behind "Other/ann/" and "Shared/". A
 * star in a pattern may be any number of levels: then nobody knows. */
static size_t own_place(const struct postern_imap *s, struct postern_span name)
{
    struct postern_span shared = s->o.shared, others = s->o.other_users, rest, owner;

    if (shared.n && span_begins(name, shared))
        return shared.n;
    if (!others.n || !span_begins(name, others))
        return 0;
    rest = span_from(name, others.n);
    owner = span_cut(&rest, '/');
    return !rest.p || memchr(owner.p, '*', owner.n) ? name.n : (size_t)(rest.p - name.p);
}

size_t parse_inbox_place(const struct postern_imap *s, struct postern_span name)
{
    struct postern_span inbox = SPAN("INBOX");
    size_t place = own_place(s, name);
    struct postern_span own = span_from(name, place);

    if (!span_begins_nocase(own, inbox) || span_begins(own, inbox) ||
        (own.n > inbox.n && own.p[inbox.n] != '/'))
        return SIZE_MAX;
    return place;
}

/* I 5.1-3 */
struct postern_span parse_with_inbox(struct postern_imap *s, struct imap_parser *in,
                                     struct postern_span name)
{
    size_t place = in->bad ? SIZE_MAX : parse_inbox_place(s, name);
    struct postern_span inbox = SPAN("INBOX"), kept;

    if (place == SIZE_MAX)
        return name;
    if (arena_copy(&s->arena, name, &kept) < 0) {
        imap_no_memory(s);
        parse_spoil(in);
        return name;
    }
    memcpy((char *)kept.p + place, inbox.p, inbox.n);
    return kept;
}

/* I 4.5-1 I 5.1-3 */
struct postern_span parse_mailbox(struct postern_imap *s, struct imap_parser *in)
{
    return parse_with_inbox(s, in, to_utf8(s, in, parse_astring(s, in)));
}

static bool is_list_char(char c)
{
    return is_astring_char(c) || c == '%' || c == '*' || (unsigned char)c > 127;
}

/* I 6.3.9-11 */
struct postern_span parse_pattern(struct postern_imap *s, struct imap_parser *in)
{
    struct postern_span word;

    if (parse_is_string(in))
        return to_utf8(s, in, parse_string(s, in));
    word = parse_while(in, is_list_char);
    if (word.n == 0)
        parse_spoil(in);
    return to_utf8(s, in, word);
}
