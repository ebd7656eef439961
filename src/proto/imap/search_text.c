/* SPDX-License-Identifier: MIT */
/* search_text - a text in a message: its parts are decoded and folded piece by piece, and looked
 * through; of each piece as much is kept as the text could reach over.
 *
 * Bodies are looked at only of text parts and of what is attached as a message; headers are
 * search_header.c's. */
#include "codec/utf8.h"
#include "proto/imap/gather.h"
#include "proto/imap/text_scan.h"

/* I 6.4.4-11 */
struct text_scan *text_scan_new(struct postern_imap *s, struct postern_span block,
                                struct postern_span text, struct postern_span field, bool header,
                                bool body)
{
    struct text_scan *scan = arena_alloc(&s->arena, sizeof *scan);

    if (!scan) {
        imap_no_memory(s);
        return NULL;
    }
    *scan = (struct text_scan){
        .s = s, .block = block, .text = text, .field = field, .in_header = header, .in_body = body};
    scan->header = scan->plain = scan->folded =
        (struct buffer){.allocator = s->o.allocator, .plain = true};
    scan->is_ascii = utf8_is_ascii(text);
    scan->found = text.n == 0;
    return scan;
}

/* look - in what is folded so far; keeps what the text could reach over from. */
static void look(struct text_scan *scan)
{
    struct postern_span text = buffer_span(&scan->folded);

    if (scan->all || text.n < scan->text.n)
        return;
    /* both are folded, so case makes no difference: this one looks at sixteen places at a time */
    scan->found |= span_has_nocase(text, scan->text);
    buffer_take(&scan->folded, text.n - (scan->text.n - 1));
}

/* whole - as much of UTF-8 text as does not end within a character. */
static size_t whole(struct postern_span text)
{
    size_t n = text.n;

    while (n && text.n - n < 4 && ((unsigned char)text.p[n - 1] & 0xc0) == 0x80)
        n--;
    if (n && (unsigned char)text.p[n - 1] >= 0xc0)
        return n - 1;
    return text.n;
}

void text_scan_forget(struct text_scan *scan)
{
    if (scan->all && buffer_length(&scan->folded)) {
        buffer_append(scan->all, buffer_span(&scan->folded));
        buffer_append_char(scan->all, GATHER_APART);
    }
    buffer_take(&scan->folded, buffer_length(&scan->folded));
}

void text_scan_plain(struct text_scan *scan, bool ends)
{
    struct postern_span text = buffer_span(&scan->plain);
    size_t n = ends ? text.n : whole(text);

    text_fold(span_make(text.p, n), &scan->folded);
    buffer_take(&scan->plain, n);
    look(scan);
}

bool text_scan_as_is(struct text_scan *scan, struct postern_span text, bool plain)
{
    if (scan->all || !plain)
        return false;
    scan->found = scan->is_ascii && span_has_nocase(text, scan->text);
    return true;
}

/* ---- parts ----------------------------------------------------------------------------------- */

static void part_begin(struct text_scan *scan, const struct postern_mime_part *part)
{
    char buffer[100];
    struct postern_mime_value value;
    struct postern_span type =
        postern_mime_field(scan->block, scan->part, POSTERN_MIME_CONTENT_TYPE, 0);

    scan->has_part = true;
    scan->transfer =
        (struct transfer){.kind = transfer_of(postern_mime_field(
                              scan->block, scan->part, POSTERN_MIME_CONTENT_ENCODING, 0))};
    if (!part->type_is_default && type.p &&
        postern_mime_parameter_find(type, SPAN("charset"), &value, buffer, sizeof buffer) &&
        charset_open(&scan->charset, value.text) == POSTERN_E_NOMEM)
        imap_no_memory(scan->s);
}

static void part_over(struct text_scan *scan)
{
    if (scan->has_part)
        text_scan_plain(scan, true);
    charset_close(&scan->charset);
    buffer_take(&scan->plain, buffer_length(&scan->plain));
    text_scan_forget(scan);
    scan->has_part = false;
}

