/* SPDX-License-Identifier: MIT */
/* rights - a letter for each bit, in the order of the bits. */
#include "codec/rights.h"

#include <string.h>

#define LETTERS "lrswipkxtea" /* as the bits of POSTERN_RIGHT_* rise */
#define OLD_CREATE (1u << 6 | 1u << 7)
#define OLD_DELETE (1u << 8 | 1u << 9)

int rights_parse(struct postern_span letters, uint32_t *rights_r)
{
    uint32_t rights = 0;

    for (size_t i = 0; i < letters.n; i++) {
        const char *at = memchr(LETTERS, letters.p[i], strlen(LETTERS));

        if (letters.p[i] == 'c')
            rights |= OLD_CREATE;
        else if (letters.p[i] == 'd')
            rights |= OLD_DELETE;
        else if (at)
            rights |= 1u << (at - LETTERS);
        else
            return POSTERN_E_SYNTAX;
    }
    *rights_r = rights;
    return 0;
}

void rights_write(struct buffer *out, uint32_t rights, bool old)
{
    for (unsigned i = 0; LETTERS[i]; i++) {
        if (LETTERS[i] == 'a' && old && rights & OLD_CREATE)
            buffer_append_char(out, 'c');
        if (LETTERS[i] == 'a' && old && rights & OLD_DELETE)
            buffer_append_char(out, 'd');
        if (rights >> i & 1)
            buffer_append_char(out, LETTERS[i]);
    }
}
