/* SPDX-License-Identifier: MIT */
/* block - what is known of a message is written as a block, see block.h; read.c reads it. */
#include "mime/block.h"
#include "mime/list.h"
#include "mime/scanner.h"

#define LISTED_PARTS 100
#define LISTED_BYTES 16384
#define LISTS_BYTES 1024 /* most are shorter */

/* ---- words ----------------------------------------------------------------------------------- */

static void word_put(char *p, uint32_t word)
{
    for (unsigned i = 0; i < WORD; i++)
        p[i] = (char)(unsigned char)(word >> (8 * i));
}

static void pair_set(uint32_t *words, unsigned at, uint64_t value)
{
    words[at] = (uint32_t)value;
    words[at + 1] = (uint32_t)(value >> 32);
}

static void words_append(struct buffer *block, const uint32_t *words, unsigned n)
{
    char *room = buffer_room(block, n * WORD);

    if (!room)
        return;
    for (unsigned i = 0; i < n; i++)
        word_put(room + i * WORD, words[i]);
    buffer_commit(block, n * WORD);
}

static inline uint64_t sum_step(uint64_t sum, uint64_t word)
{
    sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return sum ^ sum >> 32;
}

static inline uint64_t eight_at(const char *p)
{
    return word_at(p) | (uint64_t)word_at(p + 4) << 32;
}

/* block_sum - each step can be undone, so one changed word always changes the sum; four of them
 * beside each other, since none can begin before the one before it in its row is done, and a block
 * should not take longer to sum than to read. */
uint64_t block_sum(struct postern_span block)
{
    struct postern_span s = span_from(block, SUMMED);
    uint64_t a = UINT64_C(0xcbf29ce484222325) ^ s.n, b = 1, c = 2, d = 3;
    size_t i = 0;

    for (; i + 32 <= s.n; i += 32) {
        a = sum_step(a, eight_at(s.p + i));
        b = sum_step(b, eight_at(s.p + i + 8));
        c = sum_step(c, eight_at(s.p + i + 16));
        d = sum_step(d, eight_at(s.p + i + 24));
    }
    for (; i + 8 <= s.n; i += 8)
        a = sum_step(a, eight_at(s.p + i));
    for (; i < s.n; i++)
        a = sum_step(a, (unsigned char)s.p[i]);
    return sum_step(sum_step(sum_step(a, b), c), d);
}

/* ---- writing --------------------------------------------------------------------------------- */

static void spot_set(uint32_t *words, unsigned at, struct spot spot)
{
    pair_set(words, at, spot.raw);
    pair_set(words, at + 2, spot.wire);
    words[at + 4] = (uint32_t)spot.lines;
}

static void part_append(struct buffer *block, const struct part *part)
{
    uint32_t words[PART_WORDS] = {[PART_PARENT] = part->parent,
                                  [PART_DEPTH] = part->depth,
                                  [PART_NEXT] = part->next,
                                  [PART_FIELDS] = part->fields,
                                  [PART_FIELD_COUNT] = part->field_count,
                                  [PART_TYPE] = part->type,
                                  [PART_SUBTYPE] = part->subtype,
                                  [PART_KIND] = part->type_n | (uint32_t)part->subtype_n << 8 |
                                                (uint32_t)part->kind << 16 |
                                                (uint32_t)part->type_is_default << 24};

    spot_set(words, PART_HEADER, part->header);
    spot_set(words, PART_BODY, part->body);
    spot_set(words, PART_END, part->end);
    words_append(block, words, PART_WORDS);
}

/* field_append - a header is at most 256 KiB where fields are looked for, but the last field may
 * have an end far behind: what does not fit a word is cut. */
static void field_append(struct buffer *block, const struct field *field, struct spot header)
{
    uint64_t raw_n = field->end.raw - field->begin.raw,
             wire_n = field->end.wire - field->begin.wire;
    uint32_t words[FIELD_WORDS] = {
        [FIELD_ID] = field->id | (field->kept ? FIELD_KEPT : 0) | field->name_n << 16,
        [FIELD_NAME] = field->name,
        [FIELD_VALUE] = field->value,
        [FIELD_VALUE_N] = field->value_n,
        [FIELD_RAW] = (uint32_t)(field->begin.raw - header.raw),
        [FIELD_RAW_N] = raw_n > UINT32_MAX ? UINT32_MAX : (uint32_t)raw_n,
        [FIELD_WIRE] = (uint32_t)(field->begin.wire - header.wire),
        [FIELD_WIRE_N] = wire_n > UINT32_MAX ? UINT32_MAX : (uint32_t)wire_n};

    words_append(block, words, FIELD_WORDS);
}

