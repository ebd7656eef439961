/* SPDX-License-Identifier: MIT */
/* scanner - what the files of the scanner share: a message under way. */
#ifndef MIME_SCANNER_H
#define MIME_SCANNER_H

#include "base/buffer.h"
#include <postern/mime.h>

#define NO_PART UINT32_MAX

/* struct spot - a place in the message: octets before it as stored and as sent, lines before it.
 * Whatever is counted is the difference of two of them. */
struct spot {
    uint64_t raw, wire, lines;
};

/* struct part - its header lies in [header, body), its body in [body, end). */
struct part {
    struct spot header, body, end;
    uint32_t parent, depth, next;
    uint32_t fields, field_count; /* places in the fields */
    uint32_t others;              /* of them, of no known name */
    uint32_t type, subtype;       /* offsets in the strings */
    uint8_t type_n, subtype_n, kind, type_is_default;
};

/* struct field - one that is remembered; texts are offsets in the strings. */
struct field {
    struct spot begin, end;
    uint32_t name, name_n, value, value_n; /* name: of OTHER only */
    uint32_t id;                           /* enum postern_mime_field */
    bool kept;                             /* its value is */
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
    uint32_t current;          /* the innermost open part */
    struct spot at, line_at;   /* what was seen; where the line under way began */
    struct spot field_at;      /* where the field under way began */
    uint8_t end_n, this_end_n; /* octets of the line end before it, and of its own: 0, 1, 2 */
    bool in_line;              /* something of the line was seen */
    bool holding, passing;     /* the line is in `line`; or it was too long for that */
    bool in_field;             /* a field is under way, in `field` */
    char last;                 /* octet */
    bool dirty, utf8_header, cut, ended, taken;
    int error;                 /* of the block, once it is ended */
    struct buffer line, field; /* the line held; the header field under way */
    struct buffer parts, fields, strings, boundaries, stack, block;
};

/* scanner.c */
struct part *mime_part_at(const struct postern_mime *mime, uint32_t i);
uint32_t mime_part_count(const struct postern_mime *mime);
/* mime_part_add - it begins here; it becomes the current one. 0: out of memory. */
uint32_t mime_part_add(struct postern_mime *mime, uint32_t parent);

/* delimiter.c */
/* mime_boundary_push - of the current part, until a delimiter ends it or one around it. */
void mime_boundary_push(struct postern_mime *mime, struct postern_span text);
bool mime_boundary_any(const struct postern_mime *mime);
/* mime_delimiter_take - if the line is one, end and begin parts. false: it is of the part. */
bool mime_delimiter_take(struct postern_mime *mime, struct postern_span line);
/* mime_parts_close - the message is over. */
void mime_parts_close(struct postern_mime *mime);

/* header.c */
/* mime_field_over - the field under way, if any, is whole. */
void mime_field_over(struct postern_mime *mime, struct spot end);
/* mime_field_known - the first such field of the part under way; offset_r: in the strings. */
struct postern_span mime_field_known(const struct postern_mime *mime, const struct part *part,
                                     enum postern_mime_field id, uint32_t *offset_r);
struct postern_span mime_string(const struct postern_mime *mime, uint32_t offset, uint32_t n);
extern const struct postern_span mime_field_names[POSTERN_MIME_FIELDS];

/* kind.c */
/* mime_header_over - the header of the current part is: its kind is chosen, its children begin. */
void mime_header_over(struct postern_mime *mime);
/* mime_header_cut - one ended without its empty line: the part has a type, and nothing in it. */
void mime_header_cut(struct postern_mime *mime);

/* block.c */
int mime_block_make(struct postern_mime *mime);

#endif
