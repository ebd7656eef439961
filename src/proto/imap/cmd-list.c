/* SPDX-License-Identifier: MIT */
/* cmd-list - LIST and LSUB (RFC 9051 6.3.9, RFC 3501 6.3.9, RFC 5258, 5819, 6154), and XLIST, as
 * clients older than SPECIAL-USE say it. The application tells all names, in order, levels without
 * a mailbox included; what of them is shown is decided here. */
#include "codec/pattern.h"
#include "proto/imap/commands.h"
#include "proto/imap/metadata.h"
#include "proto/imap/rights.h"

#define PATTERNS_MAX 64

enum {
    SELECT_SUBSCRIBED = 1,
    SELECT_RECURSIVE = 2,
    SELECT_SPECIAL = 4,
    RETURN_SUBSCRIBED = 8,
    RETURN_CHILDREN = 16,
    RETURN_SPECIAL = 32,
    RETURN_STATUS = 64,
    RETURN_METADATA = 128,
    RETURN_RIGHTS = 256
};

struct imap_list {
    unsigned options, status;
    bool lsub, xlist;
    bool extended; /* RFC 5258: by options, by several patterns, or by RETURN */
    struct postern_span patterns[PATTERNS_MAX];
    size_t pattern_count;
    /* RFC 9590: of those that were shown, one after the other */
    struct imap_metadata metadata;
    struct {
        struct postern_span name;
        enum postern_special_use special;
    } * shown;
    size_t shown_count, shown_at;
};

/* ---- what is asked for ----------------------------------------------------------------------- */

/* I 6.3.9-8 I 6.3.9.1-3 I 6.3.9.1-5 I 5258:3-7 I 5258:3-8 I 5258:3.1-3 I 5258:3.1-4 I 6154:2-2 */
static void parse_selection(struct postern_imap *s, struct imap_list *list)
{
    bool other = false;

    if (!parse_try(&s->in, '('))
        return;
    list->extended = true;
    while (!s->in.bad && !parse_try(&s->in, ')')) {
        if (parse_try_word(&s->in, "SUBSCRIBED"))
            list->options |= SELECT_SUBSCRIBED | RETURN_SUBSCRIBED, other = true;
        else if (parse_try_word(&s->in, "SPECIAL-USE"))
            list->options |= SELECT_SPECIAL | RETURN_SPECIAL, other = true;
        else if (parse_try_word(&s->in, "RECURSIVEMATCH"))
            list->options |= SELECT_RECURSIVE;
        else if (!parse_try_word(&s->in, "REMOTE"))
            s->in.bad = true;
        if (s->in.rest.n && s->in.rest.p[0] != ')')
            parse_space(&s->in);
    }
    if (list->options & SELECT_RECURSIVE && !other)
        s->in.bad = true; /* RFC 5258 3.1 */
    parse_space(&s->in);
}

/* I 6.3.9-9 */
static void parse_return(struct postern_imap *s, struct imap_list *list)
{
    if (!parse_try(&s->in, ' '))
        return;
    list->extended = true;
    if (!parse_try_word(&s->in, "RETURN"))
        s->in.bad = true;
    parse_space(&s->in);
    parse_char(&s->in, '(');
    while (!s->in.bad && !parse_try(&s->in, ')')) {
        if (parse_try_word(&s->in, "SUBSCRIBED")) {
            list->options |= RETURN_SUBSCRIBED;
        } else if (parse_try_word(&s->in, "CHILDREN")) {
            list->options |= RETURN_CHILDREN;
        } else if (parse_try_word(&s->in, "SPECIAL-USE")) {
            list->options |= RETURN_SPECIAL;
        } else if (parse_try_word(&s->in, "STATUS")) {
            list->options |= RETURN_STATUS;
            parse_space(&s->in);
            list->status = imap_parse_status_items(s);
        } else if (imap_offers(s, "LIST-METADATA") && parse_try_word(&s->in, "METADATA")) {
            list->options |= RETURN_METADATA;
            parse_space(&s->in);
            metadata_parse_entries(s, &list->metadata);
        } else if (imap_offers(s, "LIST-MYRIGHTS") && parse_try_word(&s->in, "MYRIGHTS")) {
            list->options |= RETURN_RIGHTS;
        } else {
            s->in.bad = true;
        }
        if (s->in.rest.n && s->in.rest.p[0] != ')')
            parse_space(&s->in);
    }
}

/* one_pattern - behind the reference.
 * I 6.3.9-4 I 6.3.9-6 I 5258:3-3 I 5258:3-4 */
static void one_pattern(struct postern_imap *s, struct imap_list *list,
                        struct postern_span reference)
{
    struct postern_span pattern = parse_pattern(s, &s->in);
    char *both;

    if (list->pattern_count == PATTERNS_MAX)
        s->in.bad = true;
    if (s->in.bad || pattern.n == 0)
        return;
    both = arena_alloc(&s->arena, reference.n + pattern.n + 1);
    if (!both) {
        imap_no_memory(s);
        return;
    }
    if (reference.n)
        memcpy(both, reference.p, reference.n);
    memcpy(both + reference.n, pattern.p, pattern.n);
    list->patterns[list->pattern_count++] = span_make(both, reference.n + pattern.n);
}

static void parse_patterns(struct postern_imap *s, struct imap_list *list)
{
    struct postern_span reference = parse_pattern(s, &s->in);

    parse_space(&s->in);
    if (!parse_try(&s->in, '(')) {
        one_pattern(s, list, reference);
        return;
    }
    list->extended = true;
    do
        one_pattern(s, list, reference);
    while (!s->in.bad && parse_try(&s->in, ' '));
    parse_char(&s->in, ')');
}

/* ---- what is shown --------------------------------------------------------------------------- */

