/* SPDX-License-Identifier: MIT */
/* reply - the answer to one HTTP/1.1 request, with its body kept (RFC 9112). What the connection
 * does afterwards is nobody's concern: the request says "Connection: close".
 *
 * Bounded: a line has 8 KiB, the header and each chunk's lines 64 KiB in all, the body what the
 * caller says. An encoding other than chunked is refused. */
#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include "proto/wire/line.h"

enum http_step {
    HTTP_STATUS,
    HTTP_HEADER,
    HTTP_BODY, /* `left` octets of it */
    HTTP_BODY_TO_EOF,
    HTTP_CHUNK_SIZE,
    HTTP_CHUNK, /* `left` octets of it */
    HTTP_CHUNK_END,
    HTTP_TRAILER,
    HTTP_WHOLE
};

/* struct http_reply - set up with http_reply_init(). status and body count once it is whole. */
struct http_reply {
    enum http_step step;
    unsigned status;
    struct buffer body;
    size_t body_max;
    bool has_length, chunked, coded; /* coded: in a way that we do not know */
    uint64_t left;
    struct line line;
    size_t overhead; /* octets that were not the body's */
};

/* http_reply_init - allocator: NULL = malloc; lent until http_reply_done(). */
void http_reply_init(struct http_reply *reply, const struct postern_allocator *allocator,
                     size_t body_max);
/* http_reply_feed - 1: it is whole, what follows is not looked at; 0: more is needed; <0:
 * POSTERN_E_SYNTAX, _TOO_LONG, _NOMEM, and no more may be fed. */
int http_reply_feed(struct http_reply *reply, struct postern_span in) POSTERN_MUST_USE;
/* http_reply_eof - nothing more comes: 1, where that ends the body or it was whole, else
 * POSTERN_E_CLOSED. */
int http_reply_eof(struct http_reply *reply) POSTERN_MUST_USE;
void http_reply_done(struct http_reply *reply);

#endif
