/* SPDX-License-Identifier: MIT */
/* options - the defaults, each with its reason in the header. */
#include <postern/imap.h>

void postern_imap_options_init(struct postern_imap_options *options, size_t struct_bytes)
{
    *options = (struct postern_imap_options){
        .struct_bytes = (uint32_t)struct_bytes,
        .greeting = {"Postern ready", 13},
        .id_name = {"Postern", 7},
        .sasl_mechanisms = POSTERN_SASL_PLAIN | POSTERN_SASL_LOGIN | POSTERN_SASL_SCRAM_SHA_1 |
                           POSTERN_SASL_SCRAM_SHA_256 | POSTERN_SASL_SCRAM_SHA_256_PLUS,
        .command_before_login_max = 40960,
        .command_max = 1u << 20,
        .notify_max = 10000,
        .append_max = UINT64_C(64) << 20,
        .errors_max = 20,
        .failures_max = 3,
        .output_mark = 65536,
        .read_chunk = 65536,
        .login_timeout = 60 * POSTERN_SECOND,
        .idle_timeout = 1800 * POSTERN_SECOND,
    };
}
