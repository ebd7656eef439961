/* SPDX-License-Identifier: MIT */
/* block - what is known of a message as one run of octets: head, parts, fields, strings. Whoever
 * reads one back checks it first; then no offset in it leads outside. Numbers stand as this machine
 * has them: a block is no format for exchange. */
#include "mime/scanner.h"

#include "base/span.h"

#define BLOCK_MAGIC 0x504d4231u /* version 1 */

struct block_head {
    uint32_t magic, length;
    uint64_t sum; /* FNV-1a of all behind it */
    uint64_t size_raw, size_wire;
    uint32_t parts, fields, strings;
    uint8_t wire_clean, utf8_header, cut, zero;
};

static struct block_head head_of(struct postern_span block)
{
    struct block_head head;

    memcpy(&head, block.p, sizeof head);
    return head;
}

static size_t parts_at(void)
{
    return sizeof(struct block_head);
}

static size_t fields_at(const struct block_head *head)
{
    return parts_at() + (size_t)head->parts * sizeof(struct part);
}

static size_t strings_at(const struct block_head *head)
{
    return fields_at(head) + (size_t)head->fields * sizeof(struct field);
}

static struct part part_of(struct postern_span block, uint32_t i)
{
    struct part part;

    memcpy(&part, block.p + parts_at() + (size_t)i * sizeof part, sizeof part);
    return part;
}

static struct field field_of(struct postern_span block, const struct block_head *head, uint32_t i)
{
    struct field field;

    memcpy(&field, block.p + fields_at(head) + (size_t)i * sizeof field, sizeof field);
    return field;
}

int mime_block_make(struct postern_mime *mime)
{
    struct block_head head = {.magic = BLOCK_MAGIC,
                              .size_raw = mime->at,
                              .size_wire = mime->at + mime->added + (mime->in_line ? 2 : 0),
                              .wire_clean = !mime->dirty,
                              .utf8_header = mime->utf8_header,
                              .cut = mime->cut};
    struct postern_span parts = buffer_span(&mime->parts), fields = buffer_span(&mime->fields),
                        strings = buffer_span(&mime->strings);

    if (mime->line.error || mime->field.error || mime->parts.error || mime->fields.error ||
        mime->strings.error || mime->boundaries.error || mime->stack.error)
        return POSTERN_E_NOMEM;
    head.parts = (uint32_t)(parts.n / sizeof(struct part));
    head.fields = (uint32_t)(fields.n / sizeof(struct field));
    head.strings = (uint32_t)strings.n;
    head.length = (uint32_t)(sizeof head + parts.n + fields.n + strings.n);
    buffer_append(&mime->block, span_make((const char *)&head, sizeof head));
    buffer_append(&mime->block, parts);
    buffer_append(&mime->block, fields);
    buffer_append(&mime->block, strings);
    if (mime->block.error)
        return POSTERN_E_NOMEM;
    head.sum = span_hash(span_from(buffer_span(&mime->block), 16));
    memcpy(mime->block.data + mime->block.head, &head, sizeof head);
    return 0;
}

/* ---- reading back ---------------------------------------------------------------------------- */

static bool part_is_good(const struct block_head *head, const struct part *part, uint32_t i)
{
    if (part->parent >= head->parts || part->next >= head->parts || part->child >= head->parts ||
        (i && part->parent >= i) || (part->next && part->next <= i) ||
        (part->child && part->child <= i) || part->kind > POSTERN_MIME_MESSAGE)
        return false;
    if (part->fields > head->fields || part->field_count > head->fields - part->fields)
        return false;
    return part->type <= head->strings && part->type_n <= head->strings - part->type &&
           part->subtype <= head->strings && part->subtype_n <= head->strings - part->subtype;
}

bool postern_mime_check(struct postern_span block)
{
    struct block_head head;

    if (block.n < sizeof head)
        return false;
    head = head_of(block);
    if (head.magic != BLOCK_MAGIC || head.length != block.n || head.parts == 0 ||
        head.parts > block.n || head.fields > block.n || head.strings > block.n ||
        strings_at(&head) + head.strings != block.n || head.sum != span_hash(span_from(block, 16)))
        return false;
    for (uint32_t i = 0; i < head.parts; i++) {
        struct part part = part_of(block, i);

        if (!part_is_good(&head, &part, i))
            return false;
    }
    for (uint32_t i = 0; i < head.fields; i++) {
        struct field field = field_of(block, &head, i);

        if (field.value > head.strings || field.value_n > head.strings - field.value)
            return false;
    }
    return true;
}

void postern_mime_facts(struct postern_span block, struct postern_mime_facts *facts_r)
{
    struct block_head head = head_of(block);

    *facts_r = (struct postern_mime_facts){.parts = head.parts,
                                           .size_raw = head.size_raw,
                                           .size_wire = head.size_wire,
                                           .wire_clean = head.wire_clean,
                                           .utf8_header = head.utf8_header,
                                           .cut = head.cut};
}

void postern_mime_part(struct postern_span block, uint32_t i, struct postern_mime_part *part_r)
{
    struct block_head head = head_of(block);
    struct part part = part_of(block, i);
    const char *strings = block.p + strings_at(&head);

    *part_r =
        (struct postern_mime_part){.kind = part.kind,
                                   .parent = part.parent,
                                   .depth = part.depth,
                                   .next = part.next,
                                   .child = part.child,
                                   .header = part.header,
                                   .body = part.body,
                                   .header_lines = part.header_lines,
                                   .body_lines = part.body_lines,
                                   .type = span_make(strings + part.type, part.type_n),
                                   .subtype = span_make(strings + part.subtype, part.subtype_n),
                                   .type_is_default = part.type_is_default};
    if (part.type_n == 0) { /* its header never ended */
        part_r->type = SPAN("text");
        part_r->subtype = SPAN("plain");
        part_r->type_is_default = true;
    }
}

struct postern_span postern_mime_field(struct postern_span block, uint32_t i,
                                       enum postern_mime_field id, unsigned n)
{
    struct block_head head = head_of(block);
    struct part part = part_of(block, i);

    for (uint32_t at = 0; at < part.field_count; at++) {
        struct field field = field_of(block, &head, part.fields + at);

        if (field.id == (uint32_t)id && n-- == 0)
            return span_make(block.p + strings_at(&head) + field.value, field.value_n);
    }
    return (struct postern_span){0};
}
