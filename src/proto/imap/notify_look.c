/* SPDX-License-Identifier: MIT */
/* notify_look - all mailboxes as they are now, against what the client was told of them last (RFC
 * 5465 5): STATUS for messages, LIST for names and subscriptions. A mailbox is the same under
 * another name when it has the same id. */
#include "proto/imap/notify.h"

/* the places of these in the table of STATUS */
#define MESSAGES 1u
#define UIDNEXT 4u
#define UIDVALIDITY 8u
#define UNSEEN 16u
#define HIGHESTMODSEQ 128u

/* struct names - places by name: open addressing, place + 1. */
struct names {
    const struct postern_status *all;
    size_t *places, room;
};

/* struct look - two lists. */
struct look {
    const struct postern_status *before, *now;
    size_t before_count, now_count;
    struct names by_before, by_now;
    bool *is_told; /* of now: its LIST line was written */
};

/* ---- names ----------------------------------------------------------------------------------- */

static bool names_init(struct postern_imap *s, struct names *names,
                       const struct postern_status *all, size_t count)
{
    names->all = all;
    names->room = 8;
    while (names->room < count * 2)
        names->room *= 2;
    names->places = arena_alloc(&s->arena, names->room * sizeof *names->places);
    if (!names->places) {
        imap_no_memory(s);
        return false;
    }
    memset(names->places, 0, names->room * sizeof *names->places);
    for (size_t i = 0; i < count; i++) {
        size_t at = span_hash(all[i].name) & (names->room - 1);

        while (names->places[at])
            at = (at + 1) & (names->room - 1);
        names->places[at] = i + 1;
    }
    return true;
}

static const struct postern_status *find(const struct names *names, struct postern_span name)
{
    size_t at = span_hash(name) & (names->room - 1);

    for (; names->places[at]; at = (at + 1) & (names->room - 1))
        if (span_equal(names->all[names->places[at] - 1].name, name))
            return &names->all[names->places[at] - 1];
    return NULL;
}

static struct postern_span parent_of(struct postern_span name)
{
    while (name.n && name.p[name.n - 1] != '/')
        name.n--;
    name.n -= name.n > 0;
    return name;
}

/* id_of - 0 for mailboxes of others: each account has its own. */
static uint64_t id_of(const struct postern_imap *s, const struct postern_status *status)
{
    return rights_is_personal(s, status->name) ? status->id : 0;
}

/* renamed_from - what a name that is new was called before; NULL: it is made. */
static const struct postern_status *renamed_from(const struct postern_imap *s,
                                                 const struct look *look,
                                                 const struct postern_status *now)
{
    uint64_t id = now->exists ? id_of(s, now) : 0;

    for (size_t i = 0; id && i < look->before_count; i++)
        if (look->before[i].id == id && id_of(s, &look->before[i]))
            return &look->before[i];
    return NULL;
}

/* is_renamed - it is there, under another name. */
static bool is_renamed(const struct postern_imap *s, const struct look *look,
                       const struct postern_status *before)
{
    uint64_t id = id_of(s, before);

    for (size_t i = 0; id && i < look->now_count; i++)
        if (look->now[i].id == id && id_of(s, &look->now[i]))
            return !span_equal(look->now[i].name, before->name);
    return false;
}

/* ---- LIST ------------------------------------------------------------------------------------ */

static void write_attribute(struct postern_imap *s, const char **space, const char *name)
{
    write_text(s, *space);
    write_text(s, name);
    *space = " ";
}

/* write_name_line - RFC 5465 5.4, 5.5; before: absent, or the name it had. */
static void write_name_line(struct postern_imap *s, const struct postern_status *status,
                            struct postern_span before)
{
    const char *space = "", *special = status->exists ? imap_special(status->special) : NULL;

