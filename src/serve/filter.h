/* SPDX-License-Identifier: MIT */
/* filter - somebody else's word on a message before it is committed. */
#ifndef SERVE_FILTER_H
#define SERVE_FILTER_H

#include "serve/spool.h"

/* struct filter_question - what is known of the message; lent. */
struct filter_question {
    struct postern_span sender, recipients; /* the latter apart by line ends */
    struct postern_span helo, peer, user, protocol, transaction;
    const struct spool *message;
};

/* struct filter_verdict - zero: it is fine as it is. */
struct filter_verdict {
    unsigned code; /* 0: accepted; else refused with this */
    char enhanced[16], text[256];
    char mailbox[256];     /* into this one, if it is there or may be made; "": where it belongs */
    struct buffer headers; /* put before it, each with CRLF */
};

/* struct serve_filter - the daemon fills it in. */
struct serve_filter {
    /* judge - waits; 0 and a verdict, or <0: it could not be asked, which is a refusal for now
     * unless accepts_on_failure. */
    int (*judge)(void *ctx, const struct filter_question *question,
                 struct filter_verdict *verdict_r);
    bool accepts_on_failure;
    const char *folder; /* for messages that are too large for memory */
    void *ctx;
};

#endif
