/* SPDX-License-Identifier: MIT */
/* scan - what a message's octets tell a server: wire size, wire-clean, raw UTF-8 in the header. */
#ifndef STORE_SCAN_H
#define STORE_SCAN_H

#include <postern/base.h>

/* struct scan - zero it, feed all octets in any split, read the results after scan_end(). */
struct scan {
    uint64_t size_raw, size_wire;
    bool wire_clean, utf8_header;
    bool dirty, in_body, started;
    char last;       /* octet */
    bool line_blank; /* nothing on this line yet, but perhaps a CR */
};

void scan_feed(struct scan *scan, struct postern_span bytes);
void scan_end(struct scan *scan);
/* scan_fd - a whole file from its beginning. 0 or POSTERN_E_IO. */
int scan_fd(int fd, struct scan *scan_r);

#endif
