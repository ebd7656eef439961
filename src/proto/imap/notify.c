/* SPDX-License-Identifier: MIT */
/* notify - owns the wishes, the memory that is put aside, and what the session did itself. */
#include "proto/imap/notify.h"

/* ---- life ------------------------------------------------------------------------------------ */

void notify_forget_own(struct postern_imap *s)
{
    struct imap_notify *notify = s->notify;

    for (size_t i = 0; i < notify->own_count; i++) /* an absent text takes no memory */
        (void)imap_set_text(s, &notify->own[i].name, (struct postern_span){NULL, 0});
    notify->own_count = 0;
}

void notify_free(struct postern_imap *s, struct imap_notify **notify)
{
    struct imap_notify *it = *notify;

    if (!it)
        return;
    if (it->is_aside) { /* it is the session's end */
        arena_drop(&s->arena);
        s->arena = it->outer;
    }
    for (size_t i = 0; i < it->own_count; i++)
        (void)imap_set_text(s, &it->own[i].name, (struct postern_span){NULL, 0});
    notify_free_notes(s, it);
    arena_drop(&it->arena);
    arena_drop(&it->known_arena);
    memory_free(s->o.allocator, it);
    *notify = NULL;
}

void notify_begin_aside(struct postern_imap *s, void (*then)(struct postern_imap *s))
{
    struct imap_notify *notify = s->notify;

    notify->then = then;
    notify->is_aside = true;
    notify->outer = s->arena;
    s->arena = (struct arena){.allocator = s->o.allocator};
}

void notify_end_aside(struct postern_imap *s)
{
    struct imap_notify *notify = s->notify;

    arena_drop(&s->arena);
    s->arena = notify->outer;
    notify->is_aside = false;
    notify->then(s);
}

/* I 5465:5.8-1 */
void notify_overflow(struct postern_imap *s)
{
    struct imap_notify *notify = s->notify;

    write_text(s, "* OK [NOTIFICATIONOVERFLOW] too much to tell; ask for it\r\n");
    notify->groups = NULL;
    notify->selected = notify->others = 0;
    notify->has_known = notify->due = false;
    imap_rewatch(s);
}

int postern_imap_overflow(struct postern_imap *s)
{
    if (!s->notify || !s->notify->others || s->state == POSTERN_IMAP_OVER)
        return POSTERN_E_USAGE;
    s->notify->is_lost = s->notify->due = s->has_news = true;
    imap_advance(s);
    return imap_result_of(s);
}

/* ---- what is wanted -------------------------------------------------------------------------- */

static bool is_under(struct postern_span name, struct postern_span parent)
{
    return span_begins(name, parent) && (name.n == parent.n || name.p[parent.n] == '/');
}

/* is_meant - INBOXES are the mailboxes that mail may be delivered into. An address may name any of
 * them ("ann+lists"), and a filter may choose another one, so they are all of the user's own.
 * I 5465:6.3-1 I 5465:6.4-1 */
static bool is_meant(const struct postern_imap *s, const struct notify_group *group,
                     struct postern_span name, bool subscribed)
{
    if (group->where == NOTIFY_PERSONAL || group->where == NOTIFY_INBOXES)
        return rights_is_personal(s, name);
    if (group->where == NOTIFY_SUBSCRIBED)
        return subscribed;
    for (size_t i = 0; i < group->count; i++)
        if (group->where == NOTIFY_SUBTREE ? is_under(name, group->names[i])
                                           : span_equal(name, group->names[i]))
            return true;
    return false;
}

unsigned notify_events(const struct postern_imap *s, struct postern_span name, bool subscribed)
{
    unsigned events = 0;

    for (const struct notify_group *group = s->notify->groups; group; group = group->next)
        if (is_meant(s, group, name, subscribed))
            events |= group->events;
    return events;
}

void notify_ask_list(struct postern_imap *s, const struct imap_notify *notify, imap_then *then)
{
    s->question =
        (struct postern_imap_question){.on = true, .shared = s->o.acl && notify->asks_shared};
    imap_ask(s, POSTERN_IMAP_LIST, then);
}

/* ---- what the session did itself ------------------------------------------------------------- */

/* I 5465:5-2 */
static void note_own(struct postern_imap *s, struct postern_span name, struct notify_own own)
{
    struct imap_notify *notify = s->notify;

    notify->due = true; /* so that it is known before anybody else changes it */
    if (notify->own_count == NOTIFY_OWN_MAX)
        return;
    if (imap_set_text(s, &own.name, name) < 0)
        imap_no_memory(s);
    else
        notify->own[notify->own_count++] = own;
}

/* note_messages - those that came into a mailbox. */
static void note_messages(struct postern_imap *s, const struct imap_answer *answer)
{
    struct notify_own own = {.kind = OWN_MESSAGES, .count = (uint32_t)answer->count};

    if (!answer->count || !answer->uid_validity)
        return;
    own.uid_next = answer->uids[answer->count - 1] + 1;
    note_own(s, s->question.name, own);
}

/* note_removed - the client hears of these, even if it wants no news. */
static void note_removed(struct postern_imap *s)
{
    s->removed = s->question.uids;
    s->removed_count = s->question.uid_count;
}

void notify_did(struct postern_imap *s, const struct imap_answer *answer)
{
    static const struct notify_own name = {.kind = OWN_NAME}, metadata = {.kind = OWN_METADATA};

    if (answer->err)
        return;
    switch (s->question.kind) {
    case POSTERN_IMAP_RENAME:
        note_own(s, s->question.to, name);
        note_own(s, s->question.name, name);
        break;
    case POSTERN_IMAP_CREATE:
    case POSTERN_IMAP_REMOVE:
    case POSTERN_IMAP_SUBSCRIBE:
        note_own(s, s->question.name, name);
        break;
    case POSTERN_IMAP_SET_METADATA:
        note_own(s, s->question.name, metadata);
        break;
    case POSTERN_IMAP_COPY:
    case POSTERN_IMAP_COMMIT:
        note_messages(s, answer);
        if (s->question.on || s->question.kind == POSTERN_IMAP_COMMIT)
            note_removed(s);
        break;
    case POSTERN_IMAP_EXPUNGE:
        note_removed(s);
        break;
    default:
        break;
    }
}

const struct notify_own *notify_own_change(const struct imap_notify *notify,
                                           struct postern_span name, enum notify_own_kind kind)
{
    for (size_t i = 0; i < notify->own_count; i++) {
        const struct notify_own *own = &notify->own[i];

        if (own->kind == kind &&
            (span_equal(own->name, name) ||
             (kind == OWN_NAME && (is_under(name, own->name) || is_under(own->name, name)))))
            return own;
    }
    return NULL;
}

void notify_arrived(struct postern_imap *s, struct postern_uid_range range)
{
    if (s->notify && !notify_is_frozen(s))
        arrived_note(s, &s->notify->items, range);
}
