/* SPDX-License-Identifier: MIT */
/* notify - what a client wants to be told without asking (RFC 5465), and what it knows of mailboxes
 * that are not selected.
 *
 * The application only says that something may have changed. Then all mailboxes are listed, with
 * their counts, and compared with what the client was told last (notify_look.c); annotations that
 * have another stamp are asked for and compared likewise (notify_metadata.c). New messages of the
 * selected mailbox are fetched as FETCH does it. While that goes on the command's own memory is put
 * aside: what the news take is gone with them. */
#ifndef IMAP_NOTIFY_H
#define IMAP_NOTIFY_H

#include "proto/imap/arrived.h"
#include "proto/imap/rights.h"

#define NOTIFY_NAMES_MAX 256 /* mailboxes that the groups of a command name */
#define NOTIFY_OWN_MAX 8

enum {
    NOTIFY_NEW = 1,
    NOTIFY_EXPUNGE = 2,
    NOTIFY_FLAGS = 4,
    NOTIFY_NAME = 8,
    NOTIFY_SUBSCRIPTION = 16,
    NOTIFY_METADATA = 32,
    NOTIFY_SERVER_METADATA = 64,
    NOTIFY_MESSAGES = NOTIFY_NEW | NOTIFY_EXPUNGE | NOTIFY_FLAGS
};

enum notify_where {
    NOTIFY_SELECTED,
    NOTIFY_SELECTED_DELAYED,
    NOTIFY_INBOXES,
    NOTIFY_PERSONAL,
    NOTIFY_SUBSCRIBED,
    NOTIFY_SUBTREE,
    NOTIFY_MAILBOXES
};

struct notify_group {
    struct notify_group *next;
    enum notify_where where;
    struct postern_span *names;
    size_t count;
    unsigned events;
};

/* struct notify_own - what this session did itself: it is not news to it (RFC 5465 5). */
enum notify_own_kind {
    OWN_NAME, /* the mailbox came, went, has another name or subscription */
    OWN_METADATA,
    OWN_MESSAGES /* were put there */
};
struct notify_own {
    enum notify_own_kind kind;
    struct postern_span name; /* own memory; empty: the account */
    uint32_t count, uid_next; /* of MESSAGES */
};

/* struct notify_notes - the annotations of a mailbox as they were told: for each the stamp of its
 * value and the length of its name, and the name. */
struct notify_notes {
    struct notify_notes *next;
    struct postern_span mailbox; /* own memory; empty: the account */
    struct buffer entries;
};

struct imap_notify {
    /* what is wanted */
    struct arena arena;
    struct notify_group *groups;
    unsigned selected, others;  /* events of the selected mailbox; of all groups for others */
    bool delayed;               /* EXPUNGE waits for a command that allows it */
    struct arrived_items items; /* of new messages */
    bool asks_shared;           /* mailboxes of others may be meant */
    bool begins;                /* NOTIFY SET is under way */
    bool tells_status;          /* with STATUS */
    /* what is known */
    struct arena known_arena;
    struct postern_status *known;
    size_t known_count;
    bool has_known;
    struct notify_notes *notes;
    struct notify_own own[NOTIFY_OWN_MAX];
    size_t own_count;
    bool due, is_lost; /* there may be something; not all of it is watched any more */
    /* at work */
    bool is_aside;
    struct arena outer; /* the command's */
    void (*then)(struct postern_imap *s);
    struct postern_span *asked; /* mailboxes whose annotations are asked for, in the arena */
    bool *asked_tells;          /* they are told, not only noted */
    size_t asked_count, asked_at;
};

/* notify_is_frozen - nothing of the selected mailbox is to be told. */
static inline bool notify_is_frozen(const struct postern_imap *s)
{
    return s->notify && !(s->notify->selected & NOTIFY_NEW);
}

/* notify.c */
void notify_free(struct postern_imap *s, struct imap_notify **notify);
/* notify_begin_aside, notify_end_aside - memory of its own, as long as news are worked on. */
void notify_begin_aside(struct postern_imap *s, void (*then)(struct postern_imap *s));
void notify_end_aside(struct postern_imap *s); /* then on with what waited */
/* notify_events - what of a mailbox is wanted. */
unsigned notify_events(const struct postern_imap *s, struct postern_span name, bool subscribed);
/* notify_ask_list - all mailboxes that may be meant, with counts. */
void notify_ask_list(struct postern_imap *s, const struct imap_notify *notify, imap_then *then);
/* notify_overflow - OK [NOTIFICATIONOVERFLOW], as if NOTIFY NONE had come. */
void notify_overflow(struct postern_imap *s);
/* notify_arrived - new messages of the selected mailbox. */
void notify_arrived(struct postern_imap *s, struct postern_uid_range range);
/* notify_did - a question that changes something was answered: it is not news. */
void notify_did(struct postern_imap *s, const struct imap_answer *answer);
/* notify_own_change - did the session do that to this mailbox itself? NULL: no. */
const struct notify_own *notify_own_change(const struct imap_notify *notify,
                                           struct postern_span name, enum notify_own_kind kind);
void notify_forget_own(struct postern_imap *s);

/* notify_look.c */
/* notify_look - if anything may have changed elsewhere, tell it; then then(). */
void notify_look(struct postern_imap *s, void (*then)(struct postern_imap *s));
/* notify_compare - with the list that just came, in memory put aside; goes on by itself. */
void notify_compare(struct postern_imap *s, const struct imap_answer *answer);

/* notify_metadata.c */
/* notify_ask_metadata - of the mailboxes in `asked`, then the news are over. */
void notify_ask_metadata(struct postern_imap *s);
/* notify_has_notes - it is known what the client knows of the mailbox's annotations. */
bool notify_has_notes(const struct postern_imap *s, struct postern_span mailbox);
void notify_rename_notes(struct postern_imap *s, struct postern_span from, struct postern_span to);
void notify_free_notes(struct postern_imap *s, struct imap_notify *notify);

#endif
