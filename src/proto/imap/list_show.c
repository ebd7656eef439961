/* SPDX-License-Identifier: MIT */
/* list_show - what LIST and LSUB show of all names, which the application tells in order, levels
 * without a mailbox included. */
#include "codec/pattern.h"
#include "proto/imap/list.h"
#include "proto/imap/rights.h"

/* I 6.3.9-2 I 6.3.9-10 I 6.3.9-12 I 5258:3-1 I 5258:3.3-1 */
static bool is_matched(const struct imap_list *list, struct postern_span name)
{
    for (size_t i = 0; i < list->pattern_count; i++)
        if (pattern_matches(name, list->patterns[i]))
            return true;
    return false;
}

bool list_is_below(struct postern_span name, struct postern_span parent)
{
    return name.n > parent.n && span_begins(name, parent) && name.p[parent.n] == '/';
}

/* I 6.3.7-2 I 6.3.9.1-1 I 5258:3-5 I 5258:3-6 I 5258:3.1-1 I 6154:2-1 */
static bool is_selected(const struct imap_list *list, const struct postern_status *one)
{
    if (list->options & LIST_SELECT_SUBSCRIBED && !one->subscribed)
        return false;
    if (list->options & LIST_SELECT_SPECIAL && !one->special)
        return false;
    return list->options & LIST_SELECT_SUBSCRIBED || one->exists || one->has_children;
}

/* has_selected_below - hidden: one that no pattern shows by itself. The names are in order: those
 * below one begin as it does.
 * I 6.3.9.1-4 I 6.3.9.6-2 I 5258:3.5-2 I 5258:3.5-3 I 5258:3.5-4 */
static bool has_selected_below(const struct imap_list *list, const struct imap_answer *all,
                               size_t at, bool hidden)
{
    struct postern_span name = all->statuses[at].name;

    for (size_t i = at + 1; i < all->count && span_begins(all->statuses[i].name, name); i++) {
        const struct postern_status *one = &all->statuses[i];

        if (list_is_below(one->name, name) && is_selected(list, one) &&
            (!hidden || !is_matched(list, one->name)))
            return true;
    }
    return false;
}

/* write_child_info - which criteria one below meets (RFC 5258 3.5).
 * I 5258:3.5-1 I 5258:3.5-5 I 6154:6-1 */
static void write_child_info(struct postern_imap *s, const struct imap_list *list)
{
    bool subscribed = list->options & LIST_SELECT_SUBSCRIBED,
         special = list->options & LIST_SELECT_SPECIAL;

    write_text(s, " (\"CHILDINFO\" (");
    write_text(s, subscribed ? "\"SUBSCRIBED\"" : "");
    write_text(s, subscribed && special ? " " : "");
    write_text(s, special ? "\"SPECIAL-USE\"" : "");
    write_text(s, "))");
}

/* I 5.1-4 I 5.1.1-1 I 6.3.9-1 I 6.3.9-3 I 6.3.9.1-2 I 6.3.9.2-1 I 6.3.9.2-2 I 6.3.9.2-3
 * I 6.3.9.2-4 I 6.3.9.5-1 I 7.3.1-2 I 5258:3-9 I 5258:3.1-2 I 5258:3.2-1 I 5258:4-1 I 3348:3-1
 * I 3348:3-2 I 5819:2-1 I 5819:2-2 I 5819:2-3 I 6154:2-3 */
static void write_name(struct postern_imap *s, const struct imap_list *list,
                       const struct postern_status *one, bool child_info)
{
    const char *space = "", *special;

    write_text(s, "* ");
    write_text(s, s->row->name);
    write_text(s, " (");
    if (!one->exists)
        write_attribute(s, &space, list->extended || s->rev2 ? "\\NonExistent" : "\\Noselect");
    if (!list->lsub) {
        write_attribute(s, &space, one->has_children ? "\\HasChildren" : "\\HasNoChildren");
        if (list->xlist && span_equal_nocase(one->name, SPAN("INBOX")))
            write_attribute(s, &space, "\\Inbox");
        if (one->subscribed && list->options & LIST_RETURN_SUBSCRIBED)
            write_attribute(s, &space, "\\Subscribed");
        special = one->exists ? imap_special(one->special) : NULL;
        if (special)
            write_attribute(s, &space, special);
    }
    write_text(s, ") \"/\" ");
    write_mailbox(s, one->name);
    if (child_info)
        write_child_info(s, list);
    write_text(s, "\r\n");
    if (!one->exists || !is_selected(list, one))
        return;
    if (list->options & LIST_RETURN_RIGHTS)
        rights_write_mine(s, one->name, one->rights);
    if (list->options & LIST_RETURN_STATUS && rights_permit(s, one->rights, rights_read))
        imap_write_status(s, one, list->status);
}

/* write_lsub_parent - RFC 3501 6.3.9: "%" shows a level that is not subscribed when one below it
 * is, as \Noselect. I 3501:6.3.9-2 */
static void write_lsub_parent(struct postern_imap *s, const struct imap_list *list,
                              const struct postern_status *one)
{
    struct postern_status level = {.name = one->name, .exists = true};

    if (!is_matched(list, one->name))
        return;
    level.exists = false;
    write_name(s, list, &level, false);
}

static void metadata_next(struct postern_imap *s);

static void took_metadata(struct postern_imap *s, const struct imap_answer *answer)
{
    if (!answer->err) /* it may be gone by now */
        metadata_write(s, &s->list->metadata, answer);
    s->list->shown_at++;
    s->work = metadata_next;
}

static void metadata_next(struct postern_imap *s)
{
    struct imap_list *list = s->list;

    s->work = NULL;
    if (list->shown_at == list->shown_count) {
        imap_ok(s, NULL, "done");
        return;
    }
    list->metadata.mailbox = list->shown[list->shown_at].name;
    list->metadata.special = list->shown[list->shown_at].special;
    s->question = (struct postern_imap_question){.name = list->metadata.mailbox};
    imap_ask_if(s, POSTERN_IMAP_METADATA, rights_annotate, took_metadata);
}

/* note_shown - its name, for when the list is no longer lent.
 * I 9590:4-1 I 9590:4-2 */
static void note_shown(struct postern_imap *s, struct imap_list *list,
                       const struct postern_status *one)
{
    if (!list->shown || arena_copy(&s->arena, one->name, &list->shown[list->shown_count].name) < 0)
        imap_no_memory(s);
    else
        list->shown[list->shown_count++].special = one->special;
}

/* I 6.3.9-7 I 6.3.9.3-1 I 6.3.9.6-1 */
void list_show(struct postern_imap *s, const struct imap_answer *answer)
{
    struct imap_list *list = s->list;

    if (list->options & LIST_RETURN_METADATA)
        list->shown = arena_alloc(&s->arena, (answer->count + 1) * sizeof *list->shown);
    for (size_t i = 0; i < answer->count; i++) {
        const struct postern_status *one = &answer->statuses[i];
        bool child = false;

        if (!is_matched(list, one->name))
            continue;
        if (list->options & LIST_SELECT_RECURSIVE || (list->lsub && !one->subscribed))
            child = has_selected_below(list, answer, i, !is_selected(list, one));
        if (list->lsub && !one->subscribed && child)
            write_lsub_parent(s, list, one);
        else if (is_selected(list, one) || child)
            write_name(s, list, one, child);
        else
            continue;
        if (list->options & LIST_RETURN_METADATA && one->exists && is_selected(list, one))
            note_shown(s, list, one);
    }
    metadata_next(s);
}
