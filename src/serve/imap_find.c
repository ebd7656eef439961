/* SPDX-License-Identifier: MIT */
/* imap_find - which messages may have a text (FIND), as the store knows of header fields, and of
 * all the rest the account's index of texts. What is not in the index yet is brought into it
 * meanwhile, for a while. */
#include "serve/imap_session.h"

#include "base/span.h"
#include "serve/text.h"

#define BRING_UP (POSTERN_SECOND / 4) /* what a search may wait for those after it */

static int find_work(struct serve_imap *s, unsigned wait_flag)
{
    const struct postern_imap_question *q = &s->question;
    struct postern_mailbox *box;
    int err = imap_reach(s, wait_flag, &box);

    buffer_take(&s->ranges, buffer_length(&s->ranges));
    if (!err && !box)
        err = POSTERN_E_NOT_FOUND;
    if (err)
        return err;
    if (q->field != POSTERN_MIME_OTHER)
        return imap_ops(s)->may_have(box, q->field, q->bytes, wait_flag, imap_note_range,
                                     &s->ranges);
    if (wait_flag)
        return POSTERN_E_AGAIN;
    return text_look_up(imap_ops(s), box, BRING_UP, q->bytes, &s->ranges);
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

const struct imap_work imap_find_work = {
    .work = find_work, .finish = find_finish, .tries_now = true};
