/* SPDX-License-Identifier: MIT */
/* lines - the lines of a message that nobody looks into, as most are. Pure. */
#ifndef BASE_LINES_H
#define BASE_LINES_H

#include <postern/base.h>

/* struct plain_lines - so many octets are whole lines. */
struct plain_lines {
    size_t n, lines, bare; /* bare: of the lines, without a CR */
};

/* lines_plain - whole lines at the front that begin with neither '-' nor '.'. */
struct plain_lines lines_plain(struct postern_span octets);

#endif
