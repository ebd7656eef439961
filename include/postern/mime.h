/* SPDX-License-Identifier: MIT */
/* postern/mime.h - what a message is made of, found in one pass: its parts with the offsets of
 * their headers and bodies, and the header fields that a mail client asks for.
 *
 * The scanner is fed the octets in any pieces and gives one block of bytes: flat, without pointers,
 * with a checksum, made to be kept on disk beside the message. From it come IMAP's ENVELOPE,
 * BODYSTRUCTURE and the ranges of BODY[1.2.MIME] without reading the message again (RFC
 * 9051 7.5.2). The small parsers below take the values of fields apart.
 *
 * Nothing is ever refused: what is past a bound, or not understood, is an opaque part of its
 * parent, and every octet lies in some part. Nothing recurses. No I/O, no clock. */
#ifndef POSTERN_MIME_H
#define POSTERN_MIME_H

#include <postern/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The header fields whose values are kept, of each part (the first eight) and of the message and
 * attached messages (all). X(NAME, "Field-Name"). */
#define POSTERN_MIME_FIELD_MAP(X)                    \
    X(CONTENT_TYPE, "Content-Type")                  \
    X(CONTENT_ENCODING, "Content-Transfer-Encoding") \
    X(CONTENT_ID, "Content-ID")                      \
    X(CONTENT_DESCRIPTION, "Content-Description")    \
    X(CONTENT_MD5, "Content-MD5")                    \
    X(CONTENT_DISPOSITION, "Content-Disposition")    \
    X(CONTENT_LANGUAGE, "Content-Language")          \
    X(CONTENT_LOCATION, "Content-Location")          \
    X(DATE, "Date")                                  \
    X(SUBJECT, "Subject")                            \
    X(FROM, "From")                                  \
    X(SENDER, "Sender")                              \
    X(REPLY_TO, "Reply-To")                          \
    X(TO, "To")                                      \
    X(CC, "Cc")                                      \
    X(BCC, "Bcc")                                    \
    X(IN_REPLY_TO, "In-Reply-To")                    \
    X(MESSAGE_ID, "Message-ID")                      \
    X(REFERENCES, "References")                      \
    X(LIST_ID, "List-Id")                            \
    X(PRIORITY, "X-Priority")                        \
    X(IMPORTANCE, "Importance")

enum postern_mime_field {
#define POSTERN_MIME_FIELD_ENUM(name, text) POSTERN_MIME_##name,
    POSTERN_MIME_FIELD_MAP(POSTERN_MIME_FIELD_ENUM)
#undef POSTERN_MIME_FIELD_ENUM
        POSTERN_MIME_FIELDS
};
#define POSTERN_MIME_PART_FIELDS 8

/* struct postern_mime_options - the bounds. postern_mime_options_init() sets these defaults. */
struct postern_mime_options {
    uint32_t depth_max;    /* 100: parts within parts; real mail has below 10 */
    uint32_t parts_max;    /* 10000 */
    uint32_t boundary_max; /* 200 octets of a boundary; RFC 2046 allows 70 */
    uint32_t field_max;    /* 65536 octets of a field are kept, the rest is passed over */
    uint32_t
        kept_max; /* 1 MiB of all values together, and their places; further fields are not kept */
};
POSTERN_API void postern_mime_options_init(struct postern_mime_options *options);

/* ---- scanning ----------------------------------------------------------------------------------
 */

struct postern_mime;
/* postern_mime_new - for one message. options NULL: the defaults. given: postern_mime_free().
 * POSTERN_E_NOMEM. */
POSTERN_API int postern_mime_new(struct postern_mime **mime_r,
                                 const struct postern_mime_options *options,
                                 const struct postern_allocator *allocator) POSTERN_MUST_USE;
/* postern_mime_feed - the next octets, split anywhere: what is found does not depend on it. */
POSTERN_API void postern_mime_feed(struct postern_mime *mime, struct postern_span octets);
/* postern_mime_end - the message is over. block_r: lent until postern_mime_free(). POSTERN_E_NOMEM:
 * memory ran out here or before. */
POSTERN_API int postern_mime_end(struct postern_mime *mime,
                                 struct postern_span *block_r) POSTERN_MUST_USE;
POSTERN_API void postern_mime_free(struct postern_mime **mime);

/* ---- the block ---------------------------------------------------------------------------------
 */

