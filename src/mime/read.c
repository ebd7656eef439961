/* SPDX-License-Identifier: MIT */
/* read - a block is read in place. Only postern_mime_check() doubts it; the others trust what it
 * saw. */
#include "mime/block.h"
#include "mime/list.h"
#include "mime/scanner.h"

/* struct row - a part or a field: its words. */
struct row {
    const char *p;
};

static uint32_t head_word(struct postern_span block, unsigned at)
{
    return word_at(block.p + at * WORD);
}

static uint64_t head_pair(struct postern_span block, unsigned at)
{
    return head_word(block, at) | (uint64_t)head_word(block, at + 1) << 32;
}

static uint32_t row_word(struct row row, unsigned at)
{
    return word_at(row.p + at * WORD);
}

static struct spot row_spot(struct row row, unsigned at)
{
    return (struct spot){.raw = row_word(row, at) | (uint64_t)row_word(row, at + 1) << 32,
                         .wire = row_word(row, at + 2) | (uint64_t)row_word(row, at + 3) << 32,
                         .lines = row_word(row, at + 4)};
}

static struct row part_row(struct postern_span block, uint32_t i)
{
    return (struct row){block.p + (HEAD_WORDS + (size_t)i * PART_WORDS) * WORD};
}

static struct row field_row(struct postern_span block, uint32_t i)
{
    return (struct row){part_row(block, head_word(block, HEAD_PARTS)).p +
                        (size_t)i * FIELD_WORDS * WORD};
}

static struct postern_span string_at(struct postern_span block, uint32_t offset, uint32_t n)
{
    return span_make(field_row(block, head_word(block, HEAD_FIELDS)).p + offset, n);
}

/* ---- checking -------------------------------------------------------------------------------- */

/* struct bounds - what no number in a block may lead out of. */
struct bounds {
    uint64_t raw, wire; /* octets of the message */
    uint32_t parts, fields, strings;
};

static bool string_is_good(const struct bounds *bounds, uint32_t offset, uint32_t n)
{
    return offset <= bounds->strings && n <= bounds->strings - offset;
}

static bool head_is_good(struct postern_span block)
{
    uint64_t words, strings, lists;

    if (block.n < HEAD_WORDS * WORD || head_word(block, HEAD_MAGIC) != MAGIC ||
        head_word(block, HEAD_VERSION) != VERSION || head_word(block, HEAD_LENGTH) != block.n ||
        head_word(block, HEAD_PARTS) == 0)
        return false;
    words = HEAD_WORDS + (uint64_t)head_word(block, HEAD_PARTS) * PART_WORDS +
            (uint64_t)head_word(block, HEAD_FIELDS) * FIELD_WORDS;
    strings = head_word(block, HEAD_STRINGS);
    lists = (uint64_t)head_word(block, HEAD_ENVELOPE) + head_word(block, HEAD_BODY);
    return words * WORD + strings + lists == block.n &&
           head_pair(block, HEAD_SUM) == block_sum(block);
}

static bool spots_are_good(const struct bounds *bounds, struct row row)
{
    struct spot header = row_spot(row, PART_HEADER), body = row_spot(row, PART_BODY),
                end = row_spot(row, PART_END);

    return header.raw <= body.raw && body.raw <= end.raw && end.raw <= bounds->raw &&
           header.wire <= body.wire && body.wire <= end.wire && end.wire <= bounds->wire &&
           header.lines <= body.lines && body.lines <= end.lines;
}

static bool field_is_good(const struct bounds *bounds, struct spot header, struct row row)
{
    uint32_t id = row_word(row, FIELD_ID);

    return (id & 0xff) <= POSTERN_MIME_OTHER &&
           string_is_good(bounds, row_word(row, FIELD_NAME), id >> 16) &&
           string_is_good(bounds, row_word(row, FIELD_VALUE), row_word(row, FIELD_VALUE_N)) &&
           header.raw + row_word(row, FIELD_RAW) + row_word(row, FIELD_RAW_N) <= bounds->raw &&
           header.wire + row_word(row, FIELD_WIRE) + row_word(row, FIELD_WIRE_N) <= bounds->wire;
}

