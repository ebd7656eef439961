/* SPDX-License-Identifier: MIT */
/* preview - the first words of a message as a line of text (RFC 8970): of its first text part,
 * decoded, without markup, each run of white space one space. Pure. */
#ifndef IMAP_PREVIEW_H
#define IMAP_PREVIEW_H

#include "codec/charset.h"
#include "codec/transfer.h"
#include <postern/mime.h>

#define PREVIEW_CHARACTERS 200 /* RFC 8970 3.3 */
#define PREVIEW_WORD_BYTES 12

/* struct preview - zero it, but for the buffers' allocators. */
struct preview {
    struct transfer transfer;
    struct charset *charset;
    struct buffer plain; /* UTF-8, not looked at yet */
    struct buffer text;  /* what is found */
    unsigned characters;
    bool is_html, space_due;
    /* within markup */
    enum { PREVIEW_TEXT, PREVIEW_TAG, PREVIEW_COMMENT, PREVIEW_ENTITY } state;
    char word[PREVIEW_WORD_BYTES]; /* a tag's name or an entity, so far */
    unsigned word_n, dashes;
    char hidden[PREVIEW_WORD_BYTES]; /* "style": its content is no text; "": none */
};

/* preview_part - where in the message its words are; false: nowhere. */
bool preview_part(struct postern_span block, uint32_t *part_r);
/* preview_begin - of that part. 0, POSTERN_E_NOMEM. */
int preview_begin(struct preview *preview, struct postern_span block, uint32_t part);
/* preview_feed - octets of the part's body; true: it is long enough. */
bool preview_feed(struct preview *preview, struct postern_span octets);
void preview_done(struct preview *preview);

#endif
