/* SPDX-License-Identifier: MIT */
/* cmd-notify - NOTIFY (RFC 5465 3.1, 8): the wishes are read whole and checked; then they take the
 * place of those before. What is refused changes nothing. */
#include "proto/imap/commands.h"
#include "proto/imap/notify.h"

static const struct {
    const char *name;
    unsigned event;
} events[] = {{"MessageNew", NOTIFY_NEW},
              {"MessageExpunge", NOTIFY_EXPUNGE},
              {"FlagChange", NOTIFY_FLAGS},
              {"MailboxName", NOTIFY_NAME},
              {"SubscriptionChange", NOTIFY_SUBSCRIPTION},
              {"MailboxMetadataChange", NOTIFY_METADATA},
              {"ServerMetadataChange", NOTIFY_SERVER_METADATA}};

#define EVENT_COUNT (sizeof events / sizeof *events)
#define NEEDS_METADATA (NOTIFY_METADATA | NOTIFY_SERVER_METADATA)

/* struct reading - of one command. */
struct reading {
    struct imap_notify *notify;
    struct notify_group **last; /* where the next group is hung */
    size_t names;
    bool has_selected, is_unknown; /* is_unknown: an event that we have not */
};

/* ---- one group ------------------------------------------------------------------------------- */

/* I 5465:6.1-1 I 5465:6.1-2 */
static enum notify_where parse_where(struct postern_imap *s)
{
    static const char *const words[] = {"SELECTED",   "SELECTED-DELAYED", "INBOXES",  "PERSONAL",
                                        "SUBSCRIBED", "SUBTREE",          "MAILBOXES"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (parse_try_word(&s->in, words[i]))
            return (enum notify_where)i;
    s->in.bad = true;
    return NOTIFY_PERSONAL;
}

static void parse_one_name(struct postern_imap *s, struct reading *reading,
                           struct notify_group *group)
{
    struct postern_span name = parse_mailbox(s, &s->in);

