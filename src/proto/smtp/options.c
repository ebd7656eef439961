/* SPDX-License-Identifier: MIT */
/* options - the defaults, each with its reason in the header. */
#include <postern/smtp.h>

void postern_smtp_options_init(struct postern_smtp_options *options, size_t struct_bytes)
{
    *options = (struct postern_smtp_options){
        .struct_bytes = (uint32_t)struct_bytes,
        .role = POSTERN_SMTP_MX,
        .hostname = {"localhost", 9},
        .greeting = {"Postern ready", 13},
        .session_name = {"0", 1},
        .smtputf8 = true,
        .received = true,
        .message_max = UINT64_C(50) << 20,
        .recipients_max = 1000,
        .transactions_max = 1000,
        .header_max = 256u << 10,
        .header_lines_max = 1000,
        .received_max = 100,
        .errors_max = 20,
        .idle_commands_max = 100,
        .failures_max = 3,
        .write_chunk = 16384,
        .command_timeout = 300 * POSTERN_SECOND,
    };
}
