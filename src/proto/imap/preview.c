/* SPDX-License-Identifier: MIT */
/* preview - first the part is chosen, by the parsed form alone; then its octets pass, decoded,
 * their markup dropped one character at a time, until there are words enough. */
#include "proto/imap/preview.h"

#include "base/span.h"
#include "codec/utf8.h"

/* ---- which part ------------------------------------------------------------------------------ */

static bool is_attached(struct postern_span block, uint32_t at,
                        const struct postern_mime_part *part)
{
    struct postern_span disposition =
        postern_mime_field(block, at, POSTERN_MIME_CONTENT_DISPOSITION, 0);
    struct postern_mime_part above = *part;

    if (span_begins_nocase(disposition, SPAN("attachment")))
        return true;
    while (at != 0) { /* what is in an attached message is somebody else's */
        at = above.parent;
        postern_mime_part(block, at, &above);
        if (above.kind == POSTERN_MIME_MESSAGE)
            return true;
    }
    return false;
}

bool preview_part(struct postern_span block, uint32_t *part_r)
{
    struct postern_mime_facts facts;
    bool has_html = false;

    postern_mime_facts(block, &facts);
    for (uint32_t i = 0; i < facts.parts; i++) {
        struct postern_mime_part part;

        postern_mime_part(block, i, &part);
        if (part.kind != POSTERN_MIME_LEAF || !span_equal_nocase(part.type, SPAN("text")) ||
            is_attached(block, i, &part))
            continue;
        if (span_equal_nocase(part.subtype, SPAN("html"))) {
            *part_r = has_html ? *part_r : i;
            has_html = true;
        } else if (!span_equal_nocase(part.subtype, SPAN("calendar"))) {
            *part_r = i;
            return true;
        }
    }
    return has_html;
}

int preview_begin(struct preview *preview, struct postern_span block, uint32_t at)
{
    struct postern_span type = postern_mime_field(block, at, POSTERN_MIME_CONTENT_TYPE, 0);
    struct postern_mime_part part;
    struct postern_mime_value value;
    char buffer[100];

    postern_mime_part(block, at, &part);
    preview->is_html = span_equal_nocase(part.subtype, SPAN("html"));
    preview->transfer.kind =
        transfer_of(postern_mime_field(block, at, POSTERN_MIME_CONTENT_ENCODING, 0));
    if (!part.type_is_default && type.p &&
        postern_mime_parameter_find(type, SPAN("charset"), &value, buffer, sizeof buffer) &&
        charset_open(&preview->charset, value.text) == POSTERN_E_NOMEM)
        return POSTERN_E_NOMEM;
    return 0;
}

/* ---- what is text ---------------------------------------------------------------------------- */

/* put - one character of the text; white space is kept until something stands behind it. */
static void put(struct preview *preview, struct postern_span character)
{
    bool is_space = character.n == 1 && (unsigned char)character.p[0] <= ' ';

    if (is_space || span_equal_nocase(character, SPAN("\xc2\xa0"))) {
        preview->space_due = preview->characters > 0;
        return;
    }
    if (preview->space_due && preview->characters < PREVIEW_CHARACTERS) {
        buffer_append_char(&preview->text, ' ');
        preview->characters++;
    }
    preview->space_due = false;
    if (preview->characters < PREVIEW_CHARACTERS) {
        buffer_append(&preview->text, character);
        preview->characters++;
    }
}

static bool is_word(const struct preview *preview, const char *word)
{
    return span_equal_nocase(span_make(preview->word, preview->word_n), postern_span_of(word));
}

static bool is_one_of(const struct preview *preview, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_word(preview, words[i]))
            return true;
    return false;
}

/* tag_over - "</style" ends what "style" began to hide; most others part words. */
static void tag_over(struct preview *preview)
{
    static const char *const hiding[] = {"style", "script", "head", "title"},
                             *const within[] = {"a",    "b",    "i",     "u",    "em",  "strong",
                                                "/a",   "/b",   "/i",    "/u",   "/em", "/strong",
                                                "font", "span", "/font", "/span"};

    preview->state = PREVIEW_TEXT;
    if (preview->hidden[0]) {
        if (preview->word_n && preview->word[0] == '/' &&
            span_equal_nocase(span_make(preview->word + 1, preview->word_n - 1),
                              postern_span_of(preview->hidden)))
            preview->hidden[0] = '\0';
        return;
    }
    if (is_one_of(preview, hiding, sizeof hiding / sizeof *hiding)) {
        memcpy(preview->hidden, preview->word, preview->word_n);
        preview->hidden[preview->word_n] = '\0';
    } else if (!is_one_of(preview, within, sizeof within / sizeof *within)) {
        put(preview, SPAN(" "));
    }
}

