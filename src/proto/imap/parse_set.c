/* SPDX-License-Identifier: MIT */
/* parse_set - a sequence set, as ranges of UIDs. */
#include "proto/imap/session.h"

/* sift - heapsort's step: the range at `at` sinks to its place among the first n. */
static void sift(struct postern_uid_range *ranges, size_t at, size_t n)
{
    struct postern_uid_range one = ranges[at];

    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && ranges[child + 1].first > ranges[child].first)
            child++;
        if (ranges[child].first <= one.first)
            break;
        ranges[at] = ranges[child];
    }
    ranges[at] = one;
}

/* sort - by first, in place, in n log n for any input. */
static void sort(struct postern_uid_range *ranges, size_t n)
{
    for (size_t i = n / 2; i-- > 0;)
        sift(ranges, i, n);
    for (size_t i = n; i-- > 1;) {
        struct postern_uid_range first = ranges[0];

        ranges[0] = ranges[i];
        ranges[i] = first;
        sift(ranges, 0, i);
    }
}

/* set_join - rising and apart. I 4.1.1-1 */
static void set_join(struct imap_set *set)
{
    size_t kept = 0;

    sort(set->ranges, set->count);
    for (size_t i = 1; i < set->count; i++) {
        struct postern_uid_range *last = &set->ranges[kept], next = set->ranges[i];

        if (next.first <= last->last || next.first == last->last + 1)
            last->last = next.last > last->last ? next.last : last->last;
        else
            set->ranges[++kept] = next;
    }
    set->count = set->count ? kept + 1 : 0;
}

static void spoil_beyond(struct imap_parser *in)
{
    parse_spoil(in);
    in->why = "there are not so many messages";
}

static bool is_star(const struct imap_parser *in)
{
    return in->rest.n && in->rest.p[0] == '*';
}

/* one_end - a number or "*", which is the last message; 0: there is none. A search may look for
 * numbers that no message has (RFC 7377 2).
 * I 4.1.1-2 I 9-6 I 7377:2-1 */
static uint32_t one_end(struct postern_imap *s, struct imap_parser *in, bool by_uid)
{
    uint32_t number;

    if (parse_try(in, '*')) {
        if (by_uid)
            return s->view.messages ? view_uid(&s->view, s->view.messages) : 0;
        return s->view.messages;
    }
    number = (uint32_t)parse_number(in, UINT32_MAX);
    if (number == 0)
        parse_spoil(in);
    if (!in->bad && !by_uid && number > s->view.messages && !s->search)
        spoil_beyond(in);
    return number;
}

/* add_range - by the view, unless they are UIDs. Numbers may stand for UIDs with holes between,
 * which are then no messages. */
static void add_range(struct postern_imap *s, bool by_uid, struct postern_uid_range range,
                      struct imap_set *set)
{
    if (!by_uid) {
        s->by_number = true;
        if (range.first > s->view.messages)
            return;
        if (range.last > s->view.messages)
            range.last = s->view.messages;
        range.first = view_uid(&s->view, range.first);
        range.last = view_uid(&s->view, range.last);
    }
    set->ranges[set->count++] = range;
}

/* I 6.4.9-2 I 9-5 I 9-7 */
static void one_range(struct postern_imap *s, struct imap_parser *in, bool by_uid,
                      struct imap_set *set)
{
    bool star = is_star(in);
    uint32_t one = one_end(s, in, by_uid), other = one;

    if (parse_try(in, ':')) {
        star |= is_star(in);
        other = one_end(s, in, by_uid);
    }
    if (!in->bad && !by_uid && s->uid_only) { /* RFC 9586 3.2 */
        parse_spoil(in);
        in->code = "UIDREQUIRED";
        in->why = "message numbers are not used";
    }
    if (star && s->view.messages == 0) { /* nothing to search for, but no number (RFC 9051 9) */
        if (!by_uid && !s->search)
            spoil_beyond(in);
        return;
    }
    if (!in->bad)
        add_range(s, by_uid,
                  one < other ? (struct postern_uid_range){one, other}
                              : (struct postern_uid_range){other, one},
                  set);
}

/* I 6.4.4.1-7 I 5182:2.1-2 I 5182:2.1-8 I 5182:2.1-9 */
void parse_set(struct postern_imap *s, struct imap_parser *in, bool by_uid, struct imap_set *set_r)
{
    size_t ranges = 1 + s->saved_count;

    *set_r = (struct imap_set){0};
    for (size_t i = 0; i < in->rest.n && in->rest.p[i] != ' '; i++)
        ranges += in->rest.p[i] == ',';
    set_r->ranges = arena_alloc(&s->arena, ranges * sizeof *set_r->ranges);
    if (!set_r->ranges) {
        imap_no_memory(s);
        parse_spoil(in);
        return;
    }
    if (parse_try(in, '$')) {
        set_r->count = s->saved_count;
        if (set_r->count)
            memcpy(set_r->ranges, s->saved, set_r->count * sizeof *s->saved);
        return;
    }
    do
        one_range(s, in, by_uid, set_r);
    while (!in->bad && parse_try(in, ','));
    if (!in->bad)
        set_join(set_r);
}
