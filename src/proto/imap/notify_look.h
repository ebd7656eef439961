/* SPDX-License-Identifier: MIT */
/* notify_look - two lists of all mailboxes, before and now, and what is told of the difference. */
#ifndef IMAP_NOTIFY_LOOK_H
#define IMAP_NOTIFY_LOOK_H

#include "proto/imap/notify.h"

/* struct look_names - places by name: open addressing, place + 1. */
struct look_names {
    const struct postern_status *all;
    size_t *places, room;
};

/* struct look - two lists. */
struct look {
    const struct postern_status *before, *now;
    size_t before_count, now_count;
    struct look_names by_before, by_now;
    bool *is_told; /* of now: its LIST line was written */
};

/* notify_list.c */
bool look_names_init(struct postern_imap *s, struct look_names *names,
                     const struct postern_status *all, size_t count);
const struct postern_status *look_find(const struct look_names *names, struct postern_span name);
/* look_id - 0 for mailboxes of others: each account has its own. */
uint64_t look_id(const struct postern_imap *s, const struct postern_status *status);
/* look_renamed_from - what a name that is new was called before; NULL: it is made. */
const struct postern_status *look_renamed_from(const struct postern_imap *s,
                                               const struct look *look,
                                               const struct postern_status *now);
/* look_is_renamed - it is there, under another name. */
bool look_is_renamed(const struct postern_imap *s, const struct look *look,
                     const struct postern_status *before);
/* look_write_name - before: absent, or the name it had. */
void look_write_name(struct postern_imap *s, const struct postern_status *status,
                     struct postern_span before);
/* look_list_affected - it was made, or is gone: and so its parent is told of as well. */
void look_list_affected(struct postern_imap *s, struct look *look, struct postern_span name);
/* look_tell_rename - those below it go with it, and are not told of. */
void look_tell_rename(struct postern_imap *s, struct look *look,
                      const struct postern_status *before, const struct postern_status *now);
/* notify_status.c */
void look_tell_messages(struct postern_imap *s, const struct postern_status *before,
                        const struct postern_status *now);

#endif
