/* SPDX-License-Identifier: MIT */
/* text_scan - a message that is looked through for a text, among the files that do it. */
#ifndef PROTO_IMAP_TEXT_SCAN_H
#define PROTO_IMAP_TEXT_SCAN_H

#include "proto/imap/search.h"

struct text_scan {
    struct postern_imap *s;
    struct postern_span block, text, field;
    bool in_header, in_body; /* what is looked at */
    bool is_ascii;           /* the text */
    bool found;
    uint32_t part; /* the one the next octet is before the end of */
    uint64_t at;   /* octets fed */
    bool has_part; /* it is open */
    struct transfer transfer;
    struct charset *charset;
    struct buffer header, plain, folded;
    struct buffer *all; /* nothing is looked for: what would be looked through goes here */
};

/* search_text.c */
/* text_scan_plain - what was decoded into `plain` is folded and looked through; ends: it is all of
 * it. */
void text_scan_plain(struct text_scan *scan, bool ends);
/* text_scan_forget - what was looked through: the text does not reach from here to what comes. */
void text_scan_forget(struct text_scan *scan);
/* text_scan_as_is - what can be looked through where it lies has been; most can. plain: it is what
 * it says. */
bool text_scan_as_is(struct text_scan *scan, struct postern_span text, bool plain);
/* search_header.c: text_scan_header - the header that was brought together is looked through. */
void text_scan_header(struct text_scan *scan);

#endif
