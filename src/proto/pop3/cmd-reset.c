/* SPDX-License-Identifier: MIT */
/* cmd-reset - RSET, NOOP, LAST: the commands that touch nothing but the session (R23 R24). */
#include "proto/pop3/session.h"

void pop3_cmd_rset(struct postern_pop3 *s)
{
    marks_clear(&s->marks); /* what DELI took stays gone (X20) */
    s->last_number = s->last_number_at_open;
    pop3_ok(s, TEXT_UNMARKED);
}

void pop3_cmd_noop(struct postern_pop3 *s)
{
    pop3_ok(s, TEXT_DONE);
}

/* RFC 1460 LAST: the highest number accessed. */
void pop3_cmd_last(struct postern_pop3 *s)
{
    struct reply reply;

    reply.n = 0;
    reply_add(&reply, SPAN("+OK "));
    reply_add_number(&reply, s->last_number);
    reply_write(&reply, &s->out);
    pop3_finish(s, true);
}
