/* SPDX-License-Identifier: MIT */
/* escape - percent escapes for values of the password file. */
#include "accounts/escape.h"

void escape_append(struct buffer *out, struct postern_span value)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];

        if (c > ' ' && c < 127 && c != '%' && c != ':') {
            buffer_append_char(out, (char)c);
            continue;
        }
        buffer_append_char(out, '%');
        buffer_append_char(out, digits[c >> 4]);
        buffer_append_char(out, digits[c & 15]);
    }
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int escape_decode(struct postern_span value, char *out, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < value.n; i++) {
        if (n == size)
            return POSTERN_E_TOO_LONG;
        if (value.p[i] != '%') {
            out[n++] = value.p[i];
            continue;
        }
        if (i + 2 >= value.n || hex(value.p[i + 1]) < 0 || hex(value.p[i + 2]) < 0)
            return POSTERN_E_SYNTAX;
        out[n++] = (char)(hex(value.p[i + 1]) << 4 | hex(value.p[i + 2]));
        i += 2;
    }
    return (int)n;
}