/* take_body - ends: the part does with these. */
static void take_body(struct text_scan *scan, const struct postern_mime_part *part,
                      struct postern_span octets, bool ends)
{
    struct buffer decoded = {.allocator = scan->s->o.allocator, .plain = true};
    bool whole = ends && !scan->has_part;

    if (!scan->has_part)
        part_begin(scan, part);
    if (scan->transfer.kind != TRANSFER_NONE) {
        transfer_feed(&scan->transfer, octets, &decoded);
        octets = buffer_span(&decoded);
    }
    if (!text_scan_as_is(scan, octets, whole && !scan->charset && utf8_is_ascii(octets))) {
        charset_feed(scan->charset, octets, &scan->plain);
        text_scan_plain(scan, false);
    }
    if (decoded.error)
        scan->plain.error = decoded.error;
    buffer_done(&decoded);
}

static bool is_text(const struct postern_mime_part *part)
{
    return part->kind == POSTERN_MIME_LEAF && span_equal_nocase(part->type, SPAN("text"));
}

/* is_header_wanted - the message's own, those of attached ones, which are body, and, for who looks
 * into both, those of its parts (RFC 9051 6.4.4, TEXT). */
static bool is_header_wanted(const struct text_scan *scan, const struct postern_mime_part *part)
{
    struct postern_mime_part parent;

    if (scan->part == 0)
        return scan->in_header;
    postern_mime_part(scan->block, part->parent, &parent);
    return scan->in_body && (scan->in_header || parent.kind == POSTERN_MIME_MESSAGE);
}

/* feed_part - octets up to the next place where something changes; how many. */
static size_t feed_part(struct text_scan *scan, struct postern_span octets, uint32_t parts)
{
    struct postern_mime_part part;
    bool leaf;

    if (scan->part == parts)
        return octets.n;
    postern_mime_part(scan->block, scan->part, &part);
    leaf = !part.child;
    if (scan->at < part.header.raw) {
        uint64_t n = part.header.raw - scan->at;

        return n < octets.n ? (size_t)n : octets.n;
    }
    if (scan->at < part.header.raw_end) {
        uint64_t n = part.header.raw_end - scan->at;

        octets.n = n < octets.n ? (size_t)n : octets.n;
        if (is_header_wanted(scan, &part))
            buffer_append(&scan->header, octets);
        if (octets.n == n)
            text_scan_header(scan);
        return octets.n;
    }
    if (leaf && scan->at < part.body.raw_end) {
        uint64_t n = part.body.raw_end - scan->at;

        octets.n = n < octets.n ? (size_t)n : octets.n;
        if (scan->in_body && is_text(&part))
            take_body(scan, &part, octets, octets.n == n);
        return octets.n;
    }
    part_over(scan);
    scan->part++;
    return 0;
}

/* I 6.4.4-22 */
bool text_scan_feed(struct text_scan *scan, struct postern_span octets)
{
    struct postern_mime_facts facts;
    struct postern_mime_part top;

    postern_mime_facts(scan->block, &facts);
    postern_mime_part(scan->block, 0, &top);
    while (octets.n && !scan->found && (scan->in_body || scan->at < top.header.raw_end)) {
        size_t n = feed_part(scan, octets, facts.parts);

        scan->at += n;
        octets = span_from(octets, n);
    }
    return scan->found || scan->at >= (scan->in_body ? facts.size_raw : top.header.raw_end);
}

bool text_scan_end(struct text_scan *scan)
{
    if (!scan->found && buffer_length(&scan->header))
        text_scan_header(scan);
    part_over(scan);
    if (scan->header.error || scan->plain.error || scan->folded.error)
        imap_no_memory(scan->s);
    buffer_done(&scan->header);
    buffer_done(&scan->plain);
    buffer_done(&scan->folded);
    return scan->found;
}
