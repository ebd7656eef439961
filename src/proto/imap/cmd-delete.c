/* SPDX-License-Identifier: MIT */
/* cmd-delete - DELETE (RFC 9051 6.3.5). To the application a name that is only a level above others
 * does not exist; to the client, who sees it in LIST, it does. So it is looked for there, as the
 * user may see it: what is hidden from him is no reason. */
#include "proto/imap/commands.h"
#include "proto/imap/list.h"
#include "proto/imap/rights.h"

static bool has_below(const struct postern_imap *s, const struct imap_answer *all,
                      struct postern_span name)
{
    for (size_t i = 0; i < all->count; i++)
        if (list_is_below(all->statuses[i].name, name) && rights_shows(s, &all->statuses[i]))
            return true;
    return false;
}

/* I 6.3.5-5 */
static void listed(struct postern_imap *s, const struct imap_answer *answer)
{
    if (answer->err)
        imap_refuse(s, answer->err);
    else if (has_below(s, answer, s->question.name))
        imap_no(s, "HASCHILDREN", "there are mailboxes below it");
    else
        imap_refuse(s, POSTERN_E_NOT_FOUND);
}

/* I 6.3.5-2 */
static void removed(struct postern_imap *s, const struct imap_answer *answer)
{
    struct postern_span name = s->question.name;

    if (answer->err == POSTERN_E_NOT_FOUND) {
        s->question =
            (struct postern_imap_question){.name = name, .shared = rights_asks_shared(s, name)};
        imap_ask(s, POSTERN_IMAP_LIST, listed);
    } else if (answer->err) {
        imap_refuse(s, answer->err);
    } else {
        imap_ok(s, NULL, "done");
    }
}

/* imap_cmd_delete - INBOX stays, whatever the application would make of it.
 * I 6.3.5-1 I 6.3.5-2 I 6.3.5-4 */
void imap_cmd_delete(struct postern_imap *s)
{
    struct postern_imap_question question = {0};

    parse_space(&s->in);
    question.name = parse_mailbox(s, &s->in);
    s->question = question;
    if (!imap_good(s))
        return;
    if (span_equal(s->question.name, SPAN("INBOX")))
        imap_refuse(s, POSTERN_E_DENIED);
    else
        imap_ask_if(s, POSTERN_IMAP_REMOVE, rights_remove, removed);
}
