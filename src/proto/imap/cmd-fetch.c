/* SPDX-License-Identifier: MIT */
/* cmd-fetch - FETCH: messages in batches, items in the order they were asked for, sections as the
 * output drains. Memory does not depend on how many messages or octets there are.
 *
 * A message that is gone, but not yet told to be, is passed over; then the command ends with
 * NO [EXPUNGEISSUED] (RFC 2180 4.1.3).
 * TRAP: the octets of a literal were announced; if they cannot be read, the session ends. */
#include "proto/imap/fetch.h"

static void fetch_go(struct postern_imap *s);

/* I 7.1-3 I 3516:4.3-4 */
static void finish(struct postern_imap *s)
{
    struct imap_fetch *fetch = s->fetch;

    s->work = NULL;
    buffer_done(&fetch->structures.own);
    buffer_done(&fetch->header);
    if (fetch->then)
        fetch->then(s);
    else if (fetch->unknown)
        imap_partly(s, false, "UNKNOWN-CTE", "a part is encoded by means that are not known");
    else if (fetch->missing && !s->by_uid)
        imap_partly(s, false, "EXPUNGEISSUED", "some of the messages are gone");
    else
        imap_partly(s, true, NULL, "done");
}

/* ---- batches --------------------------------------------------------------------------------- */

static void stored(struct postern_imap *s, const struct imap_answer *answer);

/* in_order - the place in the batch of its i-th message by UID. */
static size_t in_order(const struct postern_imap *s, size_t i)
{
    return s->limit_uid ? s->fetch->batch_n - 1 - i : i;
}

/* set_seen - of the batch those that are not; they are looked at again then.
 * I 7162:3.1.4.1-3 I 6.4.5-3 */
static bool set_seen(struct postern_imap *s)
{
    struct imap_fetch *fetch = s->fetch;
    static const struct postern_imap_question add = {.how = POSTERN_FLAGS_ADD,
                                                     .flags = POSTERN_FLAG_SEEN};
    uint32_t *uids = arena_alloc(&s->arena, FETCH_BATCH * sizeof *uids);
    size_t count = 0;

    if (!uids) {
        imap_no_memory(s);
        return true;
    }
    for (size_t i = 0; i < fetch->batch_n; i++) {
        size_t at = in_order(s, i);

        fetch->newly_seen[at] = !(fetch->batch[at].flags & POSTERN_FLAG_SEEN) &&
                                fetch->batch[at].modseq > fetch->changed_since &&
                                view_number(&s->view, fetch->batch[at].uid);
        if (fetch->newly_seen[at])
            uids[count++] = fetch->batch[at].uid;
    }
    if (!count)
        return false;
    s->question = add;
    s->question.uids = uids;
    s->question.uid_count = count;
    imap_ask(s, POSTERN_IMAP_STORE, stored);
    return true;
}

static void took_again(struct postern_imap *s, const struct imap_answer *answer)
{
    struct imap_fetch *fetch = s->fetch;

    for (size_t i = 0, at = 0; !answer->err && i < fetch->batch_n; i++) {
        struct postern_message_info *info = &fetch->batch[in_order(s, i)];

        while (at < answer->count && answer->messages[at].uid < info->uid)
            at++;
        if (at < answer->count && answer->messages[at].uid == info->uid)
            *info = answer->messages[at];
    }
    s->work = fetch_go;
}

/* stored - a disk that is full must not keep anybody from reading: then they stay unseen. */
static void stored(struct postern_imap *s, const struct imap_answer *answer)
{
    if (answer->err) {
        memset(s->fetch->newly_seen, 0, sizeof s->fetch->newly_seen);
        s->work = fetch_go;
        return;
    }
    s->question =
        (struct postern_imap_question){.range = s->fetch->batch_range, .count = FETCH_BATCH};
    imap_ask(s, POSTERN_IMAP_MESSAGES, took_again);
}

static const struct postern_uid_range *range_at(const struct postern_imap *s)
{
    const struct imap_fetch *fetch = s->fetch;

    return &fetch->set.ranges[s->limit_uid ? fetch->set.count - 1 - fetch->range : fetch->range];
}

