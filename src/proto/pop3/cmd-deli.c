/* SPDX-License-Identifier: MIT */
/* cmd-deli - DELI: delete one message at once (X20). Its number stays a gap. */
#include "proto/pop3/session.h"

void pop3_cmd_deli(struct postern_pop3 *s)
{
    if (s->read_only) {
        pop3_err(s, "READ-ONLY", TEXT_READ_ONLY);
        return;
    }
    s->question = (struct postern_pop3_question){
        .message = s->ref, .reason = POSTERN_POP3_BY_DELI, .count = 1};
    pop3_ask(s, POSTERN_POP3_EXPUNGE);
}
