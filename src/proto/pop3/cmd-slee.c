/* SPDX-License-Identifier: MIT */
/* cmd-slee - opening the mailbox: at login, and at WAKE (R13 X12 X13). SLEE is in cmd-quit.c. */
#include "proto/pop3/session.h"

void pop3_open_mailbox(struct postern_pop3 *s, struct postern_span user)
{
    if (pop3_set_text(s, &s->user, user) < 0) {
        pop3_no_memory(s);
        return;
    }
    s->waking = false;
    s->question = (struct postern_pop3_question){.user = s->user};
    pop3_ask(s, POSTERN_POP3_OPEN);
}

void pop3_cmd_wake(struct postern_pop3 *s)
{
    s->waking = true;
    s->question = (struct postern_pop3_question){.user = s->user, .waking = true};
    pop3_ask(s, POSTERN_POP3_OPEN);
}

static bool list_is_sane(const struct postern_pop3 *s)
{
    if (s->list.count > UINT32_MAX - 1)
        return false;
    for (size_t i = 0; i < s->list.count; i++)
        if (!pop3_uid_is_valid(pop3_uid(s, i))) /* R28 */
            return false;
    return true;
}

static void refused(struct postern_pop3 *s, enum postern_verdict verdict, struct postern_span text)
{
    if (s->waking)
        pop3_err_verdict(s, verdict, text); /* still asleep, may try again (X13) */
    else
        pop3_login_failed(s, verdict, text); /* back to AUTHORIZATION (R13) */
}

static void attach(struct postern_pop3 *s, const struct postern_pop3_mailbox *mailbox)
{
    marks_init(&s->marks, s->o.allocator, s->list.count);
    s->read_only = mailbox->read_only;
    s->expire_days = mailbox->expire_days;
    s->login_delay_s = mailbox->login_delay_s;
    s->last_number = s->last_number_at_open = mailbox->last;
    pop3_enter(s, POSTERN_POP3_TRANSACTION);
    s->failures = 0;
}

void pop3_opened(struct postern_pop3 *s, enum postern_verdict verdict,
                 const struct postern_pop3_mailbox *mailbox, struct postern_span text)
{
    const char *code = NULL;
    bool foreign = text.n != 0;

    if (verdict != POSTERN_YES) {
        refused(s, verdict, text);
        return;
    }
    s->list = mailbox->list;
    if (!list_is_sane(s)) {
        s->list = (struct postern_list){0};
        pop3_tell(s, POSTERN_POP3_MAILBOX_DONE, 0, false);
        refused(s, POSTERN_NO_PERMANENT, (struct postern_span){NULL, 0});
        return;
    }
    attach(s, mailbox);
    if (s->waking && mailbox->knows_activity)
        code = mailbox->new_since ? "ACTIVITY/NEW" : "ACTIVITY/NONE";
    if (!foreign)
        text = text_get(s->language, s->waking ? TEXT_AWAKE : TEXT_LOGGED_IN);
    pop3_line(s, true, code, text, foreign);
    pop3_finish(s, true);
}