/* set_next - where the next batch begins; from the highest down, where it ends. */
static void set_next(struct postern_imap *s)
{
    struct imap_fetch *fetch = s->fetch;
    struct postern_uid_range whole = *range_at(s), done = fetch->batch_range;

    if (s->limit_uid ? done.first == whole.first : done.last == whole.last) {
        fetch->range++;
        fetch->next_uid = 0;
    } else {
        fetch->next_uid = s->limit_uid ? done.first - 1 : done.last + 1;
    }
}

/* I 6.3.3-3 */
static void took_batch(struct postern_imap *s, const struct imap_answer *answer)
{
    struct imap_fetch *fetch = s->fetch;
    struct postern_uid_range asked = s->question.range;

    if (answer->err && fetch->then) { /* who wants to know asks */
        finish(s);
        return;
    }
    if (answer->err) {
        s->work = NULL;
        imap_refuse(s, answer->err);
        return;
    }
    fetch->at = 0;
    fetch->batch_n = answer->count < FETCH_BATCH ? answer->count : FETCH_BATCH;
    memset(fetch->newly_seen, 0, sizeof fetch->newly_seen);
    for (size_t i = 0; i < fetch->batch_n; i++)
        fetch->batch[in_order(s, i)] = answer->messages[i];
    fetch->batch_range = asked;
    if (fetch->batch_n == FETCH_BATCH && !s->limit_uid)
        fetch->batch_range.last = fetch->batch[FETCH_BATCH - 1].uid;
    /* whatever of the view lies there and did not come is gone */
    fetch->missing |= view_place(&s->view, fetch->batch_range.last + 1) -
                          view_place(&s->view, fetch->batch_range.first) >
                      fetch->batch_n;
    set_next(s);
    s->work = fetch_go;
    if (fetch->sets_seen && !s->read_only && s->rights & POSTERN_RIGHT_SEEN && set_seen(s))
        s->work = NULL;
}

static void next_batch(struct postern_imap *s)
{
    struct imap_fetch *fetch = s->fetch;
    struct postern_uid_range range;

    if (fetch->range == fetch->set.count) {
        finish(s);
        return;
    }
    range = *range_at(s);
    if (s->limit_uid) { /* the ranges have no gaps then */
        range.last = fetch->next_uid ? fetch->next_uid : range.last;
        if (range.last - range.first >= FETCH_BATCH)
            range.first = range.last - FETCH_BATCH + 1;
    } else if (fetch->next_uid) {
        range.first = fetch->next_uid;
    }
    s->work = NULL;
    s->question = (struct postern_imap_question){.range = range, .count = FETCH_BATCH};
    imap_ask(s, POSTERN_IMAP_MESSAGES, took_batch);
}

/* ---- one message ----------------------------------------------------------------------------- */

static const struct postern_message_info *info_of(const struct imap_fetch *fetch)
{
    return &fetch->batch[fetch->at];
}

static void write_item(struct postern_imap *s, enum fetch_kind kind);

/* write_unasked - what belongs to flags that the command changed (RFC 7162 3.2.4).
 * I 7162:3.2.4-2 */
static void write_unasked(struct postern_imap *s, bool wanted, enum fetch_kind kind)
{
    if (!wanted)
        return;
    write_text(s, " ");
    write_item(s, kind);
}

static void message_over(struct postern_imap *s)
{
    struct imap_fetch *fetch = s->fetch;

    if (fetch->newly_seen[fetch->at]) {
        write_unasked(s, !fetch->has_flags, FETCH_FLAGS);
        write_unasked(s, s->condstore && !fetch->has_uid && !s->uid_only, FETCH_UID);
        write_unasked(s, s->condstore && !fetch->has_modseq, FETCH_MODSEQ);
        imap_told(s, info_of(fetch)->uid, info_of(fetch)->modseq);
    }
    write_text(s, ")\r\n");
    if (fetch->has_content)
        imap_tell(s, POSTERN_IMAP_CONTENT_DONE, fetch->content);
    fetch->has_content = fetch->in_message = false;
    fetch->at++;
}

