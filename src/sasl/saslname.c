/* SPDX-License-Identifier: MIT */
/* saslname - RFC 5802 5.1: ',' and '=' come escaped. Owns nothing. */
#include "sasl/saslname.h"

static int unescape(struct postern_span in, struct buffer *out)
{
    while (in.n > 0) {
        if (in.p[0] != '=') {
            buffer_append_char(out, in.p[0]);
            in = span_from(in, 1);
            continue;
        }
        if (!span_begins_nocase(in, SPAN("=2C")) && !span_begins_nocase(in, SPAN("=3D")))
            return POSTERN_E_SYNTAX;
        buffer_append_char(out, in.p[1] == '2' ? ',' : '=');
        in = span_from(in, 3);
    }
    return out->error;
}

int saslname_read(struct postern_sasl *sasl, struct postern_span in, struct postern_span *out_r)
{
    struct buffer name = {.allocator = &sasl->allocator};
    int err = span_find(in, '\0') == in.n ? unescape(in, &name) : POSTERN_E_SYNTAX;
    if (!err)
        err = sasl_prepare(sasl, buffer_span(&name), out_r);
    buffer_done(&name);
    return err;
}
