/* SPDX-License-Identifier: MIT */
/* cmd-dele - DELE: mark for deletion; nothing is deleted before QUIT, SLEE or QAUT (R22). */
#include "proto/pop3/session.h"

void pop3_cmd_dele(struct postern_pop3 *s)
{
    int err;

    if (s->read_only) {
        pop3_err(s, "READ-ONLY", TEXT_READ_ONLY); /* X20 */
        return;
    }
    if (s->ref.number)
        err = marks_set(&s->marks, s->ref.number - 1, s->ref.size_bytes);
    else
        err = marks_add_extra(&s->marks, s->ref.uid, s->ref.size_bytes, false); /* X4 */
    if (err < 0)
        pop3_no_memory(s);
    else
        pop3_ok(s, TEXT_MARKED);
}
