/* SPDX-License-Identifier: MIT */
/* notify_look - all mailboxes as they are now, against what the client was told of them last (RFC
 * 5465 5). */
#include "proto/imap/notify_look.h"

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

/* look_at_metadata - what differs from what was noted is told; where nothing was noted, as nobody
 * wanted to know, that is done now. */
static void look_at_metadata(struct postern_imap *s, unsigned events,
                             const struct postern_status *before, const struct postern_status *now)
{
    uint64_t known = before && s->notify->has_known ? before->annotations : 0;
    bool is_noted = !known || notify_has_notes(s, before->name);

    if (events & NOTIFY_METADATA && now->exists && (now->annotations != known || !is_noted))
        ask_metadata(s, now->name, s->notify->has_known && is_noted);
}

/* I 5465:5.5-1 */
static void look_at(struct postern_imap *s, struct look *look, const struct postern_status *now)
{
    const struct imap_notify *notify = s->notify;
    const struct postern_status *same = look_find(&look->by_before, now->name), *before = same;
    bool is_own_name = notify_own_change(notify, now->name, OWN_NAME) != NULL;
    unsigned events;

    if (!same)
        before = look_renamed_from(s, look, now);
    events = notify_events(s, now->name, now->subscribed || (before && before->subscribed));
    if (notify->has_known && !is_own_name) {
        if (!same && before)
            look_tell_rename(s, look, before, now);
        else if (now->exists != (same && same->exists) && !(same && look_is_renamed(s, look, same)))
            look_list_affected(s, look, now->name);
        if (events & NOTIFY_SUBSCRIPTION && now->subscribed != (before && before->subscribed) &&
            !look->is_told[now - look->now]) {
            look->is_told[now - look->now] = true;
            look_write_name(s, now, (struct postern_span){NULL, 0});
        }
    }
    look_tell_messages(s, before, now);
    look_at_metadata(s, events, before, now);
}

static void look_at_gone(struct postern_imap *s, struct look *look,
                         const struct postern_status *before)
{
    struct postern_status gone = {.name = before->name};
    unsigned events = notify_events(s, before->name, before->subscribed);

    if (look_find(&look->by_now, before->name))
        return;
    if (look_is_renamed(s, look, before) || notify_own_change(s->notify, before->name, OWN_NAME))
        return;
    if (before->exists)
        look_list_affected(s, look, before->name);
    if (before->subscribed && events & NOTIFY_SUBSCRIPTION &&
        !(before->exists && events & NOTIFY_NAME))
        look_write_name(s, &gone, (struct postern_span){NULL, 0});
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
    if (!look_names_init(s, &look.by_before, look.before, look.before_count) ||
        !look_names_init(s, &look.by_now, look.now, look.now_count))
        return;
    for (size_t i = 0; i < look.now_count; i++)
        look_at(s, &look, &look.now[i]);
    for (size_t i = 0; i < look.before_count; i++)
        look_at_gone(s, &look, &look.before[i]);
    if (notify->others & NOTIFY_SERVER_METADATA)
        ask_metadata(s, SPAN(""), notify_has_notes(s, SPAN("")));
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
