/* SPDX-License-Identifier: MIT */
/* fetch_octets - what of a message is told by its octets: sections, decoded ones (BINARY), PREVIEW.
 * TRAP: the octets of a literal were announced; if they cannot be read, the session ends. */
#include "proto/imap/fetch.h"

static void broken(struct postern_imap *s)
{
    /* what was announced cannot be given; a client must not take anything else for it */
    imap_over(s);
}

/* write_literal_size - with a NUL in it, it is one of BINARY (RFC 3516 4.2). I 4.3.1-2 I 7.5.2-13
 * I 3516:4.3-3 */
static void write_literal_size(struct postern_imap *s, bool has_nul, uint64_t size)
{
    write_text(s, has_nul ? "~{" : "{");
    write_number(s, size);
    write_text(s, "}\r\n");
}

/* counted - all is decoded once: now it is known how much it is. I 6.4.5-8
 * I 3516:4.3-1 */
static void counted(struct postern_imap *s)
{
    struct imap_fetch *fetch = s->fetch;
    struct fetch_stream *stream = &fetch->stream;
    const struct fetch_section *section = fetch->item->section;
    uint64_t size = stream->counted;

    stream->counting = false;
    if (fetch->item->kind == FETCH_BINARY_SIZE) {
        write_number(s, size);
        stream->left = 0;
        return;
    }
    stream->at = stream->begin;
    stream->transfer = (struct transfer){.kind = stream->transfer.kind};
    stream->skip = section->partial ? section->offset : 0;
    stream->skip = stream->skip < size ? stream->skip : size;
    stream->left = size - stream->skip;
    if (section->partial && section->length < stream->left)
        stream->left = section->length;
    write_literal_size(s, stream->has_nul, stream->left);
}

/* take_decoded - of a piece: counted, or written. I 6.4.5-7 I 7.5.2-12
 * I 3516:4.2-2 I 3516:4.3-2 */
static void take_decoded(struct postern_imap *s, struct postern_span octets)
{
    struct fetch_stream *stream = &s->fetch->stream;
    struct buffer *scratch = &s->fetch->header;
    struct postern_span decoded;

    transfer_feed(&stream->transfer, octets, scratch);
    decoded = buffer_span(scratch);
    if (stream->counting) {
        stream->counted += decoded.n;
        stream->has_nul |= decoded.n && memchr(decoded.p, '\0', decoded.n);
    } else {
        size_t skip = stream->skip < decoded.n ? (size_t)stream->skip : decoded.n;

        stream->skip -= skip;
        decoded = span_from(decoded, skip);
        decoded.n = decoded.n < stream->left ? decoded.n : (size_t)stream->left;
        write_span(s, decoded);
        stream->left -= decoded.n;
    }
    if (scratch->error)
        imap_no_memory(s);
    buffer_take(scratch, buffer_length(scratch));
}

/* I 6.4.5-6 */
static void stream_over(struct postern_imap *s)
{
    struct imap_fetch *fetch = s->fetch;
    struct buffer found = {.allocator = s->o.allocator};

    fetch->stream.active = false;
    if (fetch->stream.collects) {
        const struct fetch_section *section = fetch->item->section;
        struct postern_span text;

        section_filter(section, buffer_span(&fetch->header), &found);
        text = buffer_span(&found);
        if (section->partial) {
            text = span_from(text, section->offset < text.n ? (size_t)section->offset : text.n);
            text.n = section->length < text.n ? (size_t)section->length : text.n;
        }
        write_literal_size(s, false, text.n);
        write_span(s, text);
        if (found.error)
            imap_no_memory(s);
        buffer_done(&found);
        buffer_take(&fetch->header, buffer_length(&fetch->header));
    }
    fetch->item = fetch->item->next;
}

/* ---- PREVIEW --------------------------------------------------------------------------------- */

/* I 8970:3.2-1 I 8970:3.2-2 */
static void begin_preview(struct postern_imap *s)
{
    struct imap_fetch *fetch = s->fetch;
    struct postern_mime_part part;
    uint32_t at;

    if (!preview_part(fetch->structures.block, &at)) {
        write_text(s, "PREVIEW \"\"");
        fetch->item = fetch->item->next;
        return;
    }
    postern_mime_part(fetch->structures.block, at, &part);
    fetch->preview = (struct preview){.plain = {.allocator = s->o.allocator},
                                      .text = {.allocator = s->o.allocator}};
    if (preview_begin(&fetch->preview, fetch->structures.block, at) < 0)
        imap_no_memory(s);
    fetch->stream = (struct fetch_stream){
        .active = true, .previews = true, .at = part.body.raw, .end = part.body.raw_end, .left = 1};
}

/* take_preview - octets of the part; none: it ends. */
static void take_preview(struct postern_imap *s, struct postern_span octets)
{
    struct imap_fetch *fetch = s->fetch;

    fetch->stream.at += octets.n;
    if (octets.n && !preview_feed(&fetch->preview, octets) && fetch->stream.at < fetch->stream.end)
        return;
    fetch->stream.active = false;
    write_text(s, "PREVIEW ");
    write_string(s, fetch->preview.text.data ? buffer_span(&fetch->preview.text) : SPAN(""));
    if (fetch->preview.plain.error || fetch->preview.text.error)
        imap_no_memory(s);
    preview_done(&fetch->preview);
    fetch->item = fetch->item->next;
}

