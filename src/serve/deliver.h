/* SPDX-License-Identifier: MIT */
/* deliver - a message into a mailbox by the program itself: LMTP said within it, so that what comes
 * through a pipe is treated as what comes through a socket. */
#ifndef SERVE_DELIVER_H
#define SERVE_DELIVER_H

#include "serve/serve.h"

/* struct deliver - where to, and how. Texts are lent. */
struct deliver {
    struct postern_store *store;
    struct accounts *accounts;
    struct recipients *recipients;
    const struct postern_smtp_options *smtp;
    struct postern_span sender;    /* empty: <> */
    struct postern_span recipient; /* an address, or an account */
    const char *mailbox;           /* into this one if it is there; NULL: what the address says */
    const char *original;          /* X-Original-To; NULL: none */
    bool detail_create;
    struct space *space; /* NULL: not asked */
};

/* struct deliver_result - what LMTP would have said. */
struct deliver_result {
    unsigned code;
    char enhanced[16], text[512];
};

/* deliver_message - read(ctx, ...) gives the octets, 0 at their end, <0 fails (then nothing is
 * delivered). A "From " line of an mbox at the beginning is dropped, a missing line end added.
 * Returns 0 with result_r set, or POSTERN_E_NOMEM, _IO. */
int deliver_message(const struct deliver *deliver, int (*read)(void *ctx, char *out, size_t n),
                    void *ctx, struct deliver_result *result_r);

#endif