    write_text(s, "* LIST (");
    if (!status->exists)
        write_attribute(s, &space, "\\NonExistent");
    write_attribute(s, &space, status->has_children ? "\\HasChildren" : "\\HasNoChildren");
    if (status->subscribed)
        write_attribute(s, &space, "\\Subscribed");
    if (special)
        write_attribute(s, &space, special);
    write_text(s, ") \"/\" ");
    write_mailbox(s, status->name);
    if (before.n) {
        write_text(s, " (\"OLDNAME\" (");
        write_mailbox(s, before);
        write_text(s, "))");
    }
    write_text(s, "\r\n");
}

/* list_once - a name that is there now, unless it was told already, or nobody wants it. */
static void list_once(struct postern_imap *s, struct look *look, struct postern_span name,
                      unsigned event, struct postern_span before)
{
    const struct postern_status *now = find(&look->by_now, name);
    struct postern_status none = {.name = name};

    if (!now) {
        if (notify_events(s, name, false) & event)
            write_name_line(s, &none, before);
        return;
    }
    if (look->is_told[now - look->now] || !(notify_events(s, name, now->subscribed) & event))
        return;
    look->is_told[now - look->now] = true;
    write_name_line(s, now, before);
}

/* list_affected - it was made, or is gone: and so its parent is told of as well (RFC 5465 5.4). */
static void list_affected(struct postern_imap *s, struct look *look, struct postern_span name)
{
    struct postern_span parent = parent_of(name), none = {NULL, 0};

    list_once(s, look, name, NOTIFY_NAME, none);
    if (parent.n)
        list_once(s, look, parent, NOTIFY_NAME, none);
}

/* tell_rename - those below it go with it, and are not told of.
 * I 5465:5.4-1 */
static void tell_rename(struct postern_imap *s, struct look *look,
                        const struct postern_status *before, const struct postern_status *now)
{
    struct postern_span parent = parent_of(now->name), old_parent = parent_of(before->name);
    const struct postern_status *above = parent.n ? find(&look->by_now, parent) : NULL;
    const struct postern_status *was =
        above && !find(&look->by_before, parent) ? renamed_from(s, look, above) : NULL;

    notify_rename_notes(s, before->name, now->name);
    if (was && span_equal(was->name, old_parent))
        return;
    list_once(s, look, now->name, NOTIFY_NAME, before->name);
}

/* ---- STATUS ---------------------------------------------------------------------------------- */

