/* SPDX-License-Identifier: MIT */
/* nfc - decomposed and composed again by libutf8proc, and compared.
 * Trap: only the calls that take our array are used; the others of the library call malloc. */
#include "codec/nfc.h"
#include "codec/utf8.h"
#include <string.h>
#include <utf8proc.h>

#define FORM (UTF8PROC_STABLE | UTF8PROC_COMPOSE)
#define POINTS_MAX 1024

bool nfc_is(struct postern_span text)
{
    int32_t points[POINTS_MAX];
    utf8proc_ssize_t count;
    size_t at = 0;

    if (utf8_is_ascii(text))
        return true;
    count = utf8proc_decompose((const utf8proc_uint8_t *)text.p, (utf8proc_ssize_t)text.n, points,
                               POINTS_MAX, FORM);
    if (count > POINTS_MAX)
        return true;
    count = utf8proc_normalize_utf32(points, count, FORM);
    for (utf8proc_ssize_t i = 0; i < count; i++) {
        utf8proc_uint8_t octets[4];
        size_t n = (size_t)utf8proc_encode_char(points[i], octets);

        if (n > text.n - at || memcmp(text.p + at, octets, n) != 0)
            return false;
        at += n;
    }
    return count >= 0 && at == text.n;
}
