/* SPDX-License-Identifier: MIT */
/* postern/mime.h - what a message is made of, found in one pass: its parts with the offsets of
 * their headers and bodies, and the header fields that a mail client asks for.
 *
 * The scanner is fed the octets in any pieces and gives one block of bytes: flat, without pointers,
 * with a checksum, made to be kept on disk beside the message. From it come IMAP's ENVELOPE,
 * BODYSTRUCTURE and the ranges of BODY[1.2.MIME] without reading the message again (RFC
 * 9051 7.5.2). The small parsers below take the values of fields apart.
 *
 *   postern_mime_new(&mime, NULL, NULL);
 *   while (there are octets) postern_mime_feed(mime, octets);
 *   postern_mime_end(mime, &block);           lent, or postern_mime_take(mime, &block): given
 *   postern_mime_free(&mime);
 *   postern_mime_check(block);                once, when it comes back from a disk
 *   postern_mime_facts(), _part(), _field()   spans into the block
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
        POSTERN_MIME_FIELDS,
    POSTERN_MIME_OTHER = POSTERN_MIME_FIELDS /* any other name */
};
#define POSTERN_MIME_PART_FIELDS 8

/* struct postern_mime_options - the bounds, and what else is kept. postern_mime_options_init() sets
 * these defaults. A bound of 0 is one: nothing of it is kept. */
struct postern_mime_options {
    uint32_t depth_max;    /* 100: parts within parts; real mail has below 10 */
    uint32_t parts_max;    /* 10000: a digest of a year */
    uint32_t boundary_max; /* 200 octets of a boundary, never above 1000; RFC 2046 allows 70 */
    uint32_t field_max;    /* 65536 octets of a field are kept, the rest is passed over */
    uint32_t header_max;   /* 256 KiB of a header are parsed into fields, the rest is counted */
    uint32_t others_max;   /* 1000 fields of the top header whose names are not in the list above */
    uint32_t kept_max;     /* 1 MiB of values and fields together; further ones are not kept */
    /* names of further fields whose values are kept, of the message and of attached ones; NULL, 0
     * by default. Lent until postern_mime_free(). */
    const struct postern_span *chosen;
    size_t chosen_n;
};
POSTERN_API void postern_mime_options_init(struct postern_mime_options *options);

/* ---- scanning ------------------------------------------------------------------------------- */

struct postern_mime;
/* postern_mime_new - for one message. options: borrowed; NULL: the defaults. allocator: lent until
 * the end; NULL: malloc(). given: postern_mime_free(). POSTERN_E_NOMEM. */
POSTERN_API int postern_mime_new(struct postern_mime **mime_r,
                                 const struct postern_mime_options *options,
                                 const struct postern_allocator *allocator) POSTERN_MUST_USE;
/* postern_mime_feed - the next octets, split anywhere: what is found does not depend on it.
 * octets: borrowed. That memory ran out is told by postern_mime_end(). */
POSTERN_API void postern_mime_feed(struct postern_mime *mime, struct postern_span octets);
/* postern_mime_end - the message is over; feed no more. block_r: lent until postern_mime_free().
 * Asked again it gives the same. POSTERN_E_NOMEM: memory ran out here or before. */
POSTERN_API int postern_mime_end(struct postern_mime *mime,
                                 struct postern_span *block_r) POSTERN_MUST_USE;
/* postern_mime_take - the same, but block_r is given: end it with free(), or with the resize() of
 * the allocator. Only once; then POSTERN_E_USAGE. POSTERN_E_NOMEM as above. */
POSTERN_API int postern_mime_take(struct postern_mime *mime,
                                  struct postern_span *block_r) POSTERN_MUST_USE;
/* postern_mime_free - the scanner and a block that was not taken. NULL or a NULL in it is fine. */
POSTERN_API void postern_mime_free(struct postern_mime **mime);

/* ---- the block ------------------------------------------------------------------------------ */

/* postern_mime_check - is a block that was read back whole? Its length, version and checksum are
 * right, and no number in it leads outside of it or of the message. The functions below never look
 * outside of one that is; give them no other. */
POSTERN_API bool postern_mime_check(struct postern_span block);

