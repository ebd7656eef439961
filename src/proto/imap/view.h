/* SPDX-License-Identifier: MIT */
/* view - the messages of a selected mailbox as the client knows them: UIDs as runs, and so their
 * numbers; nothing per message. Pure. */
#ifndef IMAP_VIEW_H
#define IMAP_VIEW_H

#include <postern/message.h>

struct imap_run {
    uint32_t first, last;
    uint32_t before; /* how many messages stand before it */
};

struct imap_view {
    const struct postern_allocator *allocator;
    struct imap_run *runs;
    size_t count, room;
    uint32_t messages;
    uint32_t uid_validity, uid_next;
    uint64_t modseq;      /* all up to there was told */
    uint64_t id;          /* of the mailbox */
    uint32_t recent_from; /* this UID and above are \Recent here; 0: none */
};

void view_done(struct imap_view *view);
/* view_set - exactly these. POSTERN_E_NOMEM. */
int view_set(struct imap_view *view, const struct postern_uid_range *ranges, size_t count);
/* view_add - behind the last. POSTERN_E_NOMEM. */
int view_add(struct imap_view *view, struct postern_uid_range range);
/* view_number - of a UID; 0: it is not there. */
uint32_t view_number(const struct imap_view *view, uint32_t uid);
/* view_uid - of a number, 1 to view->messages. */
uint32_t view_uid(const struct imap_view *view, uint32_t number);
/* view_place - how many messages have a UID below this one. */
uint32_t view_place(const struct imap_view *view, uint32_t uid);
uint32_t view_recent(const struct imap_view *view);
bool view_is_recent(const struct imap_view *view, uint32_t uid);

#endif
