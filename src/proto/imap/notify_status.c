/* SPDX-License-Identifier: MIT */
/* notify_status - STATUS lines of NOTIFY: what is new of the messages of other mailboxes (RFC
 * 5465 5.1 to 5.3). */
#include "proto/imap/notify_look.h"

/* the places of these in the table of STATUS */
#define MESSAGES 1u
#define UIDNEXT 4u
#define UIDVALIDITY 8u
#define UNSEEN 16u
#define HIGHESTMODSEQ 128u

static bool is_selected(const struct postern_imap *s, const struct postern_status *status)
{
    return s->state == POSTERN_IMAP_SELECTED &&
           (span_equal(status->name, s->mailbox) ||
            (look_id(s, status) && status->id == s->view.id && rights_is_personal(s, s->mailbox)));
}

/* first_items - what NOTIFY SET STATUS tells (RFC 5465 3.1). */
static unsigned first_items(const struct postern_imap *s, unsigned events)
{
    unsigned items = 0;

    if (events & (NOTIFY_NEW | NOTIFY_EXPUNGE))
        items |= MESSAGES | UIDNEXT | UIDVALIDITY;
    if (events & NOTIFY_FLAGS && imap_offers(s, "CONDSTORE"))
        items |= UIDVALIDITY | HIGHESTMODSEQ;
    return items;
}

/* changed_items - what news of the messages there are; before: NULL for a new mailbox.
 * I 5465:5.1-1 I 5465:5.3-1 */
static unsigned changed_items(const struct postern_imap *s, unsigned events,
                              const struct postern_status *before, const struct postern_status *now)
{
    static const struct postern_status none = {.uid_next = 1};
    unsigned items = 0;

    if (!before && !now->messages)
        return 0;
    if (!before || before->uid_validity != now->uid_validity) {
        before = &none;
        items |= MESSAGES | UIDNEXT | UIDVALIDITY;
    }
    if (before->uid_next != now->uid_next || before->messages != now->messages)
        items |= MESSAGES | UIDNEXT | (s->condstore ? HIGHESTMODSEQ : 0);
    if (events & NOTIFY_FLAGS && before->modseq != now->modseq && s->condstore)
        items |= HIGHESTMODSEQ | UIDVALIDITY;
    if (events & NOTIFY_FLAGS && before->unseen != now->unseen)
        items |= UNSEEN;
    return items;
}

/* is_own - all that changed is what the session put there itself. */
static bool is_own(const struct imap_notify *notify, const struct postern_status *before,
                   const struct postern_status *now)
{
    const struct notify_own *own = notify_own_change(notify, now->name, OWN_MESSAGES);

    return own && before && before->uid_validity == now->uid_validity &&
           now->uid_next == own->uid_next && now->messages == before->messages + own->count;
}

/* write_no_access - RFC 5465 3.1: it is there, but its messages are not the user's to hear of. */
static void write_no_access(struct postern_imap *s, struct postern_span name)
{
    write_text(s, "* LIST (\\NoAccess) \"/\" ");
    write_mailbox(s, name);
    write_text(s, "\r\n");
}

void look_tell_messages(struct postern_imap *s, const struct postern_status *before,
                        const struct postern_status *now)
{
    unsigned events = notify_events(s, now->name, now->subscribed) & NOTIFY_MESSAGES;
    unsigned items = 0;

    if (!events || !now->exists || is_selected(s, now))
        return;
    if (!rights_permit(s, now->rights, rights_read)) {
        if (s->notify->begins)
            write_no_access(s, now->name);
        return;
    }
    if (s->notify->tells_status)
        items = first_items(s, events);
    else if (s->notify->has_known && !is_own(s->notify, before, now))
        items = changed_items(s, events, before && before->exists ? before : NULL, now);
    if (items)
        imap_write_status(s, now, items);
}
