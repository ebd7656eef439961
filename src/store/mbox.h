/* SPDX-License-Identifier: MIT */
/* mbox - messages one after the other in a file (RFC 4155): each begins with a line "From ADDRESS
 * DATE", after an empty line or at the beginning; "From " at the beginning of other lines is
 * written
 * ">From ", and ">From " ">>From " (mboxrd). No I/O. */
#ifndef STORE_MBOX_H
#define STORE_MBOX_H

#include "base/buffer.h"

/* struct mbox - zero it. */
struct mbox {
    char line[1024]; /* the beginning of the line under way */
    size_t n;
    bool in_message, after_blank, passing; /* passing: the rest of a long line */
    bool has_blank; /* an empty line that is held back: the one before "From " is none of the
                       message's */
    bool begun;
};

enum mbox_event {
    MBOX_MORE,  /* in is used up */
    MBOX_BEGIN, /* a message; bytes is its From line without line end, for the date */
    MBOX_BYTES, /* octets of it */
    MBOX_END    /* of the message */
};

/* mbox_next - what comes next in *in, which becomes the rest. bytes_r: lent until the next call. */
enum mbox_event mbox_next(struct mbox *mbox, struct postern_span *in, struct postern_span *bytes_r);
/* mbox_end - the file is over: the same, until MBOX_MORE. */
enum mbox_event mbox_end(struct mbox *mbox, struct postern_span *bytes_r);
/* mbox_quote - append a line of a message as it stands in a file. */
void mbox_quote(struct postern_span line, struct buffer *out);

#endif
