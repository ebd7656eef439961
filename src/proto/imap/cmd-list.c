/* SPDX-License-Identifier: MIT */
/* cmd-list - LIST and LSUB (RFC 9051 6.3.9, RFC 3501 6.3.9, RFC 5258, 5819, 6154), and XLIST, as
 * clients older than SPECIAL-USE say it. */
#include "proto/imap/commands.h"
#include "proto/imap/list.h"
#include "proto/imap/rights.h"

static void listed(struct postern_imap *s, const struct imap_answer *answer)
{
    struct imap_answer seen = *answer;

    if (answer->err)
        imap_refuse(s, answer->err);
    else if ((seen.statuses = rights_visible(s, answer)))
        list_show(s, &seen);
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
    s->question = (struct postern_imap_question){.on = list->options & LIST_RETURN_STATUS};
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
    list_parse_selection(s, list);
    list_parse_patterns(s, list);
    list_parse_return(s, list);
    if (!imap_good(s))
        return;
    ask(s, list);
}

/* older - LSUB and XLIST have no options of their own. */
static void older(struct postern_imap *s, struct imap_list *list)
{
    list_parse_patterns(s, list);
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
    list->options = LIST_SELECT_SUBSCRIBED;
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
