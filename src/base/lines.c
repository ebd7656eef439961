/* SPDX-License-Identifier: MIT */
/* lines - one search for each line end, and no other look at what lies between. */
#include "base/lines.h"

#include <string.h>

struct plain_lines lines_plain(struct postern_span octets)
{
    struct plain_lines lines = {0};
    const char *at = octets.p, *behind = octets.p + octets.n, *end;

    while (at < behind && *at != '-' && *at != '.' &&
           (end = memchr(at, '\n', (size_t)(behind - at)))) {
        lines.bare += end == at || end[-1] != '\r';
        lines.lines++;
        at = end + 1;
    }
    lines.n = (size_t)(at - octets.p);
    return lines;
}