enum postern_mime_kind { POSTERN_MIME_LEAF, POSTERN_MIME_MULTIPART, POSTERN_MIME_MESSAGE };

/* struct postern_mime_range - offsets in the message as stored (raw), and as it is sent (wire: a
 * bare LF counts as CRLF, a bare CR as itself, and a last line without an end has one). */
struct postern_mime_range {
    uint64_t raw, raw_end, wire, wire_end;
};

/* struct postern_mime_part - one part. Part 0 is the message itself; children follow their parent,
 * in the order of the message. A MESSAGE part (message/rfc822 or /global that is not encoded, RFC
 * 2046 5.2.1, RFC 6532 3.7) has one child: the attached message, whose header begins where the
 * part's body does. A MULTIPART in which no delimiter was found has no child.
 *   BODY[1.MIME] is the header of part 1, BODY[1] its body; of an attached message BODY[1.HEADER]
 *   and BODY[1.TEXT] are header and body of the child (RFC 9051 6.4.5.1). */
struct postern_mime_part {
    enum postern_mime_kind kind;
    uint32_t parent, depth;           /* of part 0: 0, 0 */
    uint32_t next;                    /* the next part with the same parent; 0: none */
    uint32_t child;                   /* the first; 0: none */
    uint32_t fields;                  /* how many postern_mime_header() tells */
    struct postern_mime_range header; /* with the empty line */
    struct postern_mime_range body;   /* without the line end before a delimiter */
    uint32_t header_lines;            /* line ends in the range, as sent */
    uint32_t body_lines;
    struct postern_span type, subtype; /* as written; by default "text", "plain", as is a multipart
                                        * without a boundary (RFC 2045 5.2), or in a
                                        * multipart/digest "message", "rfc822" (RFC 2046 5.1.5) */
    bool type_is_default;
};

/* struct postern_mime_facts - of the whole message. */
struct postern_mime_facts {
    uint32_t parts;               /* 1 or more */
    uint64_t size_raw, size_wire; /* wire: with a line end at the end */
    uint64_t lines;               /* as sent */
    bool wire_clean;              /* CRLF everywhere incl. the end, and no line begins with a dot */
    bool utf8_header;             /* the top header has octets above 127 (RFC 6532, or 8-bit) */
    bool cut; /* a bound was met: something is opaque, or a value is not whole */
};

POSTERN_API void postern_mime_facts(struct postern_span block, struct postern_mime_facts *facts_r);
/* postern_mime_part - part i, below facts.parts. Spans are lent until the block goes. */
POSTERN_API void postern_mime_part(struct postern_span block, uint32_t i,
                                   struct postern_mime_part *part_r);
/* postern_mime_field - the value of the n-th (from 0) such field of a part: unfolded, without the
 * spaces around it; absent when there are not as many. For fields of a message ask its part 0, or
 * the child of a MESSAGE part. Lent until the block goes. */
POSTERN_API struct postern_span postern_mime_field(struct postern_span block, uint32_t part,
                                                   enum postern_mime_field field, unsigned n);

/* struct postern_mime_header - one field as it stands in a header: of the top header all (up to
 * others_max), else those whose values are kept. */
struct postern_mime_header {
    enum postern_mime_field id;      /* POSTERN_MIME_OTHER: see name */
    struct postern_span name;        /* of a known one as in the list above, else as written */
    struct postern_span value;       /* absent: it is not kept, read the range */
    struct postern_mime_range range; /* name, value, line end */
};
/* postern_mime_header - the i-th field of a part, below part.fields; in the order of the message.
 * Spans are lent until the block goes. */
POSTERN_API void postern_mime_header(struct postern_span block, uint32_t part, uint32_t i,
                                     struct postern_mime_header *header_r);

/* postern_mime_find - the first field of that kind at place *at or behind, which becomes the place
 * behind it: 1 one, 0 no more. Begin with 0. */
POSTERN_API int postern_mime_find(struct postern_span block, uint32_t part,
                                  enum postern_mime_field field, uint32_t *at,
                                  struct postern_mime_header *header_r);
