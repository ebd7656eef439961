/* SPDX-License-Identifier: MIT */
/* scanner - what the files of the scanner share: a message under way. */
#ifndef MIME_SCANNER_H
#define MIME_SCANNER_H

#include "base/buffer.h"
#include <postern/mime.h>

#define NO_PART UINT32_MAX

/* struct part - as it stands in a block. */
struct part {
    struct postern_mime_range header, body;
    uint32_t parent, depth, next, child;
    uint32_t header_lines, body_lines;
    uint32_t fields, field_count; /* places in the fields */
    uint32_t type, subtype;       /* offsets in the strings */
    uint8_t type_n, subtype_n, kind, type_is_default, zero[4];
};

/* struct field - a kept value. */
struct field {
    uint32_t part, id; /* enum postern_mime_field */
    uint32_t value, value_n;
};

struct boundary {
    uint32_t part;         /* the multipart that it is of */
    uint32_t text, text_n; /* in the boundaries' buffer */
};

enum place { IN_HEADER, IN_BODY };

/* struct postern_mime - lines are looked at one by one. Of a body line only its first octet and its
 * end are; one that begins with '-' is held until it is known whether it is a delimiter. */
struct postern_mime {
    const struct postern_allocator *allocator;
    struct postern_mime_options options;
    enum place place;
    uint32_t current;             /* the innermost open part */
    uint64_t at, added;           /* raw offset; bare LFs before it */
    uint64_t line_at, line_added; /* of the line under way */
    uint8_t end_n, this_end_n;    /* octets of the line end before it, and of its own: 0, 1, 2 */
    bool in_line;                 /* something of the line was seen */
    bool holding;                 /* the line is in `line`; in a header always */
    char last;                    /* octet */
    bool dirty, utf8_header, cut;
    struct buffer line, field; /* the line held; the header field under way */
    struct buffer parts, fields, strings, boundaries, stack, block;
};

/* scanner.c */
struct part *mime_part_at(const struct postern_mime *mime, uint32_t i);
uint32_t mime_part_add(struct postern_mime *mime, uint32_t parent);
/* header.c: a field is whole; a header is over (its kind is chosen, its children begin). */
void mime_field_over(struct postern_mime *mime);
void mime_header_over(struct postern_mime *mime);
/* mime_header_cut - one ended without its empty line: the part has a type, and nothing in it. */
void mime_header_cut(struct postern_mime *mime);
/* block.c */
int mime_block_make(struct postern_mime *mime);

#endif
