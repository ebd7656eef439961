/* SPDX-License-Identifier: MIT */
/* fetch - what FETCH asks for, and how far it has come. */
#ifndef IMAP_FETCH_H
#define IMAP_FETCH_H

#include "codec/transfer.h"
#include "proto/imap/preview.h"
#include "proto/imap/search.h"
#include <postern/mime.h>

#define FETCH_BATCH 64
#define HEADER_MAX (1u << 20) /* of a header whose fields are looked for */
#define FETCH_PATH_MAX 100

enum fetch_kind {
    FETCH_UID,
    FETCH_FLAGS,
    FETCH_DATE,
    FETCH_SIZE,
    FETCH_MODSEQ,
    FETCH_EMAILID,
    FETCH_SAVEDATE,
    FETCH_THREADID,
    FETCH_ENVELOPE,
    FETCH_BODY,
    FETCH_BODYSTRUCTURE,
    FETCH_SECTION,
    FETCH_BINARY,
    FETCH_BINARY_SIZE,
    FETCH_PREVIEW
};

enum section_what {
    SECTION_ALL,
    SECTION_HEADER,
    SECTION_FIELDS,
    SECTION_FIELDS_NOT,
    SECTION_TEXT,
    SECTION_MIME
};

struct fetch_section {
    enum section_what what;
    const char *label;  /* "RFC822.TEXT"; NULL: BODY[...] */
    const char *prefix; /* "BINARY["; NULL: "BODY[" */
    bool peek, partial;
    uint32_t path[FETCH_PATH_MAX];
    unsigned path_n;
    struct postern_span *names;
    size_t name_count;
    uint64_t offset, length;
};

struct fetch_item {
    enum fetch_kind kind;
    struct fetch_section *section;
    struct fetch_item *next;
};

/* struct fetch_stream - octets of a section on their way out. */
struct fetch_stream {
    bool active;
    uint64_t at, end;    /* of the content, as stored */
    uint64_t skip, left; /* as sent: to pass over, and to write */
    char last;
    bool as_is;    /* all its lines end with CRLF: nothing is to be looked for */
    bool collects; /* a header to be filtered: it goes to `header` */
    /* BINARY: decoded twice, first to be counted */
    bool decodes, counting, has_nul;
    bool keeps_nul; /* of a part that is not encoded, and may have some */
    uint64_t begin, counted;
    struct transfer transfer;
    bool previews; /* the octets go to fetch->preview */
};

struct imap_fetch {
    struct fetch_item *items;
    void (*then)(struct postern_imap *s); /* NULL: it is a command */
    bool needs_block, sets_seen, has_flags, has_uid, has_modseq;
    uint64_t changed_since;
    bool vanished, has_partial;
    struct search_partial partial;
    struct imap_set set;
    size_t range; /* in the set */
    uint32_t next_uid;
    struct postern_message_info batch[FETCH_BATCH];
    bool newly_seen[FETCH_BATCH];
    size_t batch_n, at;
    struct postern_uid_range batch_range;
    bool seen_done; /* of this batch */
    bool missing;   /* one that was asked for is gone */
    bool unknown;   /* an encoding is not known */
    /* the message being written */
    bool in_message, any; /* any: an item of it was written */
    struct fetch_item *item;
    struct imap_structures structures;
    uint32_t wanted[FETCH_BATCH]; /* of these */
    struct buffer header;
    uint64_t content, content_size; /* as stored */
    bool has_content;
    struct fetch_stream stream;
    struct preview preview;
};

/* fetch_parse.c */
bool fetch_parse(struct postern_imap *s, struct imap_fetch *fetch);
/* fetch_parse_items - "(UID BODY.PEEK[])". */
void fetch_parse_items(struct postern_imap *s, struct imap_fetch *fetch);
/* cmd-fetch.c. fetch_new - s->fetch, in the arena; then, with items and set, it begins: it is no
 * command, and ends with then(). false: out of memory. */
bool fetch_new(struct postern_imap *s);
void fetch_begin(struct postern_imap *s, void (*then)(struct postern_imap *s));
/* fetch_go - one step; imap_advance() comes again while there is room. */
void fetch_go(struct postern_imap *s);
/* fetch_info - of the message at hand. */
const struct postern_message_info *fetch_info(const struct imap_fetch *fetch);
void fetch_finish(struct postern_imap *s);
/* fetch_batch.c: fetch_next_batch - of messages; behind the last the command is over. */
void fetch_next_batch(struct postern_imap *s);
/* fetch_octets.c: fetch_section_go - begins the item at hand; fetch_stream_go - a step of it. */
void fetch_section_go(struct postern_imap *s);
void fetch_stream_go(struct postern_imap *s);
/* section_parse - "[1.2.HEADER]". */
void section_parse(struct postern_imap *s, struct fetch_section *section);
/* fetch_section.c */
/* section_transfer - how a part is encoded (RFC 3516): false: by means that nobody knows. */
bool section_transfer(const struct imap_fetch *fetch, const struct fetch_section *section,
                      enum transfer_kind *kind_r);
/* section_is_binary - is the part one of any octets, not encoded (RFC 3516 4.2)? */
bool section_is_binary(const struct imap_fetch *fetch, const struct fetch_section *section);
/* section_find - where it is; false: it is not there, NIL. whole: where all of it is, for who has
 * no block since he asks for no more. */
bool section_find(struct postern_span block, const struct fetch_section *section,
                  struct postern_mime_range whole, struct postern_mime_range *range_r);
/* stream_begin - of a section that lies there, what of it is to be sent. */
void stream_begin(struct fetch_stream *stream, const struct fetch_section *section,
                  const struct postern_mime_range *range);
/* stream_take - octets as read become octets as sent; none: the message ends here. */
void stream_take(struct fetch_stream *stream, struct postern_span octets, struct buffer *out);
void section_write_label(struct postern_imap *s, const struct fetch_section *section);
/* section_filter - of a whole header the fields that are asked for, with an empty line. */
void section_filter(const struct fetch_section *section, struct postern_span header,
                    struct buffer *out);

#endif
