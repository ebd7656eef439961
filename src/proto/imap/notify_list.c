/* SPDX-License-Identifier: MIT */
/* notify_list - LIST lines of NOTIFY: names that are new, gone or changed (RFC 5465 5.4, 5.5). A
 * mailbox is the same under another name when it has the same id. */
#include "proto/imap/notify_look.h"

bool look_names_init(struct postern_imap *s, struct look_names *names,
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

const struct postern_status *look_find(const struct look_names *names, struct postern_span name)
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

uint64_t look_id(const struct postern_imap *s, const struct postern_status *status)
{
    return rights_is_personal(s, status->name) ? status->id : 0;
}

const struct postern_status *look_renamed_from(const struct postern_imap *s,
                                               const struct look *look,
                                               const struct postern_status *now)
{
    uint64_t id = now->exists ? look_id(s, now) : 0;

    for (size_t i = 0; id && i < look->before_count; i++)
        if (look->before[i].id == id && look_id(s, &look->before[i]))
            return &look->before[i];
    return NULL;
}

bool look_is_renamed(const struct postern_imap *s, const struct look *look,
                     const struct postern_status *before)
{
    uint64_t id = look_id(s, before);

    for (size_t i = 0; id && i < look->now_count; i++)
        if (look->now[i].id == id && look_id(s, &look->now[i]))
            return !span_equal(look->now[i].name, before->name);
    return false;
}

void look_write_name(struct postern_imap *s, const struct postern_status *status,
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
    const struct postern_status *now = look_find(&look->by_now, name);
    struct postern_status none = {.name = name};

    if (!now) {
        if (notify_events(s, name, false) & event)
            look_write_name(s, &none, before);
        return;
    }
    if (look->is_told[now - look->now] || !(notify_events(s, name, now->subscribed) & event))
        return;
    look->is_told[now - look->now] = true;
    look_write_name(s, now, before);
}

void look_list_affected(struct postern_imap *s, struct look *look, struct postern_span name)
{
    struct postern_span parent = parent_of(name), none = {NULL, 0};

    list_once(s, look, name, NOTIFY_NAME, none);
    if (parent.n)
        list_once(s, look, parent, NOTIFY_NAME, none);
}

/* I 5465:5.4-1 */
void look_tell_rename(struct postern_imap *s, struct look *look,
                      const struct postern_status *before, const struct postern_status *now)
{
    struct postern_span parent = parent_of(now->name), old_parent = parent_of(before->name);
    const struct postern_status *above = parent.n ? look_find(&look->by_now, parent) : NULL;
    const struct postern_status *was =
        above && !look_find(&look->by_before, parent) ? look_renamed_from(s, look, above) : NULL;

    notify_rename_notes(s, before->name, now->name);
    if (was && span_equal(was->name, old_parent))
        return;
    list_once(s, look, now->name, NOTIFY_NAME, before->name);
}
