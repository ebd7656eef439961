/* SPDX-License-Identifier: MIT */
/* imap_find - which messages may have a text (FIND), as the account's index of texts knows. What is
 * not in the index yet is brought into it meanwhile, for a while. */
#include "serve/imap_session.h"

#include "base/span.h"
#include "serve/text.h"

#define BRING_UP (POSTERN_SECOND / 4) /* what a search may wait for those after it */

static int find_work(struct serve_imap *s, unsigned wait_flag)
{
    struct postern_mailbox *box;
    int err = imap_reach(s, wait_flag, &box);

    if (!err && !box)
        err = POSTERN_E_NOT_FOUND;
    return err ? err : text_look_up(imap_ops(s), box, BRING_UP, s->question.bytes, &s->ranges);
}

static void find_finish(struct serve_imap *s, int err)
{
    struct postern_span ranges = buffer_span(&s->ranges);

    if (err < 0 && err != POSTERN_E_NOT_FOUND && err != POSTERN_E_UNSUPPORTED)
        login_log_error(&s->login, "text index", err);
    postern_imap_answer_found(s->engine, s->question.id, err,
                              (const struct postern_uid_range *)(const void *)ranges.p,
                              ranges.n / sizeof(struct postern_uid_range));
    buffer_done(&s->ranges);
}

const struct imap_work imap_find_work = {.work = find_work, .finish = find_finish};
