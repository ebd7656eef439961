/* SPDX-License-Identifier: MIT */
/* options - the defaults of a session; each limit's reason stands in the header. */
#include "proto/pop3/session.h"

void postern_pop3_options_init(struct postern_pop3_options *options, size_t struct_bytes)
{
    struct postern_pop3_options defaults = {
        .struct_bytes = (uint32_t)struct_bytes,
        .host = SPAN("localhost"),
        .greeting = SPAN("Postern ready"),
        .implementation = SPAN("Postern"),
        .stamp = POSTERN_POP3_STAMP_NONE,
        .sasl_mechanisms = POSTERN_SASL_PLAIN | POSTERN_SASL_LOGIN | POSTERN_SASL_SCRAM_SHA_256 |
                           POSTERN_SASL_SCRAM_SHA_256_PLUS | POSTERN_SASL_SCRAM_SHA_1,
        .user_pass = true,
        .uid_param = true,
        .slee_wake = true,
        .deli = true,
        .qaut = true,
        .utf8 = true,
        .lang = true,
        .top = true,
        .uidl = true,
        .surrogate = POSTERN_POP3_SURROGATE_SEND,
        .expire_days = -1,
        .login_delay_s = -1,
        .line_max = 1024,
        .sasl_line_max = 65536,
        .errors_max = 20,
        .failures_max = 3,
        .output_mark = 32768,
        .read_chunk = 16384,
        .login_timeout = 60 * POSTERN_SECOND,
        .idle_timeout = 600 * POSTERN_SECOND,
        .asleep_timeout = 1800 * POSTERN_SECOND,
    };

    /* an older caller's struct is shorter: no octet behind it is touched */
    memcpy(options, &defaults, struct_bytes < sizeof defaults ? struct_bytes : sizeof defaults);
}