static void tables_append(const struct postern_mime *mime, struct buffer *block)
{
    const struct field *fields = (const struct field *)(const void *)buffer_span(&mime->fields).p;
    uint32_t parts = mime_part_count(mime);

    for (uint32_t i = 0; i < parts; i++)
        part_append(block, mime_part_at(mime, i));
    for (uint32_t i = 0; i < parts; i++) {
        const struct part *part = mime_part_at(mime, i);

        for (uint32_t at = 0; at < part->field_count; at++)
            field_append(block, &fields[part->fields + at], part->header);
    }
}

static bool is_broken(const struct postern_mime *mime)
{
    return mime->line.error || mime->field.error || mime->parts.error || mime->fields.error ||
           mime->strings.error || mime->boundaries.error || mime->stack.error;
}

/* ---- lists ----------------------------------------------------------------------------------- */

static void head_set(struct buffer *block, unsigned at, uint32_t word)
{
    if (!block->error)
        word_put(block->data + block->head + at * WORD, word);
}

/* list_keep - one that all clients are told alike becomes part of the block. */
static void list_keep(struct buffer *block, const struct list *list, unsigned at)
{
    struct postern_span text = buffer_span(list->out);

    if (list->out->error)
        block->error = list->out->error;
    if (list->differs)
        return;
    buffer_append(block, text);
    head_set(block, at, (uint32_t)text.n);
}

/* lists_append - of a message that is no monster. The block is whole but for its sum. */
static void lists_append(struct buffer *block, uint32_t parts, size_t strings_n)
{
    struct buffer envelope = {.allocator = block->allocator, .plain = true}, body = envelope;
    struct list lists[] = {{.out = &envelope}, {.out = &body}};

    if (block->error || parts > LISTED_PARTS || strings_n > LISTED_BYTES)
        return;
    (void)buffer_room(&envelope, LISTS_BYTES);
    mime_write_envelope(&lists[0], buffer_span(block), 0);
    mime_write_body(&lists[1], buffer_span(block), true);
    list_keep(block, &lists[0], HEAD_ENVELOPE);
    list_keep(block, &lists[1], HEAD_BODY);
    head_set(block, HEAD_LENGTH, (uint32_t)buffer_length(block));
    buffer_done(&envelope);
    buffer_done(&body);
}

int mime_block_make(struct postern_mime *mime)
{
    struct postern_span strings = buffer_span(&mime->strings);
    uint64_t sum;
    uint32_t parts = mime_part_count(mime),
             fields = (uint32_t)(buffer_length(&mime->fields) / sizeof(struct field));
    size_t length = WORD * (HEAD_WORDS + (size_t)parts * PART_WORDS + (size_t)fields * FIELD_WORDS);
    uint32_t head[HEAD_WORDS] = {[HEAD_MAGIC] = MAGIC,
                                 [HEAD_VERSION] = VERSION,
                                 [HEAD_LENGTH] = (uint32_t)(length + strings.n),
                                 [HEAD_PARTS] = parts,
                                 [HEAD_FIELDS] = fields,
                                 [HEAD_STRINGS] = (uint32_t)strings.n,
                                 [HEAD_FLAGS] = (mime->dirty ? 0 : FLAG_CLEAN) |
                                                (mime->utf8_header ? FLAG_UTF8 : 0) |
                                                (mime->cut ? FLAG_CUT : 0)};

    if (is_broken(mime))
        return POSTERN_E_NOMEM;
    pair_set(head, HEAD_RAW, mime->at.raw);
    pair_set(head, HEAD_WIRE, mime->at.wire);
    pair_set(head, HEAD_LINES, mime->at.lines);
    buffer_room(&mime->block, length + strings.n + LISTS_BYTES);
    words_append(&mime->block, head, HEAD_WORDS);
    tables_append(mime, &mime->block);
    buffer_append(&mime->block, strings);
    lists_append(&mime->block, parts, strings.n);
    if (mime->block.error)
        return POSTERN_E_NOMEM;
    sum = block_sum(buffer_span(&mime->block));
    head_set(&mime->block, HEAD_SUM, (uint32_t)sum);
    head_set(&mime->block, HEAD_SUM + 1, (uint32_t)(sum >> 32));
    return 0;
}