static void took_octets(struct postern_imap *s, const struct imap_answer *answer)
{
    struct imap_fetch *fetch = s->fetch;
    struct fetch_stream *stream = &fetch->stream;
    struct buffer *out = stream->collects ? &fetch->header : &s->out;

    s->work = fetch_go;
    if (stream->previews) { /* nothing of it was announced yet */
        take_preview(s, answer->err ? SPAN("") : answer->text);
        return;
    }
    if (answer->err) {
        broken(s);
        return;
    }
    if (stream->decodes && (answer->text.n || stream->counting)) {
        /* one that is shorter than its structure says is decoded as far as it goes */
        stream->at = answer->text.n ? stream->at + answer->text.n : stream->end;
        take_decoded(s, answer->text);
        return;
    }
    stream_take(stream, answer->text, out);
    if (answer->text.n == 0) {
        if (stream->left && !stream->collects)
            broken(s);
        stream->left = 0;
    }
    if (fetch->header.error)
        imap_no_memory(s);
}

void fetch_stream_go(struct postern_imap *s)
{
    struct imap_fetch *fetch = s->fetch;
    struct fetch_stream *stream = &fetch->stream;
    uint64_t n = stream->end - stream->at;

    if (stream->counting && n == 0) {
        counted(s);
        return;
    }
    if (stream->left && stream->at >= stream->end) { /* a line end that is only sent */
        took_octets(s, &(struct imap_answer){.text = SPAN("")});
        return;
    }
    if (stream->left == 0) {
        stream_over(s);
        return;
    }
    s->work = NULL;
    s->question = (struct postern_imap_question){.content = fetch->content,
                                                 .offset = stream->at,
                                                 .length = n < s->o.read_chunk ? (uint32_t)n
                                                                               : s->o.read_chunk};
    imap_ask(s, POSTERN_IMAP_READ, took_octets);
}

/* begin_decoding - of a part that is encoded; one that is not goes out as BODY[...] does. */
static bool begin_decoding(struct postern_imap *s, enum transfer_kind kind)
{
    struct fetch_stream *stream = &s->fetch->stream;

    if (kind == TRANSFER_NONE)
        return false;
    stream->decodes = stream->counting = true;
    stream->begin = stream->at;
    stream->left = 1; /* until it is counted */
    stream->transfer = (struct transfer){.kind = kind};
    return true;
}

static struct postern_mime_range whole_range(const struct imap_fetch *fetch)
{
    return (struct postern_mime_range){.raw_end = fetch->content_size,
                                       .wire_end = fetch_info(fetch)->size_wire};
}

/* I 2.3.1.1-7 I 6.4.5.1-9 I 7.1-5 */
static void begin_octets(struct postern_imap *s)
{
    struct imap_fetch *fetch = s->fetch;
    const struct fetch_section *section = fetch->item->section;
    struct fetch_stream *stream = &fetch->stream;
    enum transfer_kind kind = TRANSFER_NONE;
    struct postern_mime_range range;
    bool known = !section->prefix || section_transfer(fetch, section, &kind);
    uint64_t size;

    section_write_label(s, section);
    fetch->unknown |= !known;
    if (!known || !section_find(fetch->structures.block, section, whole_range(fetch), &range)) {
        write_text(s, fetch->item->kind == FETCH_BINARY_SIZE ? " 0" : " NIL");
        fetch->item = fetch->item->next;
        return;
    }
    write_text(s, " ");
    size = range.wire_end - range.wire;
    stream_begin(stream, section, &range);
    stream->collects = section->what == SECTION_FIELDS || section->what == SECTION_FIELDS_NOT;
    if (kind != TRANSFER_NONE || stream->collects) { /* all of it is looked through */
        stream->at = range.raw;
        stream->skip = 0;
        stream->left = size > HEADER_MAX ? HEADER_MAX : size;
    }
    if (stream->collects || begin_decoding(s, kind))
        return;
    if (fetch->item->kind == FETCH_BINARY_SIZE) {
        write_number(s, size);
        stream->left = 0;
        return;
    }
    stream->keeps_nul = section_is_binary(fetch, section);
    write_literal_size(s, stream->keeps_nul, stream->left);
}

static void begin_section(struct postern_imap *s)
{
    if (s->fetch->item->kind == FETCH_PREVIEW)
        begin_preview(s);
    else
        begin_octets(s);
}

/* I 3516:4.2-1 */
static void took_content(struct postern_imap *s, const struct imap_answer *answer)
{
    s->work = fetch_go;
    if (answer->err) { /* gone meanwhile: told as empty, and at the end */
        s->fetch->missing = true;
        if (s->fetch->item->kind == FETCH_PREVIEW)
            write_text(s, "PREVIEW \"\"");
        else
            section_write_label(s, s->fetch->item->section);
        write_text(s, s->fetch->item->kind == FETCH_PREVIEW ? "" : " NIL");
        s->fetch->item = s->fetch->item->next;
        return;
    }
    s->fetch->content = answer->content;
    s->fetch->content_size = answer->size_raw;
    s->fetch->has_content = true;
    begin_section(s);
}

void fetch_section_go(struct postern_imap *s)
{
    if (s->fetch->has_content) {
        begin_section(s);
        return;
    }
    s->work = NULL;
    s->question = (struct postern_imap_question){.uid = fetch_info(s->fetch)->uid};
    imap_ask(s, POSTERN_IMAP_CONTENT, took_content);
}