static bool part_is_good(const struct bounds *bounds, struct postern_span block, uint32_t i)
{
    struct row row = part_row(block, i);
    struct spot header = row_spot(row, PART_HEADER);
    uint32_t parent = row_word(row, PART_PARENT), next = row_word(row, PART_NEXT);
    uint32_t first = row_word(row, PART_FIELDS), count = row_word(row, PART_FIELD_COUNT);
    uint32_t kind = row_word(row, PART_KIND);
    struct row field;

    if ((i ? parent >= i : parent) || next >= bounds->parts || (next && next <= i) ||
        first > bounds->fields || count > bounds->fields - first ||
        (kind >> 16 & 0xff) > POSTERN_MIME_MESSAGE ||
        !string_is_good(bounds, row_word(row, PART_TYPE), kind & 0xff) ||
        !string_is_good(bounds, row_word(row, PART_SUBTYPE), kind >> 8 & 0xff))
        return false;
    field = field_row(block, first);
    for (uint32_t at = 0; at < count; at++, field.p += FIELD_WORDS * WORD)
        if (!field_is_good(bounds, header, field))
            return false;
    return spots_are_good(bounds, row);
}

bool postern_mime_check(struct postern_span block)
{
    struct bounds bounds;

    if (!head_is_good(block))
        return false;
    bounds = (struct bounds){.raw = head_pair(block, HEAD_RAW),
                             .wire = head_pair(block, HEAD_WIRE),
                             .parts = head_word(block, HEAD_PARTS),
                             .fields = head_word(block, HEAD_FIELDS),
                             .strings = head_word(block, HEAD_STRINGS)};
    for (uint32_t i = 0; i < bounds.parts; i++)
        if (!part_is_good(&bounds, block, i))
            return false;
    return true;
}

/* ---- reading --------------------------------------------------------------------------------- */

void postern_mime_facts(struct postern_span block, struct postern_mime_facts *facts_r)
{
    uint32_t flags = head_word(block, HEAD_FLAGS);

    *facts_r = (struct postern_mime_facts){.parts = head_word(block, HEAD_PARTS),
                                           .size_raw = head_pair(block, HEAD_RAW),
                                           .size_wire = head_pair(block, HEAD_WIRE),
                                           .lines = head_pair(block, HEAD_LINES),
                                           .wire_clean = flags & FLAG_CLEAN,
                                           .utf8_header = flags & FLAG_UTF8,
                                           .cut = flags & FLAG_CUT};
}

static struct postern_mime_range range_of(struct spot begin, struct spot end)
{
    return (struct postern_mime_range){begin.raw, end.raw, begin.wire, end.wire};
}

void postern_mime_part(struct postern_span block, uint32_t i, struct postern_mime_part *part_r)
{
    struct row row = part_row(block, i);
    struct spot header = row_spot(row, PART_HEADER), body = row_spot(row, PART_BODY),
                end = row_spot(row, PART_END);
    uint32_t kind = row_word(row, PART_KIND);
    bool has_child =
        i + 1 < head_word(block, HEAD_PARTS) && row_word(part_row(block, i + 1), PART_PARENT) == i;

    *part_r = (struct postern_mime_part){
        .kind = (enum postern_mime_kind)(kind >> 16 & 0xff),
        .parent = row_word(row, PART_PARENT),
        .depth = row_word(row, PART_DEPTH),
        .next = row_word(row, PART_NEXT),
        .child = has_child ? i + 1 : 0,
        .fields = row_word(row, PART_FIELD_COUNT),
        .header = range_of(header, body),
        .body = range_of(body, end),
        .header_lines = (uint32_t)(body.lines - header.lines),
        .body_lines = (uint32_t)(end.lines - body.lines),
        .type = string_at(block, row_word(row, PART_TYPE), kind & 0xff),
        .subtype = string_at(block, row_word(row, PART_SUBTYPE), kind >> 8 & 0xff),
        .type_is_default = kind >> 24};
}

