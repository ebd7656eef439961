/* SPDX-License-Identifier: MIT */
/* search_text - a text in a message: its parts are decoded and folded piece by piece, and looked
 * through; of each piece as much is kept as the text could reach over.
 *
 * Header fields are looked at with their encoded words decoded, bodies only of text parts and of
 * what is attached as a message. */
#include "codec/utf8.h"
#include "proto/imap/gather.h"
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

void search_decode_words(struct postern_imap *s, struct postern_span value, struct buffer *out)
{
    struct postern_mime_word word;

    while (postern_mime_word(&value, &word)) {
        struct buffer octets = {.allocator = s->o.allocator, .plain = true};
        struct transfer transfer = {.kind = TRANSFER_BASE64};
        struct charset *charset = NULL;
        char quoted[1024];
        size_t n = 0;

        if (!word.encoding) {
            buffer_append(out, word.text);
            continue;
        }
        if (word.encoding == 'Q') {
            transfer.kind = TRANSFER_QUOTED;
            for (; n < word.text.n && n < sizeof quoted; n++)
                quoted[n] = word.text.p[n] == '_' ? ' ' : word.text.p[n];
            word.text = span_make(quoted, n);
        }
        transfer_feed(&transfer, word.text, &octets);
        if (charset_open(&charset, word.charset) == 0)
            charset_feed(charset, buffer_span(&octets), out);
        charset_close(&charset);
        buffer_done(&octets);
    }
}

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
    if (memmem(text.p, text.n, scan->text.p, scan->text.n))
        scan->found = true;
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

/* forget - what was looked through: the text does not reach from here to what comes. */
static void forget(struct text_scan *scan)
{
    if (scan->all && buffer_length(&scan->folded)) {
        buffer_append(scan->all, buffer_span(&scan->folded));
        buffer_append_char(scan->all, GATHER_APART);
    }
    buffer_take(&scan->folded, buffer_length(&scan->folded));
}

static void take_plain(struct text_scan *scan, bool ends)
{
    struct postern_span text = buffer_span(&scan->plain);
    size_t n = ends ? text.n : whole(text);

    text_fold(span_make(text.p, n), &scan->folded);
    buffer_take(&scan->plain, n);
    look(scan);
}

/* ---- headers --------------------------------------------------------------------------------- */

static bool is_wanted(const struct text_scan *scan, struct postern_span line)
{
    struct postern_span name = line;

    if (!scan->field.p)
        return true;
    name.n = span_find(line, ':');
    return span_equal_nocase(span_trim(name), scan->field);
}

/* unfold - a field without its line ends: where it lies, or copied to out. */
static struct postern_span unfold(struct postern_span field, struct buffer *out)
{
    while (field.n && (field.p[field.n - 1] == '\n' || field.p[field.n - 1] == '\r'))
        field.n--;
    if (span_find(field, '\n') == field.n && span_find(field, '\r') == field.n)
        return field;
    buffer_take(out, buffer_length(out));
    for (struct postern_span rest = field, line; rest.p;) {
        for (line = span_cut(&rest, '\n'); line.p;)
            buffer_append(out, span_cut(&line, '\r'));
    }
    return buffer_span(out);
}

/* is_over_with - what can be looked through where it lies has been; most can. */
static bool is_over_with(struct text_scan *scan, struct postern_span text, bool plain)
{
    if (scan->all || !plain)
        return false;
    scan->found = scan->is_ascii && span_has_nocase(text, scan->text);
    return true;
}

/* unfold_all - fields, one a line; false: there is a CR that ends no line. */
static bool unfold_all(struct postern_span header, struct buffer *out)
{
    while (header.n) {
        struct postern_span line = span_cut(&header, '\n');

        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        if (span_find(line, '\r') < line.n)
            return false;
        if (line.n && line.p[0] != ' ' && line.p[0] != '\t')
            buffer_append_char(out, '\n');
        buffer_append(out, line);
    }
    return true;
}

/* look_at_all - at a header that says what it stands for, for a text that reaches over no two of
 * its fields: looked through at once. false: it is another one. */