static void write_message(struct postern_imap *s)
{
    struct imap_fetch *fetch = s->fetch;

    fetch->in_message = true;
    fetch->any = false;
    fetch->item = fetch->items;
    imap_write_message(s, info_of(fetch)->uid, false);
}

static void took_structures(struct postern_imap *s, const struct imap_answer *answer)
{
    s->work = fetch_go;
    if (answer->err) { /* gone, or it cannot be read: the others can */
        s->fetch->missing = true;
        s->fetch->at++;
    } else if (structures_take(s, &s->fetch->structures, answer)) {
        write_message(s);
    }
}

/* ask_structures - of this message, and those of the batch behind it. */
static void ask_structures(struct postern_imap *s)
{
    struct imap_fetch *fetch = s->fetch;
    size_t count = 0;

    for (size_t i = fetch->at; i < fetch->batch_n; i++)
        if (fetch->batch[i].modseq > fetch->changed_since)
            fetch->wanted[count++] = fetch->batch[i].uid;
    s->work = NULL;
    s->question = (struct postern_imap_question){
        .uid = fetch->wanted[0], .uids = fetch->wanted, .uid_count = count};
    imap_ask(s, POSTERN_IMAP_STRUCTURE, took_structures);
}

/* I 7162:3.1.4.1-1 */
static void begin_message(struct postern_imap *s)
{
    struct imap_fetch *fetch = s->fetch;

    if (!view_number(&s->view, info_of(fetch)->uid) ||
        info_of(fetch)->modseq <= fetch->changed_since) {
        fetch->at++;
        return;
    }
    if (!fetch->needs_block || structures_have(&fetch->structures, info_of(fetch)->uid))
        write_message(s);
    else
        ask_structures(s);
}

/* ---- sections -------------------------------------------------------------------------------- */

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

static void stream_go(struct postern_imap *s)
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
    if (!known ||
        !section_find(fetch->structures.block, section, info_of(fetch)->size_wire, &range)) {
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
    s->fetch->has_content = true;
    begin_section(s);
}

static void section_go(struct postern_imap *s)
{
    if (s->fetch->has_content) {
        begin_section(s);
        return;
    }
    s->work = NULL;
    s->question = (struct postern_imap_question){.uid = info_of(s->fetch)->uid};
    imap_ask(s, POSTERN_IMAP_CONTENT, took_content);
}

/* ---- items ----------------------------------------------------------------------------------- */

/* I 8474:5.1-1 I 8474:5.2-1 */
static void write_id(struct postern_imap *s, const struct postern_message_info *info)
{
    if (!info->email_id) {
        write_text(s, "EMAILID NIL");
        return;
    }
    write_text(s, "EMAILID (E");
    write_number(s, info->email_id);
    write_text(s, ")");
}

static void write_envelope(struct postern_imap *s, struct postern_span block)
{
    struct postern_span kept = mime_kept_envelope(block);
    struct list list = write_list(s);

    write_span(s, kept);
    if (!kept.p)
        mime_write_envelope(&list, block, 0);
}

static void write_body(struct postern_imap *s, struct postern_span block, bool extended)
{
    struct postern_span kept = extended ? mime_kept_body(block) : (struct postern_span){0};
    struct list list = write_list(s);

    write_span(s, kept);
    if (!kept.p)
        mime_write_body(&list, block, extended);
}

