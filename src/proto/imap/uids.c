/* SPDX-License-Identifier: MIT */
/* uids - a set of ranges as the messages that the client knows in it. */
#include "proto/imap/session.h"

/* room_for - how many messages of the view are in the set. */
static size_t room_for(const struct postern_imap *s, const struct imap_set *set)
{
    size_t room = 0;

    for (size_t i = 0; i < set->count; i++) {
        uint32_t last = set->ranges[i].last;
        uint32_t end = last == UINT32_MAX ? s->view.messages : view_place(&s->view, last + 1);

        room += end - view_place(&s->view, set->ranges[i].first);
    }
    return room;
}

/* I 6.4.4.1-6 I 6.4.9-1 */
size_t imap_set_uids(struct postern_imap *s, const struct imap_set *set, uint32_t **uids_r)
{
    size_t room = room_for(s, set), count = 0;
    uint32_t *uids = arena_alloc(&s->arena, (room + 1) * sizeof *uids);

    *uids_r = uids;
    if (!uids) {
        imap_no_memory(s);
        return 0;
    }
    for (size_t i = 0; i < set->count && count < room; i++) {
        uint32_t place = view_place(&s->view, set->ranges[i].first);

        while (place < s->view.messages && count < room) {
            uint32_t uid = view_uid(&s->view, ++place);

            if (uid > set->ranges[i].last)
                break;
            uids[count++] = uid;
        }
    }
    return count;
}

void imap_uids_set(struct postern_imap *s, const uint32_t *uids, size_t count,
                   struct imap_set *set_r)
{
    struct postern_uid_range *ranges = arena_alloc(&s->arena, (count + 1) * sizeof *ranges);

    *set_r = (struct imap_set){.ranges = ranges};
    if (!ranges) {
        imap_no_memory(s);
        return;
    }
    for (size_t i = 0; i < count; i++)
        if (set_r->count && ranges[set_r->count - 1].last + 1 == uids[i])
            ranges[set_r->count - 1].last = uids[i];
        else
            ranges[set_r->count++] = (struct postern_uid_range){uids[i], uids[i]};
}

bool imap_set_has(const struct imap_set *set, uint32_t uid)
{
    size_t low = 0, high = set->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (set->ranges[middle].last < uid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < set->count && set->ranges[low].first <= uid;
}

struct imap_set imap_set_copy(struct postern_imap *s, const struct postern_uid_range *ranges,
                              size_t count)
{
    struct imap_set set = {arena_alloc(&s->arena, (count + 1) * sizeof *ranges), count};

    if (!set.ranges) {
        imap_no_memory(s);
        return (struct imap_set){NULL, 0};
    }
    if (count)
        memcpy(set.ranges, ranges, count * sizeof *ranges);
    return set;
}

struct imap_set imap_set_meet(struct postern_imap *s, struct imap_set a, struct imap_set b)
{
    struct imap_set both = {NULL, 0};

    if (!a.ranges || !b.ranges)
        return a.ranges ? a : b;
    both.ranges = arena_alloc(&s->arena, (a.count + b.count + 1) * sizeof *both.ranges);
    if (!both.ranges) {
        imap_no_memory(s);
        return both;
    }
    for (size_t i = 0, k = 0; i < a.count && k < b.count;) {
        struct postern_uid_range x = a.ranges[i], y = b.ranges[k];
        struct postern_uid_range one = {x.first > y.first ? x.first : y.first,
                                        x.last < y.last ? x.last : y.last};

        if (one.first <= one.last)
            both.ranges[both.count++] = one;
        if (x.last < y.last)
            i++;
        else
            k++;
    }
    return both;
}
