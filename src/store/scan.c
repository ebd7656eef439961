/* SPDX-License-Identifier: MIT */
/* scan - one pass over a message by lines (memchr), never octet by octet in the body.
 * R35: sizes count CRLF line ends; R20: a missing last line end is added when the message is
 * sent. */
#include "store/scan.h"

#include "base/lines.h"
#include "base/span.h"
#include <errno.h>
#include <unistd.h>

#define SCAN_BYTES 65536

/* scan_piece - a run without a line feed, or one that ends in it. */
static void scan_piece(struct scan *scan, struct postern_span piece, bool ends)
{
    size_t content = piece.n - ends;
    char before_end = content ? piece.p[content - 1] : scan->last;
    bool at_start = !scan->started || scan->last == '\n';

    if (at_start && piece.p[0] == '.')
        scan->dirty = true;
    if (!scan->in_body && !scan->utf8_header)
        scan->utf8_header = span_has_8bit(span_make(piece.p, content));
    /* a header ends with a line that holds nothing but its line end, cut into pieces or not */
    if (at_start)
        scan->line_blank = content == 0 || (content == 1 && piece.p[0] == '\r');
    else if (content)
        scan->line_blank = false;
    scan->size_raw += piece.n;
    scan->size_wire += piece.n;
    if (ends) {
        bool crlf = before_end == '\r' && (content || (scan->started && !at_start));

        if (!crlf) {
            scan->size_wire++;
            scan->dirty = true;
        }
        if (scan->line_blank)
            scan->in_body = true;
    }
    scan->last = piece.p[piece.n - 1];
    scan->started = true;
}

/* pass_lines - whole lines of a body that do not begin with a dot. How many octets they are. */
static size_t pass_lines(struct scan *scan, struct postern_span bytes)
{
    struct plain_lines lines = lines_plain(bytes);

    scan->size_raw += lines.n;
    scan->size_wire += lines.n + lines.bare;
    scan->dirty |= lines.bare > 0;
    return lines.n;
}

static size_t take_piece(struct scan *scan, struct postern_span bytes)
{
    size_t at = span_find(bytes, '\n'), n = at < bytes.n ? at + 1 : bytes.n;

    scan_piece(scan, span_make(bytes.p, n), at < bytes.n);
    return n;
}

void scan_feed(struct scan *scan, struct postern_span bytes)
{
    while (bytes.n) {
        size_t n = scan->in_body && scan->last == '\n' ? pass_lines(scan, bytes) : 0;

        bytes = span_from(bytes, n ? n : take_piece(scan, bytes));
    }
}

void scan_end(struct scan *scan)
{
    if (scan->started && scan->last != '\n') {
        scan->size_wire += 2;
        scan->dirty = true;
    }
    scan->wire_clean = !scan->dirty;
}

int scan_fd(int fd, struct scan *scan_r)
{
    char bytes[SCAN_BYTES];
    off_t offset = 0;
    ssize_t n;

    *scan_r = (struct scan){0};
    for (;;) {
        n = pread(fd, bytes, sizeof bytes, offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        scan_feed(scan_r, span_make(bytes, (size_t)n));
        offset += n;
    }
    scan_end(scan_r);
    return n < 0 ? POSTERN_E_IO : 0;
}
