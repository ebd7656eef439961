/* SPDX-License-Identifier: MIT */
/* block - how a block is laid out: a row of 32-bit words, little-endian on every machine, then
 * text. Head, parts, fields, strings, lists; offsets of texts count from where the strings begin,
 * places in the message that do not fit one word take two, the lower first. Traps: a word more or
 * less is a new VERSION; blocks of another one are refused and made again. */
#ifndef MIME_BLOCK_H
#define MIME_BLOCK_H

#include "base/span.h"

#define MAGIC 0x6d74736fu /* "ostm" */
#define VERSION 4

enum head_word {
    HEAD_MAGIC,
    HEAD_VERSION,
    HEAD_LENGTH,
    HEAD_SUM, /* two words: of all that is behind it */
    HEAD_RAW = HEAD_SUM + 2,
    HEAD_WIRE = HEAD_RAW + 2,
    HEAD_LINES = HEAD_WIRE + 2,
    HEAD_PARTS = HEAD_LINES + 2,
    HEAD_FIELDS,
    HEAD_STRINGS,
    HEAD_ENVELOPE, /* octets of the lists that are kept, behind the strings; 0: of none */
    HEAD_BODY,
    HEAD_FLAGS,
    HEAD_WORDS
};
enum { FLAG_CLEAN = 1, FLAG_UTF8 = 2, FLAG_CUT = 4 };

enum part_word {
    PART_HEADER, /* a spot: raw, wire (two words each), lines */
    PART_BODY = PART_HEADER + 5,
    PART_END = PART_BODY + 5,
    PART_PARENT = PART_END + 5,
    PART_DEPTH,
    PART_NEXT,
    PART_FIELDS,
    PART_FIELD_COUNT,
    PART_TYPE,
    PART_SUBTYPE,
    PART_KIND, /* octets: length of type, of subtype, kind, type_is_default */
    PART_WORDS
};

enum field_word {
    FIELD_ID, /* id, 256 if its value is kept; above them the length of the name */
    FIELD_NAME,
    FIELD_VALUE,
    FIELD_VALUE_N,
    FIELD_RAW, /* from the beginning of the header */
    FIELD_RAW_N,
    FIELD_WIRE,
    FIELD_WIRE_N,
    FIELD_WORDS
};
#define FIELD_KEPT 256u

#define WORD sizeof(uint32_t)
#define SUMMED ((HEAD_SUM + 2) * WORD)

static inline uint32_t word_at(const char *p)
{
    const unsigned char *octets = (const unsigned char *)p;

    return (uint32_t)octets[0] | (uint32_t)octets[1] << 8 | (uint32_t)octets[2] << 16 |
           (uint32_t)octets[3] << 24;
}

/* block_sum - of all behind the sum itself. */
uint64_t block_sum(struct postern_span block);

#endif
