/* SPDX-License-Identifier: MIT */
/* cmd-stat - STAT: how many messages and octets are left; nothing but the two numbers (R17). */
#include "proto/pop3/session.h"

void pop3_cmd_stat(struct postern_pop3 *s)
{
    struct reply reply;

    reply.n = 0;
    reply_add(&reply, SPAN("+OK "));
    reply_add_number(&reply, s->list.count - s->marks.marked_count - s->marks.gone_count);
    reply_add(&reply, SPAN(" "));
    reply_add_number(&reply, s->list.total_bytes - s->marks.marked_octets - s->marks.gone_octets);
    reply_write(&reply, &s->out);
    pop3_finish(s, true);
}
