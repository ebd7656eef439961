/* SPDX-License-Identifier: MIT */
/* cmd-utf8 - UTF8: messages with UTF-8 headers are sent as they are from now on (R85 R88). */
#include "proto/pop3/session.h"

void pop3_cmd_utf8(struct postern_pop3 *s)
{
    s->utf8 = true;
    pop3_ok(s, TEXT_UTF8_ON);
}
