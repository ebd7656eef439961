/* SPDX-License-Identifier: MIT */
/* address - a local part goes in quotes where one of its characters would end it. */
#include "serve/address.h"

#include "base/span.h"

static bool is_plain(struct postern_span local)
{
    for (size_t i = 0; i < local.n; i++)
        if ((unsigned char)local.p[i] <= ' ' || strchr("\"(),:;<>@[\\]", local.p[i]))
            return false;
    return local.n > 0;
}

void address_write(struct buffer *out, struct postern_span local, struct postern_span domain)
{
    const char *quote = is_plain(local) ? "" : "\"";

    buffer_append_text(out, quote);
    for (size_t i = 0; i < local.n; i++) {
        if (*quote && (local.p[i] == '"' || local.p[i] == '\\'))
            buffer_append_char(out, '\\');
        buffer_append_char(out, local.p[i]);
    }
    buffer_append_text(out, quote);
    if (domain.p)
        buffer_append_char(out, '@');
    buffer_append(out, domain);
}
