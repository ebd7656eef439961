/* SPDX-License-Identifier: MIT */
/* header - the fields at the beginning of a message as they pass: some are counted, some taken out,
 * some added at their end. Bounded: no more of a field is held than tells what it is. Pure. */
#ifndef SMTP_HEADER_H
#define SMTP_HEADER_H

#include "base/buffer.h"

#define HEADER_HELD 512

/* struct header_rules - what is to be done; lent while the header passes. */
struct header_rules {
    struct postern_span hostname; /* Authentication-Results of this name are taken out (O9) */
    bool completes;               /* Bcc goes, Date and Message-ID are added (L6) */
    bool keeps_bcc;
    struct postern_span id; /* for Message-ID, with the hostname */
    int64_t date_s;
};

enum header_at { HEADER_HOLDS, HEADER_PASSES, HEADER_DROPS, HEADER_OVER };

/* struct header - zero is the beginning of a message. */
struct header {
    enum header_at at;
    bool dropping; /* the field that its folded lines belong to */
    bool in_from;  /* it is From: commas are counted */
    bool quoted, escaped, has_date, has_id, has_sender;
    unsigned comment;        /* depth */
    unsigned froms, authors; /* From fields; commas in them */
    uint32_t received, lines;
    uint64_t octets;
    size_t end_at; /* once OVER: where in the output it ends */
    size_t held_n;
    char held[HEADER_HELD]; /* of the line under way */
};

/* header_feed - octets of a message with CRLF line ends. Out of memory shows in out->error. */
void header_feed(struct header *header, const struct header_rules *rules, struct postern_span in,
                 struct buffer *out);
/* header_finish - the message is over, perhaps within its header. */
void header_finish(struct header *header, const struct header_rules *rules, struct buffer *out);

#endif
