/* SPDX-License-Identifier: MIT */
/* cmd-stls - STLS: TLS begins behind this reply (R60 R61 R65).
 * Whatever was said in the clear is forgotten, and what the client sent behind STLS is dropped. */
#include "proto/pop3/session.h"

void pop3_cmd_stls(struct postern_pop3 *s)
{
    if (s->tls) {
        pop3_err(s, NULL, TEXT_TLS_ACTIVE);
        return;
    }
    s->want_tls = true;
    pop3_ok(s, TEXT_BEGIN_TLS);
    pop3_forget_login(s);
    s->utf8 = false; /* R90: UTF8 does not forbid STLS, but is forgotten */
    s->language = LANGUAGE_DEFAULT;
}