/* I 6.3.9-2 I 6.3.9-10 I 6.3.9-12 I 5258:3-1 I 5258:3.3-1 */
static bool is_matched(const struct imap_list *list, struct postern_span name)
{
    for (size_t i = 0; i < list->pattern_count; i++)
        if (pattern_matches(name, list->patterns[i]))
            return true;
    return false;
}

static bool is_below(struct postern_span name, struct postern_span parent)
{
    return name.n > parent.n && span_begins(name, parent) && name.p[parent.n] == '/';
}

/* I 6.3.7-2 I 6.3.9.1-1 I 5258:3-5 I 5258:3-6 I 5258:3.1-1 I 6154:2-1 */
static bool is_selected(const struct imap_list *list, const struct postern_status *one)
{
    if (list->options & SELECT_SUBSCRIBED && !one->subscribed)
        return false;
    if (list->options & SELECT_SPECIAL && !one->special)
        return false;
    return list->options & SELECT_SUBSCRIBED || one->exists || one->has_children;
}

/* has_selected_below - hidden: one that no pattern shows by itself.
 * I 6.3.9.1-4 I 6.3.9.6-2 I 5258:3.5-2 I 5258:3.5-3 I 5258:3.5-4 */
static bool has_selected_below(const struct imap_list *list, const struct imap_answer *all,
                               size_t at, bool hidden)
{
    for (size_t i = at + 1; i < all->count; i++) {
        const struct postern_status *one = &all->statuses[i];

        if (is_below(one->name, all->statuses[at].name) && is_selected(list, one) &&
            (!hidden || !is_matched(list, one->name)))
            return true;
    }
    return false;
}

static void write_attribute(struct postern_imap *s, const char **space, const char *name)
{
    write_text(s, *space);
    write_text(s, name);
    *space = " ";
}

/* write_child_info - which criteria one below meets (RFC 5258 3.5).
 * I 5258:3.5-1 I 5258:3.5-5 I 6154:6-1 */
static void write_child_info(struct postern_imap *s, const struct imap_list *list)
{
    bool subscribed = list->options & SELECT_SUBSCRIBED, special = list->options & SELECT_SPECIAL;

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
        if (one->subscribed && list->options & RETURN_SUBSCRIBED)
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
    if (list->options & RETURN_RIGHTS)
        rights_write_mine(s, one->name, one->rights);
    if (list->options & RETURN_STATUS && rights_permit(s, one->rights, rights_read))
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

/* ---- annotations of what is shown ------------------------------------------------------------ */

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
static void show(struct postern_imap *s, const struct imap_answer *answer)
{
    struct imap_list *list = s->list;

    if (list->options & RETURN_METADATA)
        list->shown = arena_alloc(&s->arena, (answer->count + 1) * sizeof *list->shown);
    for (size_t i = 0; i < answer->count; i++) {
        const struct postern_status *one = &answer->statuses[i];
        bool child = false;

        if (!is_matched(list, one->name))
            continue;
        if (list->options & SELECT_RECURSIVE || (list->lsub && !one->subscribed))
            child = has_selected_below(list, answer, i, !is_selected(list, one));
        if (list->lsub && !one->subscribed && child)
            write_lsub_parent(s, list, one);
        else if (is_selected(list, one) || child)
            write_name(s, list, one, child);
        else
            continue;
        if (list->options & RETURN_METADATA && one->exists && is_selected(list, one))
            note_shown(s, list, one);
    }
    metadata_next(s);
}

static void listed(struct postern_imap *s, const struct imap_answer *answer)
{
    struct imap_answer seen = *answer;

    if (answer->err)
        imap_refuse(s, answer->err);
    else if ((seen.statuses = rights_visible(s, answer)))
        show(s, &seen);
}

static void ask(struct postern_imap *s, const struct imap_list *list)
{
    if (!list->pattern_count && !list->extended) { /* what is the delimiter? */
        write_text(s, "* ");
        write_text(s, s->row->name);
        write_text(s, " (\\Noselect) \"/\" \"\"\r\n");
        imap_ok(s, NULL, "done");
        return;
    }
    s->question = (struct postern_imap_question){.on = list->options & RETURN_STATUS};
    for (size_t i = 0; i < list->pattern_count; i++)
        s->question.shared |= rights_asks_shared(s, list->patterns[i]);
    imap_ask(s, POSTERN_IMAP_LIST, listed);
}

static struct imap_list *list_new(struct postern_imap *s)
{
    struct imap_list *list = arena_alloc(&s->arena, sizeof *list);

    if (!list) {
        imap_no_memory(s);
        return NULL;
    }
    *list = (struct imap_list){0};
    s->list = list;
    parse_space(&s->in);
    return list;
}

/* I 6.3.9-5 I 5258:3-2 */
void imap_cmd_list(struct postern_imap *s)
{
    struct imap_list *list = list_new(s);

    if (!list)
        return;
    parse_selection(s, list);
    parse_patterns(s, list);
    parse_return(s, list);
    if (!imap_good(s))
        return;
    ask(s, list);
}

/* older - LSUB and XLIST have no options of their own. */
static void older(struct postern_imap *s, struct imap_list *list)
{
    parse_patterns(s, list);
    if (!imap_good(s))
        return;
    ask(s, list);
}

/* I 3501:6.3.9-1 I 3501:6.3.9-3 */
void imap_cmd_lsub(struct postern_imap *s)
{
    struct imap_list *list = list_new(s);

    if (!list)
        return;
    list->lsub = true;
    list->options = SELECT_SUBSCRIBED;
    older(s, list);
}

void imap_cmd_xlist(struct postern_imap *s)
{
    struct imap_list *list = list_new(s);

    if (!list)
        return;
    list->xlist = true;
    older(s, list);
}