/* struct fields - those of a part: rows from begin to end. */
struct fields {
    const char *begin, *end;
};

#define FIELD_BYTES (FIELD_WORDS * WORD)

static struct fields fields_of(struct postern_span block, uint32_t part)
{
    struct row row = part_row(block, part);
    const char *begin = field_row(block, row_word(row, PART_FIELDS)).p;

    return (struct fields){begin, begin + row_word(row, PART_FIELD_COUNT) * FIELD_BYTES};
}

/* field_from - the first there or behind that is of that name, or the end. The octet that tells
 * stands in front: all are looked through for each name that is told of a message. */
static const char *field_from(const char *at, const char *end, enum postern_mime_field field)
{
    while (at < end && (unsigned char)*at != (unsigned)field)
        at += FIELD_BYTES;
    return at;
}

struct postern_span postern_mime_field(struct postern_span block, uint32_t part,
                                       enum postern_mime_field field, unsigned n)
{
    struct fields fields = fields_of(block, part);
    struct row row = {field_from(fields.begin, fields.end, field)};

    while (row.p < fields.end && n-- > 0)
        row.p = field_from(row.p + FIELD_BYTES, fields.end, field);
    if (row.p == fields.end)
        return (struct postern_span){0};
    return string_at(block, row_word(row, FIELD_VALUE), row_word(row, FIELD_VALUE_N));
}

void postern_mime_header(struct postern_span block, uint32_t part, uint32_t i,
                         struct postern_mime_header *header_r)
{
    struct spot header = row_spot(part_row(block, part), PART_HEADER);
    struct row row = field_row(block, row_word(part_row(block, part), PART_FIELDS) + i);
    uint32_t id = row_word(row, FIELD_ID), known = id & 0xff;
    uint64_t raw = header.raw + row_word(row, FIELD_RAW),
             wire = header.wire + row_word(row, FIELD_WIRE);

    *header_r = (struct postern_mime_header){
        .id = (enum postern_mime_field)known,
        .name = known < POSTERN_MIME_FIELDS ? mime_field_names[known]
                                            : string_at(block, row_word(row, FIELD_NAME), id >> 16),
        .range = {raw, raw + row_word(row, FIELD_RAW_N), wire, wire + row_word(row, FIELD_WIRE_N)}};
    if (id & FIELD_KEPT)
        header_r->value =
            string_at(block, row_word(row, FIELD_VALUE), row_word(row, FIELD_VALUE_N));
}

int postern_mime_find(struct postern_span block, uint32_t part, enum postern_mime_field field,
                      uint32_t *at, struct postern_mime_header *header_r)
{
    struct row row = part_row(block, part);
    uint32_t count = row_word(row, PART_FIELD_COUNT), i = *at;
    const char *first = field_row(block, row_word(row, PART_FIELDS)).p;

    while (i < count && (unsigned char)first[i * FIELD_WORDS * WORD] != (unsigned)field)
        i++;
    *at = i < count ? i + 1 : count;
    if (i < count)
        postern_mime_header(block, part, i, header_r);
    return i < count;
}

/* list_at - the octets of a list, which end so far before the end of the block. */
static struct postern_span list_at(struct postern_span block, unsigned at, uint32_t before_end)
{
    uint32_t n = head_word(block, at);

    return n ? span_make(block.p + block.n - before_end - n, n) : (struct postern_span){0};
}

struct postern_span mime_kept_envelope(struct postern_span block)
{
    return list_at(block, HEAD_ENVELOPE, head_word(block, HEAD_BODY));
}

struct postern_span mime_kept_body(struct postern_span block)
{
    return list_at(block, HEAD_BODY, 0);
}