static bool look_at_all(struct text_scan *scan)
{
    struct postern_span header = buffer_span(&scan->header);
    struct buffer copy = {.allocator = scan->s->o.allocator, .plain = true};
    bool done;

    if (scan->all || scan->field.p || !scan->is_ascii ||
        span_find(scan->text, '\n') < scan->text.n || !postern_mime_is_plain(header))
        return false;
    buffer_room(&copy, header.n);
    done = unfold_all(header, &copy);
    if (done)
        scan->found = span_has_nocase(buffer_span(&copy), scan->text);
    if (copy.error)
        scan->header.error = copy.error;
    buffer_done(&copy);
    return done;
}

/* take_header - a whole header, field by field. */
static void take_header(struct text_scan *scan)
{
    struct postern_span rest = buffer_span(&scan->header);
    struct buffer copy = {.allocator = scan->s->o.allocator, .plain = true};

    if (look_at_all(scan))
        rest.n = 0;
    while (rest.n && !scan->found) {
        struct postern_span field = rest;

        field.n = 0;
        do
            field.n += span_find(span_from(rest, field.n), '\n') + 1;
        while (field.n < rest.n && (rest.p[field.n] == ' ' || rest.p[field.n] == '\t'));
        field.n = field.n < rest.n ? field.n : rest.n;
        rest = span_from(rest, field.n);
        if (!is_wanted(scan, field))
            continue;
        field = unfold(scan->field.p ? span_from(field, span_find(field, ':') + 1) : field, &copy);
        if (is_over_with(scan, field, postern_mime_is_plain(field)))
            continue;
        search_decode_words(scan->s, field, &scan->plain);
        take_plain(scan, true);
        forget(scan);
    }
    if (copy.error)
        scan->header.error = copy.error;
    buffer_done(&copy);
    buffer_take(&scan->header, buffer_length(&scan->header));
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
        take_plain(scan, true);
    charset_close(&scan->charset);
    buffer_take(&scan->plain, buffer_length(&scan->plain));
    forget(scan);
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
    if (!is_over_with(scan, octets, whole && !scan->charset && utf8_is_ascii(octets))) {
        charset_feed(scan->charset, octets, &scan->plain);
        take_plain(scan, false);
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
            take_header(scan);
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
        take_header(scan);
    part_over(scan);
    if (scan->header.error || scan->plain.error || scan->folded.error)
        imap_no_memory(scan->s);
    buffer_done(&scan->header);
    buffer_done(&scan->plain);
    buffer_done(&scan->folded);
    return scan->found;
}

/* ---- gathering ------------------------------------------------------------------------------- */

struct text_gather {
    struct postern_imap *nobody; /* a session of which only the memory is used */
    struct text_scan *scan;
    struct buffer all;
};

static void gather_free(struct text_gather **gather)
{
    if ((*gather)->nobody)
        arena_drop(&(*gather)->nobody->arena);
    memory_free(NULL, (*gather)->nobody);
    memory_free(NULL, *gather);
    *gather = NULL;
}

int gather_new(struct text_gather **gather_r, struct postern_span block)
{
    struct text_gather *gather = memory_new(NULL, sizeof *gather);

    if (!gather)
        return POSTERN_E_NOMEM;
    gather->nobody = memory_new(NULL, sizeof *gather->nobody);
    if (gather->nobody)
        gather->scan = text_scan_new(gather->nobody, block, SPAN("\1"),
                                     (struct postern_span){NULL, 0}, true, true);
    if (!gather->scan) {
        gather_free(&gather);
        return POSTERN_E_NOMEM;
    }
    gather->scan->all = &gather->all;
    *gather_r = gather;
    return 0;
}

void gather_feed(struct text_gather *gather, struct postern_span octets)
{
    (void)text_scan_feed(gather->scan, octets);
}

int gather_end(struct text_gather **gather, struct buffer *text_r)
{
    int err;

    (void)text_scan_end((*gather)->scan);
    err = (*gather)->nobody->failed || (*gather)->all.error ? POSTERN_E_NOMEM : 0;
    if (err)
        buffer_done(&(*gather)->all);
    else
        *text_r = (*gather)->all;
    gather_free(gather);
    return err;
}