/* postern_mime_field_named - by its name, without regard to case; OTHER: it is not in the list. */
POSTERN_API enum postern_mime_field postern_mime_field_named(struct postern_span name);

/* postern_mime_is_plain - a value that stands for what it says: ASCII, no encoded words. */
POSTERN_API bool postern_mime_is_plain(struct postern_span value);

/* ---- values of fields: each takes the next item off the front of *rest ----------------------- */

/* postern_mime_parameter - "; name=value" (RFC 2045 5.1): 1 one, 0 no more. The value is unquoted
 * into buffer when it has to be; longer ones are cut. rest: behind the type or disposition, or the
 * whole field: what stands before the first semicolon is passed over if it has no '='.
 * Continuations and charsets (RFC 2231) are left as they are: name is "filename*0*". */
POSTERN_API int postern_mime_parameter(struct postern_span *rest, struct postern_span *name_r,
                                       struct postern_span *value_r, char *buffer, size_t size);

/* struct postern_mime_value - of a parameter, put together (RFC 2231). */
struct postern_mime_value {
    struct postern_span text;     /* UTF-8 if the charset is one that we know, else as sent */
    struct postern_span charset;  /* absent where none is told */
    struct postern_span language; /* likewise */
};
#define POSTERN_MIME_SECTIONS_MAX 100
/* postern_mime_parameter_find - the parameter of that name, from its continuations "name*0",
 * "name*1*", or "name*", or "name" (the first that there is, in this order: RFC 2231 4.1), octets
 * %XX decoded. field: the whole field; borrowed. The spans lie in buffer or in field; what does not
 * fit is cut; so are a quoted section behind 1,024 octets, and what follows a missing section or
 * the 100th. 1 found, 0 not. */
POSTERN_API int postern_mime_parameter_find(struct postern_span field, struct postern_span name,
                                            struct postern_mime_value *value_r, char *buffer,
                                            size_t size);

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
/* postern_mime_address - the next of an address list (RFC 5322 3.4, its obsolete forms 4.4, raw
 * UTF-8 RFC 6532): 1 one, 0 no more. What is no address is passed over up to the next comma,
 * semicolon or colon. in_group: false to begin with; kept between calls. Spans lie in buffer, which
 * size bytes bound: longer ones are cut. Bound the number of calls: a field may hold thousands. */
POSTERN_API int postern_mime_address(struct postern_span *rest, bool *in_group,
                                     struct postern_mime_address *address_r, char *buffer,
                                     size_t size);

/* struct postern_mime_word - a run of plain text, or one encoded word (RFC 2047 2). */
struct postern_mime_word {
    char encoding;                /* 'B', 'Q', or 0: plain text */
    struct postern_span charset;  /* of an encoded word */
    struct postern_span language; /* behind "*" in the charset (RFC 2231 5); may be absent */
    struct postern_span text;     /* still encoded; or the plain text */
};
/* postern_mime_word - the next of a field's value, for who knows more charsets than
 * postern_mime_words(): 1 one, 0 no more. Spaces between two encoded words are passed over (RFC
 * 2047 6.2). Spans are into *rest. */
POSTERN_API int postern_mime_word(struct postern_span *rest, struct postern_mime_word *word_r);
/* postern_mime_words - a value with its encoded words decoded to UTF-8, where the charset is UTF-8,
 * US-ASCII or ISO-8859-1; words of another one, or broken ones, stay as they are. Octets of words
 * that are no UTF-8 become U+FFFD. Returns the length of all of it, of which the first `size`
 * octets are in out; three times text.n is always enough. */
POSTERN_API size_t postern_mime_words(struct postern_span text, char *out, size_t size);

/* struct postern_mime_date - a moment, and the zone it was written in. */
struct postern_mime_date {
    int64_t seconds; /* since 1970 */
    int zone_minutes;
};
/* postern_mime_date - RFC 5322 3.3 with the obsolete zones and two-digit years (4.3); a time that
 * is none is midnight, UTC (RFC 5256 2.2). 0, POSTERN_E_SYNTAX. */
POSTERN_API int postern_mime_date(struct postern_span text, struct postern_mime_date *date_r);

#ifdef __cplusplus
}
#endif
#endif