    if (reading->names++ < NOTIFY_NAMES_MAX &&
        arena_copy(&s->arena, name, &group->names[group->count++]) < 0)
        imap_no_memory(s);
}

static void parse_names(struct postern_imap *s, struct reading *reading, struct notify_group *group)
{
    group->names = arena_alloc(&s->arena, NOTIFY_NAMES_MAX * sizeof *group->names);
    if (!group->names) {
        imap_no_memory(s);
        s->in.bad = true;
        return;
    }
    parse_space(&s->in);
    if (!parse_try(&s->in, '(')) {
        parse_one_name(s, reading, group);
        return;
    }
    do
        parse_one_name(s, reading, group);
    while (!s->in.bad && parse_try(&s->in, ' '));
    parse_char(&s->in, ')');
}

static void parse_event(struct postern_imap *s, struct reading *reading, struct notify_group *group)
{
    struct postern_span name = parse_atom(&s->in);
    struct arrived_items items = {NULL, false};
    size_t i = 0;

    while (i < EVENT_COUNT && !span_equal_nocase(name, postern_span_of(events[i].name)))
        i++;
    if (i == EVENT_COUNT || (events[i].event & NEEDS_METADATA && !imap_offers(s, "METADATA"))) {
        reading->is_unknown = true;
        return;
    }
    group->events |= events[i].event;
    if (events[i].event != NOTIFY_NEW || !span_begins(s->in.rest, SPAN(" (")))
        return;
    if (group->where > NOTIFY_SELECTED_DELAYED) {
        s->in.bad = true;
        return;
    }
    parse_space(&s->in);
    arrived_parse(s, &items);
    if (!s->in.bad && !arrived_copy(&s->arena, &items, &reading->notify->items))
        imap_no_memory(s);
}

/* check - which go together (RFC 5465 5, 6.1).
 * I 5465:5-1 */
static void check(struct postern_imap *s, struct reading *reading, const struct notify_group *group)
{
    unsigned messages = group->events & NOTIFY_MESSAGES;
    bool is_selected = group->where <= NOTIFY_SELECTED_DELAYED;

    if (reading->is_unknown || s->in.bad) /* that is said first */
        return;
    if ((messages && (messages & ~(unsigned)NOTIFY_FLAGS) != (NOTIFY_NEW | NOTIFY_EXPUNGE)) ||
        (is_selected && (group->events & ~(unsigned)NOTIFY_MESSAGES || reading->has_selected))) {
        s->in.bad = true;
        s->in.why = "these events do not go together";
    }
}

static void parse_events(struct postern_imap *s, struct reading *reading,
                         struct notify_group *group)
{
    parse_space(&s->in);
    if (parse_try_word(&s->in, "NONE"))
        return;
    parse_char(&s->in, '(');
    do
        parse_event(s, reading, group);
    while (!s->in.bad && parse_try(&s->in, ' '));
    parse_char(&s->in, ')');
}

/* I 5465:8-1 */
static void parse_group(struct postern_imap *s, struct reading *reading)
{
    struct notify_group *group = arena_alloc(&s->arena, sizeof *group);
    struct imap_notify *notify = reading->notify;

    if (!group) {
        imap_no_memory(s);
        s->in.bad = true;
        return;
    }
    *group = (struct notify_group){.next = NULL};
    parse_char(&s->in, '(');
    group->where = parse_where(s);
    if (group->where >= NOTIFY_SUBTREE)
        parse_names(s, reading, group);
    parse_events(s, reading, group);
    parse_char(&s->in, ')');
    check(s, reading, group);
    if (group->where <= NOTIFY_SELECTED_DELAYED) {
        reading->has_selected = true;
        notify->selected = group->events;
        notify->delayed = group->where == NOTIFY_SELECTED_DELAYED;
        return;
    }
    notify->others |= group->events;
    notify->asks_shared |= group->where >= NOTIFY_SUBSCRIBED;
    *reading->last = group;
    reading->last = &group->next;
}

/* parse_wishes - in memory of their own, which they keep. */
static void parse_wishes(struct postern_imap *s, struct reading *reading)
{
    struct arena command = s->arena;

    s->arena = (struct arena){.allocator = s->o.allocator};
    parse_space(&s->in);
    reading->notify->tells_status = parse_try_word(&s->in, "STATUS");
    if (reading->notify->tells_status)
        parse_space(&s->in);
    do
        parse_group(s, reading);
    while (!s->in.bad && parse_try(&s->in, ' '));
    reading->notify->arena = s->arena;
    s->arena = command;
}

/* ---- taking effect --------------------------------------------------------------------------- */

/* install - the new wishes; what is known of mailboxes stays known. */
static void install(struct postern_imap *s)
{
    struct imap_notify *now = s->notify_next, *before = s->notify;

    s->notify_next = NULL;
    s->notify = now;
    if (before) {
        now->known_arena = before->known_arena;
        now->known = before->known;
        now->known_count = before->known_count;
        now->has_known = before->has_known && before->others;
        if (!(before->others & (NOTIFY_METADATA | NOTIFY_SERVER_METADATA)))
            notify_free_notes(s, before); /* of long ago */
        now->notes = before->notes;
        before->known_arena = (struct arena){.allocator = s->o.allocator};
        before->notes = NULL;
    }
    notify_free(s, &before);
    imap_rewatch(s);
}

static void done(struct postern_imap *s)
{
    s->notify->tells_status = s->notify->begins = false;
    imap_ok(s, NULL, "done");
}

/* listed - RFC 5465 3.1: the STATUS lines come before the tagged one. */
static void listed(struct postern_imap *s, const struct imap_answer *answer)
{
    if (answer->err || answer->count > s->o.notify_max) {
        notify_free(s, &s->notify_next);
        imap_rewatch(s);
        if (!answer->err || answer->err == POSTERN_E_FULL)
            imap_no(s, "NOTIFICATIONOVERFLOW", "that is too much to watch");
        else
            imap_refuse(s, answer->err);
        return;
    }
    install(s);
    s->notify->begins = true;
    notify_begin_aside(s, done);
    notify_compare(s, answer);
}

/* I 5465:3.1-2 */
static void begin(struct postern_imap *s)
{
    if (!s->notify_next->others) {
        install(s);
        done(s);
        return;
    }
    imap_rewatch(s); /* before they are listed, so that nothing is missed in between */
    notify_ask_list(s, s->notify_next, listed);
}

/* I 5465:3.1-1 */
static void refuse_event(struct postern_imap *s)
{
    struct buffer code = {.allocator = s->o.allocator};
    struct postern_span kept = {0};
    bool has_metadata = imap_offers(s, "METADATA");

    buffer_append_text(&code, "BADEVENT (");
    for (size_t i = 0; i < EVENT_COUNT; i++) {
        if (events[i].event & NEEDS_METADATA && !has_metadata)
            continue;
        buffer_append_text(&code, i ? " " : "");
        buffer_append_text(&code, events[i].name);
    }
    buffer_append_text(&code, ")");
    buffer_append_char(&code, '\0');
    if (code.error || arena_copy(&s->arena, buffer_span(&code), &kept) < 0)
        imap_no_memory(s);
    else
        imap_no(s, kept.p, "there is no such event here");
    buffer_done(&code);
}

/* I 5465:3.2-1 */
void imap_cmd_notify(struct postern_imap *s)
{
    struct reading reading = {.notify = memory_new(s->o.allocator, sizeof *reading.notify)};
    bool sets, good;

    if (!reading.notify) {
        imap_no_memory(s);
        return;
    }
    s->notify_next = reading.notify;
    reading.notify->arena.allocator = reading.notify->known_arena.allocator = s->o.allocator;
    reading.last = &reading.notify->groups;
    parse_space(&s->in);
    sets = parse_try_word(&s->in, "SET");
    if (sets)
        parse_wishes(s, &reading);
    else if (!parse_try_word(&s->in, "NONE"))
        s->in.bad = true;
    good = imap_good(s);
    if (good && !reading.is_unknown && reading.names <= NOTIFY_NAMES_MAX) {
        begin(s);
        return;
    }
    notify_free(s, &s->notify_next);
    if (good && reading.is_unknown)
        refuse_event(s);
    else if (good)
        imap_no(s, "NOTIFICATIONOVERFLOW", "that is too much to watch");
}