/* postern_mime_check - is a block that was read back whole? The functions below never look outside
 * of one that is; give them no other. */
POSTERN_API bool postern_mime_check(struct postern_span block);

enum postern_mime_kind { POSTERN_MIME_LEAF, POSTERN_MIME_MULTIPART, POSTERN_MIME_MESSAGE };

/* struct postern_mime_range - offsets in the message as stored (raw), and as it is sent (wire: each
 * bare LF counts as CRLF). */
struct postern_mime_range {
    uint64_t raw, raw_end, wire, wire_end;
};

/* struct postern_mime_part - one part. Part 0 is the message itself. A MESSAGE part has one child:
 * the attached message, whose header begins where the part's body does. */
struct postern_mime_part {
    enum postern_mime_kind kind;
    uint32_t parent, depth;           /* of part 0: 0, 0 */
    uint32_t next;                    /* the next part with the same parent; 0: none */
    uint32_t child;                   /* the first; 0: none */
    struct postern_mime_range header; /* with the empty line */
    struct postern_mime_range body;   /* without the line end before a delimiter */
    uint32_t header_lines, body_lines;
    struct postern_span type, subtype; /* as written; by default "text", "plain", or in a
                                        * multipart/digest "message", "rfc822" */
    bool type_is_default;
};

/* struct postern_mime_facts - of the whole message. */
struct postern_mime_facts {
    uint32_t parts;
    uint64_t size_raw, size_wire; /* wire: with a line end at the end */
    bool wire_clean;              /* CRLF everywhere incl. the end, and no line begins with a dot */
    bool utf8_header;             /* the header has octets above 127 */
    bool cut; /* a bound was met: something is opaque, or a value is not whole */
};

POSTERN_API void postern_mime_facts(struct postern_span block, struct postern_mime_facts *facts_r);
/* postern_mime_part - part i, below facts.parts. Spans are lent until the block goes. */
POSTERN_API void postern_mime_part(struct postern_span block, uint32_t i,
                                   struct postern_mime_part *part_r);
/* postern_mime_field - the value of the n-th (from 0) such field of a part: unfolded, without the
 * spaces around it; absent when there are not as many. For fields of a message ask its part 0, or
 * the child of a MESSAGE part. */
POSTERN_API struct postern_span postern_mime_field(struct postern_span block, uint32_t part,
                                                   enum postern_mime_field field, unsigned n);

/* ---- values of fields: each takes the next item off the front of *rest
 * --------------------------- */

/* postern_mime_parameter - "; name=value" (RFC 2045 5.1): 1 one, 0 no more. The value is unquoted
 * into buffer when it has to be; longer ones are cut. rest: behind the type or disposition.
 * Continuations and charsets (RFC 2231) are left as they are: name is "filename*0*". */
POSTERN_API int postern_mime_parameter(struct postern_span *rest, struct postern_span *name_r,
                                       struct postern_span *value_r, char *buffer, size_t size);

enum postern_mime_address_kind {
    POSTERN_MIME_ADDRESS_MAILBOX,
    POSTERN_MIME_ADDRESS_GROUP_BEGIN, /* name is the group's */
    POSTERN_MIME_ADDRESS_GROUP_END
};
/* struct postern_mime_address - name: the display name as written but unquoted, or the comment
 * behind; route: of the obsolete form "@a,@b:"; absent where there is none. */
struct postern_mime_address {
    enum postern_mime_address_kind kind;
    struct postern_span name, route, mailbox, host;
};
/* postern_mime_address - the next of an address list (RFC 5322 3.4 and its obsolete forms): 1 one,
 * 0 no more. What is no address is passed over up to the next comma, semicolon or colon. in_group:
 * false to begin with; kept between calls. Spans lie in buffer, which size bytes bound: longer ones
 * are cut. */
POSTERN_API int postern_mime_address(struct postern_span *rest, bool *in_group,
                                     struct postern_mime_address *address_r, char *buffer,
                                     size_t size);

/* struct postern_mime_date - a moment, and the zone it was written in. */
struct postern_mime_date {
    int64_t seconds; /* since 1970 */
    int zone_minutes;
};
/* postern_mime_date - RFC 5322 3.3 with the obsolete zones and two-digit years. 0,
 * POSTERN_E_SYNTAX. */
POSTERN_API int postern_mime_date(struct postern_span text, struct postern_mime_date *date_r);

#ifdef __cplusplus
}
#endif
#endif
