/* SPDX-License-Identifier: MIT */
/* told - what a command itself told of flags, so that the news behind it say nothing twice; and how
 * a change of flags is told. */
#include "proto/imap/notify.h"

void imap_told(struct postern_imap *s, uint32_t uid, uint64_t modseq)
{
    if (s->told_count == s->told_room) {
        size_t room = s->told_room ? s->told_room * 2 : 64;
        struct uid_told *more = arena_alloc(&s->arena, room * sizeof *more);

        if (!more) {
            imap_no_memory(s);
            return;
        }
        if (s->told_count)
            memcpy(more, s->told, s->told_count * sizeof *more);
        s->told = more;
        s->told_room = room;
    }
    s->told[s->told_count++] = (struct uid_told){uid, modseq};
}

/* imap_is_told - they were told in the order of their UIDs, or from the highest down. */
bool imap_is_told(const struct postern_imap *s, const struct postern_message_info *info)
{
    size_t low = 0, high = s->told_count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (s->told_falls ? s->told[middle].uid > info->uid : s->told[middle].uid < info->uid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < s->told_count && s->told[low].uid == info->uid &&
           info->modseq <= s->told[low].modseq;
}

/* I 6.4.9-3 I 6.4.9-7
 * I 9586:3-2 */
void imap_write_message(struct postern_imap *s, uint32_t uid, bool with_uid)
{
    write_text(s, "* ");
    write_number(s, s->uid_only ? uid : view_number(&s->view, uid));
    write_text(s, s->uid_only ? " UIDFETCH (" : " FETCH (");
    if (!with_uid || s->uid_only)
        return;
    write_text(s, "UID ");
    write_number(s, uid);
    write_text(s, " ");
}

/* I 7162:3.1-1 I 7162:3.1-2 I 7162:3.2.4-1 I 7162:3.1.4.2-1 I 2.3.2-4 I 7.5.2-11 */
void imap_write_changed(struct postern_imap *s, const struct postern_message_info *info)
{
    /* RFC 9051 7.5.2: what nobody asked for has its UID */
    imap_write_message(s, info->uid, s->by_uid || s->condstore || s->rev2 || s->notify);
    if (s->condstore) {
        write_text(s, "MODSEQ (");
        write_number(s, info->modseq);
        write_text(s, ") ");
    }
    write_text(s, "FLAGS ");
    write_flags(s, info->flags, info->keywords, view_is_recent(&s->view, info->uid));
    write_text(s, ")\r\n");
}