/* I 2.3.4-1 I 6.4.5-10 */
static void write_item(struct postern_imap *s, enum fetch_kind kind)
{
    const struct postern_message_info *info = info_of(s->fetch);

    switch (kind) {
    case FETCH_UID:
        write_text(s, "UID ");
        write_number(s, info->uid);
        break;
    case FETCH_FLAGS:
        write_text(s, "FLAGS ");
        write_flags(s, info->flags, info->keywords, view_is_recent(&s->view, info->uid));
        break;
    case FETCH_DATE:
        write_text(s, "INTERNALDATE ");
        write_date_time(s, info->date_s);
        break;
    case FETCH_SIZE:
        write_text(s, "RFC822.SIZE ");
        write_number(s, info->size_wire);
        break;
    case FETCH_MODSEQ:
        write_text(s, "MODSEQ (");
        write_number(s, info->modseq);
        write_text(s, ")");
        break;
    case FETCH_SAVEDATE:
        write_text(s, "SAVEDATE ");
        if (info->saved_s)
            write_date_time(s, info->saved_s);
        else
            write_text(s, "NIL");
        break;
    case FETCH_EMAILID:
        write_id(s, info);
        break;
    case FETCH_THREADID:
        write_text(s, "THREADID NIL");
        break;
    case FETCH_ENVELOPE:
        write_text(s, "ENVELOPE ");
        write_envelope(s, s->fetch->structures.block);
        break;
    default:
        write_text(s, kind == FETCH_BODY ? "BODY " : "BODYSTRUCTURE ");
        write_body(s, s->fetch->structures.block, kind == FETCH_BODYSTRUCTURE);
        break;
    }
}

static void item_go(struct postern_imap *s)
{
    struct imap_fetch *fetch = s->fetch;

    if (!fetch->item) {
        message_over(s);
        return;
    }
    if (fetch->any)
        write_text(s, " ");
    fetch->any = true;
    if (fetch->item->kind >= FETCH_SECTION) {
        section_go(s);
        return;
    }
    write_item(s, fetch->item->kind);
    fetch->item = fetch->item->next;
}

/* fetch_go - one step; imap_advance() comes again while there is room. */
static void fetch_go(struct postern_imap *s)
{
    struct imap_fetch *fetch = s->fetch;

    if (fetch->stream.active)
        stream_go(s);
    else if (fetch->in_message)
        item_go(s);
    else if (fetch->at < fetch->batch_n)
        begin_message(s);
    else
        next_batch(s);
}

/* write_vanished - of the UIDs asked for, those that are not there (RFC 7162 3.2.6).
 * I 7162:3.2.6-2 */
static void write_vanished(struct postern_imap *s)
{
    const struct imap_set *set = &s->fetch->set;

    imap_write_holes(s, set->ranges, set->count, 0);
}

/* take_part - of the messages asked for (RFC 9394 3.3), before it is seen what changed (3.4).
 * false: the command is answered.
 * I 9394:3.3-1 I 9394:3.4-1 */
static bool take_part(struct postern_imap *s, struct imap_fetch *fetch)
{
    uint32_t *uids = NULL, limit = imap_limit(s);
    size_t count, first, n;

    if (limit && fetch->partial.last - fetch->partial.first >= limit) { /* RFC 9738 3.1 */
        imap_no_limit(s, limit, 0);
        return false;
    }
    count = imap_set_uids(s, &fetch->set, &uids);
    search_slice(&fetch->partial, count, &first, &n);
    if (!s->failed)
        imap_uids_set(s, uids + first, n, &fetch->set);
    return !s->failed;
}

bool fetch_new(struct postern_imap *s)
{
    struct imap_fetch *fetch = arena_alloc(&s->arena, sizeof *fetch);

    if (!fetch) {
        imap_no_memory(s);
        return false;
    }
    memset(fetch, 0, sizeof *fetch);
    fetch->structures.own.allocator = fetch->header.allocator = s->o.allocator;
    s->fetch = fetch;
    return true;
}

void fetch_begin(struct postern_imap *s, void (*then)(struct postern_imap *s))
{
    s->fetch->then = then;
    s->work = fetch_go;
    imap_advance(s);
}

void imap_cmd_fetch(struct postern_imap *s)
{
    struct imap_fetch *fetch;

    if (!fetch_new(s))
        return;
    fetch = s->fetch;
    if (!fetch_parse(s, fetch))
        return;
    if (fetch->vanished)
        write_vanished(s);
    if (!(fetch->has_partial ? take_part(s, fetch) : imap_limit_cut_set(s, &fetch->set)))
        return;
    s->told_falls = s->limit_uid;
    s->work = fetch_go;
    imap_advance(s);
}

void imap_fetch_abort(struct postern_imap *s)
{
    if (!s->fetch)
        return;
    buffer_done(&s->fetch->structures.own);
    buffer_done(&s->fetch->header);
    preview_done(&s->fetch->preview);
}