static bool is_selected(const struct postern_imap *s, const struct postern_status *status)
{
    return s->state == POSTERN_IMAP_SELECTED &&
           (span_equal(status->name, s->mailbox) ||
            (id_of(s, status) && status->id == s->view.id && rights_is_personal(s, s->mailbox)));
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

static void tell_messages(struct postern_imap *s, const struct postern_status *before,
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

/* ---- all of it ------------------------------------------------------------------------------- */

/* ask_metadata - of a mailbox whose annotations have another stamp.
 * I 5465:5.6-1 */
static void ask_metadata(struct postern_imap *s, struct postern_span name, bool tells)
{
    struct imap_notify *notify = s->notify;
    bool is_own = notify_own_change(notify, name, OWN_METADATA) != NULL;

    notify->asked_tells[notify->asked_count] = tells && !is_own;
    if (arena_copy(&s->arena, name, &notify->asked[notify->asked_count++]) < 0)
        imap_no_memory(s);
}

/* I 5465:5.5-1 */
static void look_at(struct postern_imap *s, struct look *look, const struct postern_status *now)
{
    const struct imap_notify *notify = s->notify;
    const struct postern_status *same = find(&look->by_before, now->name), *before = same;
    bool is_own_name = notify_own_change(notify, now->name, OWN_NAME) != NULL;
    unsigned events;

    if (!same)
        before = renamed_from(s, look, now);
    events = notify_events(s, now->name, now->subscribed || (before && before->subscribed));
    if (notify->has_known && !is_own_name) {
        if (!same && before)
            tell_rename(s, look, before, now);
        else if (now->exists != (same && same->exists) && !(same && is_renamed(s, look, same)))
            list_affected(s, look, now->name);
        if (events & NOTIFY_SUBSCRIPTION && now->subscribed != (before && before->subscribed) &&
            !look->is_told[now - look->now]) {
            look->is_told[now - look->now] = true;
            write_name_line(s, now, (struct postern_span){NULL, 0});
        }
    }
    tell_messages(s, before, now);
    if (events & NOTIFY_METADATA && now->exists &&
        now->annotations != (before && notify->has_known ? before->annotations : 0))
        ask_metadata(s, now->name, notify->has_known);
}

static void look_at_gone(struct postern_imap *s, struct look *look,
                         const struct postern_status *before)
{
    struct postern_status gone = {.name = before->name};
    unsigned events = notify_events(s, before->name, before->subscribed);

    if (find(&look->by_now, before->name))
        return;
    if (is_renamed(s, look, before) || notify_own_change(s->notify, before->name, OWN_NAME))
        return;
    if (before->exists)
        list_affected(s, look, before->name);
    if (before->subscribed && events & NOTIFY_SUBSCRIPTION &&
        !(before->exists && events & NOTIFY_NAME))
        write_name_line(s, &gone, (struct postern_span){NULL, 0});
}

/* learn - this is what the client knows from now on. */
static void learn(struct postern_imap *s, const struct postern_status *all, size_t count)
{
    struct imap_notify *notify = s->notify;

    arena_drop(&notify->known_arena);
    notify->known = arena_alloc(&notify->known_arena, (count + 1) * sizeof *notify->known);
    notify->known_count = 0;
    for (size_t i = 0; notify->known && i < count; i++) {
        notify->known[i] = all[i];
        if (arena_copy(&notify->known_arena, all[i].name, &notify->known[i].name) < 0)
            notify->known = NULL;
    }
    if (notify->known)
        notify->known_count = count;
    else
        imap_no_memory(s);
}

void notify_compare(struct postern_imap *s, const struct imap_answer *answer)
{
    struct imap_notify *notify = s->notify;
    struct look look = {.before = notify->known,
                        .now = rights_visible(s, answer),
                        .before_count = notify->has_known ? notify->known_count : 0,
                        .now_count = answer->count};

    look.is_told = arena_alloc(&s->arena, answer->count + 1);
    notify->asked = arena_alloc(&s->arena, (answer->count + 1) * sizeof *notify->asked);
    notify->asked_tells = arena_alloc(&s->arena, answer->count + 1);
    notify->asked_count = notify->asked_at = 0;
    if ((answer->count && !look.now) || !look.is_told || !notify->asked || !notify->asked_tells) {
        imap_no_memory(s);
        return;
    }
    memset(look.is_told, 0, answer->count + 1);
    if (!names_init(s, &look.by_before, look.before, look.before_count) ||
        !names_init(s, &look.by_now, look.now, look.now_count))
        return;
    for (size_t i = 0; i < look.now_count; i++)
        look_at(s, &look, &look.now[i]);
    for (size_t i = 0; i < look.before_count; i++)
        look_at_gone(s, &look, &look.before[i]);
    if (notify->others & NOTIFY_SERVER_METADATA)
        ask_metadata(s, SPAN(""), notify->has_known);
    learn(s, look.now, look.now_count);
    notify->has_known = true;
    notify_forget_own(s);
    if (!s->failed)
        notify_ask_metadata(s);
}

static void listed(struct postern_imap *s, const struct imap_answer *answer)
{
    if (!answer->err && answer->count > s->o.notify_max) {
        notify_overflow(s);
        notify_end_aside(s);
    } else if (answer->err) { /* the next one finds it */
        notify_end_aside(s);
    } else {
        notify_compare(s, answer);
    }
}

void notify_look(struct postern_imap *s, void (*then)(struct postern_imap *s))
{
    struct imap_notify *notify = s->notify;

    if (!notify || !notify->due || !notify->others || s->closing || s->failed) {
        then(s);
        return;
    }
    notify->due = false;
    if (notify->is_lost) {
        notify->is_lost = false;
        notify_overflow(s);
        then(s);
        return;
    }
    notify_begin_aside(s, then);
    notify_ask_list(s, notify, listed);
}