/* parse_code - "233" or "xe9". */
static bool parse_code(struct postern_span text, uint64_t *code_r)
{
    if (text.p[0] != 'x' && text.p[0] != 'X')
        return span_number(text, 0x10ffff, code_r);
    *code_r = 0;
    for (size_t i = 1; i < text.n; i++) {
        char c = ascii_lower(text.p[i]);
        bool is_digit = c >= '0' && c <= '9';

        if ((!is_digit && (c < 'a' || c > 'f')) || *code_r > 0x10ffff)
            return false;
        *code_r = *code_r << 4 | (uint64_t)(is_digit ? c - '0' : c - 'a' + 10);
    }
    return text.n > 1;
}

static void entity_over(struct preview *preview)
{
    static const struct {
        const char *name, *text;
    } known[] = {{"amp", "&"},   {"lt", "<"},   {"gt", ">"},
                 {"quot", "\""}, {"apos", "'"}, {"nbsp", " "}};
    struct postern_span word = span_make(preview->word, preview->word_n);
    uint64_t number = 0;
    char octets[4];

    preview->state = PREVIEW_TEXT;
    if (word.n > 1 && word.p[0] == '#') {
        size_t n = parse_code(span_from(word, 1), &number) && number
                       ? utf8_encode((uint32_t)number, octets)
                       : 0;

        if (n)
            put(preview, span_make(octets, n));
        return;
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (is_word(preview, known[i].name))
            put(preview, postern_span_of(known[i].text));
}

static void keep(struct preview *preview, char c)
{
    if (preview->word_n < PREVIEW_WORD_BYTES - 1)
        preview->word[preview->word_n++] = c;
}

/* take_tag - the name ends at a space; "<!--" is a comment. */
static void take_tag(struct preview *preview, char c)
{
    if (c == '>') {
        tag_over(preview);
    } else if (preview->dashes) {
        return; /* behind the name */
    } else if ((unsigned char)c <= ' ' || (c == '/' && preview->word_n)) {
        preview->dashes = 1;
    } else {
        keep(preview, c);
        if (preview->word_n == 3 && memcmp(preview->word, "!--", 3) == 0) {
            preview->state = PREVIEW_COMMENT;
            preview->dashes = 0;
        }
    }
}

static void take_comment(struct preview *preview, char c)
{
    if (c == '>' && preview->dashes >= 2)
        preview->state = PREVIEW_TEXT;
    preview->dashes = c == '-' ? preview->dashes + 1 : 0;
}

static void take_markup(struct preview *preview, struct postern_span character)
{
    char c = character.p[0];

    if (preview->state == PREVIEW_TAG) {
        take_tag(preview, c);
    } else if (preview->state == PREVIEW_COMMENT) {
        take_comment(preview, c);
    } else if (preview->state == PREVIEW_ENTITY && c == ';') {
        entity_over(preview);
    } else if (preview->state == PREVIEW_ENTITY && (unsigned char)c > ' ' && c != '<') {
        keep(preview, c);
    } else if (c == '<' || (c == '&' && !preview->hidden[0])) {
        preview->state = c == '<' ? PREVIEW_TAG : PREVIEW_ENTITY;
        preview->word_n = preview->dashes = 0;
    } else {
        preview->state = PREVIEW_TEXT;
        if (!preview->hidden[0])
            put(preview, character);
    }
}

/* I 8970:3.3-1 I 8970:3.3-2 */
bool preview_feed(struct preview *preview, struct postern_span octets)
{
    struct buffer decoded = {.allocator = preview->plain.allocator};
    struct postern_span text;

    transfer_feed(&preview->transfer, octets, &decoded);
    charset_feed(preview->charset, buffer_span(&decoded), &preview->plain);
    buffer_done(&decoded);
    text = buffer_span(&preview->plain);
    while (text.n && preview->characters < PREVIEW_CHARACTERS) {
        size_t n = utf8_length(text);

        if (n == 0 && text.n < 4)
            break; /* cut: the rest comes */
        if (n && preview->is_html)
            take_markup(preview, span_make(text.p, n));
        else
            put(preview, n ? span_make(text.p, n) : SPAN("?"));
        text = span_from(text, n ? n : 1);
    }
    buffer_take(&preview->plain, buffer_length(&preview->plain) - text.n);
    return preview->characters >= PREVIEW_CHARACTERS;
}

void preview_done(struct preview *preview)
{
    charset_close(&preview->charset);
    buffer_done(&preview->plain);
    buffer_done(&preview->text);
}
