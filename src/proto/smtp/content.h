/* SPDX-License-Identifier: MIT */
/* content - a message on its way in, as long as it is under way. */
#ifndef SMTP_CONTENT_H
#define SMTP_CONTENT_H

#include "proto/smtp/header.h"
#include "proto/smtp/session.h"

/* enum content_at - what stood before the next octet. */
enum content_at {
    CONTENT_BEGINS, /* CRLF, or nothing: a dot here is special */
    CONTENT_DOT,    /* CRLF and a dot */
    CONTENT_DOT_CR, /* and CR */
    CONTENT_INSIDE, /* anything else */
    CONTENT_CR      /* CR, which is held */
};

struct smtp_content {
    enum content_at at;
    bool dots;         /* of DATA: unstuffed, and CRLF.CRLF ends it */
    bool raw;          /* of BINARYMIME: octets are what they are */
    bool over;         /* all came */
    bool headers_told; /* HEADERS was asked */
    bool ends_session; /* once it was answered */
    uint64_t size_bytes, line_octets;
    postern_time began;
    struct header header;
    struct header_rules rules;
    struct buffer chunk; /* to be written */
    /* why it is refused: said when all came. code 0: it is not */
    struct postern_smtp_reply refusal;
    char refusal_enhanced[16], refusal_text[200];
};

/* decode.c */
/* content_decode - as far as the end, if it is there: c->over. How much was taken. */
size_t content_decode(const struct postern_smtp *s, struct smtp_content *c, struct postern_span in);
/* content_emit - octets as they are to be stored. */
void content_emit(const struct postern_smtp *s, struct smtp_content *c, struct postern_span in);
/* content_bare - a CR or LF without the other: a line end, or a refusal. */
void content_bare(const struct postern_smtp *s, struct smtp_content *c, const char *what);
void content_check_header(const struct postern_smtp *s, struct smtp_content *c);
/* content_refuse - said when all of it came; the first reason counts. */
void content_refuse(struct smtp_content *c, unsigned code, const char *enhanced, const char *text);

/* received.c */
/* received_write - "Received: from ...", with CRLF (RFC 5321 4.4). */
void received_write(struct postern_smtp *s, struct buffer *out);

#endif
