/* SPDX-License-Identifier: MIT */
/* header - fields: which are remembered, which of them with their values. Of the top header all
 * are, since a client may ask for any; elsewhere those whose values are. */
#include "mime/scanner.h"

#include "base/span.h"

const struct postern_span mime_field_names[POSTERN_MIME_FIELDS] = {
#define FIELD_NAME(name, text) {text, sizeof text - 1},
    POSTERN_MIME_FIELD_MAP(FIELD_NAME)
#undef FIELD_NAME
};

/* is_message - the part is a message of its own: all fields are wanted. */
static bool is_message(const struct postern_mime *mime)
{
    const struct part *part = mime_part_at(mime, mime->current);

    return mime->current == 0 || mime_part_at(mime, part->parent)->kind == POSTERN_MIME_MESSAGE;
}

/* is_named - the usual spelling first: the compiler sees the known one, and compares words. */
static inline bool is_named(struct postern_span name, struct postern_span known)
{
    return name.n == known.n &&
           (memcmp(name.p, known.p, known.n) == 0 || span_begins_nocase(name, known));
}

enum postern_mime_field postern_mime_field_named(struct postern_span name)
{
#define NAMED(id, text) is_named(name, SPAN(text)) ? POSTERN_MIME_##id:
    return POSTERN_MIME_FIELD_MAP(NAMED) POSTERN_MIME_OTHER;
#undef NAMED
}

static bool is_chosen(const struct postern_mime *mime, struct postern_span name)
{
    for (size_t i = 0; i < mime->options.chosen_n; i++)
        if (span_equal_nocase(name, mime->options.chosen[i]))
            return true;
    return false;
}

/* is_name - field-name = 1*ftext; ftext = %d33-57 / %d59-126 (RFC 5322 3.6.8) */
static bool is_name(struct postern_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || (unsigned char)s.p[i] > 126)
            return false;
    return s.n > 0 && s.n <= UINT16_MAX;
}

/* unfold - append a value without its line ends. */
static uint32_t unfold(struct postern_mime *mime, struct postern_span value)
{
    size_t before = buffer_length(&mime->strings);

    while (value.n) {
        size_t end = span_find(value, '\n'), n = end;

        if (n && end < value.n && value.p[n - 1] == '\r')
            n--;
        buffer_append(&mime->strings, span_make(value.p, n));
        value = span_from(value, end + 1);
    }
    return (uint32_t)(buffer_length(&mime->strings) - before);
}

static struct postern_span trimmed(struct postern_span value)
{
    while (value.n && (unsigned char)value.p[0] <= ' ')
        value = span_from(value, 1);
    while (value.n && (unsigned char)value.p[value.n - 1] <= ' ')
        value.n--;
    return value;
}

/* has_room - for so many octets more, and for one more of the other fields. */
static bool has_room(struct postern_mime *mime, const struct field *field, size_t n)
{
    const struct part *part = mime_part_at(mime, mime->current);
    size_t held = buffer_length(&mime->strings) + buffer_length(&mime->fields);

    if (held + n + sizeof *field <= mime->options.kept_max &&
        (field->id != POSTERN_MIME_OTHER || part->others < mime->options.others_max))
        return true;
    mime->cut = true;
    return false;
}

/* remember - the field, with what it keeps. */
static void remember(struct postern_mime *mime, struct field *field, struct postern_span name,
                     struct postern_span value)
{
    struct part *part = mime_part_at(mime, mime->current);
    bool other = field->id == POSTERN_MIME_OTHER;

    if (!has_room(mime, field, (other ? name.n : 0) + (field->kept ? value.n : 0)))
        return;
    field->name = (uint32_t)buffer_length(&mime->strings);
    field->name_n = other ? (uint32_t)name.n : 0;
    if (other)
        buffer_append(&mime->strings, name);
    field->value = (uint32_t)buffer_length(&mime->strings);
    field->value_n = field->kept ? unfold(mime, value) : 0;
    if (!mime->strings.error)
        buffer_append(&mime->fields, span_make((const char *)field, sizeof *field));
    if (mime->fields.error || mime->strings.error)
        return;
    part->others += other;
    part->field_count++;
}

void mime_field_over(struct postern_mime *mime, struct spot end)
{
    struct postern_span text = buffer_span(&mime->field), name = text, value;
    struct field field = {.begin = mime->field_at, .end = end};
    bool message, ends;

    if (!mime->in_field)
        return;
    mime->in_field = false;
    message = is_message(mime);
    name.n = span_find(text, ':');
    ends = name.n < text.n;
    value = trimmed(span_from(text, name.n + 1));
    name = span_trim(name);
    field.id = postern_mime_field_named(name);
    /* of a known name it is known that it is one */
    if (ends && (field.id != POSTERN_MIME_OTHER || is_name(name))) {
        if (!message && field.id >= POSTERN_MIME_PART_FIELDS)
            field.id = POSTERN_MIME_OTHER;
        field.kept = field.id != POSTERN_MIME_OTHER || (message && is_chosen(mime, name));
        if (field.kept || mime->current == 0)
            remember(mime, &field, name, value);
    }
    buffer_take(&mime->field, buffer_length(&mime->field));
}

struct postern_span mime_string(const struct postern_mime *mime, uint32_t offset, uint32_t n)
{
    return n && !mime->strings.error ? span_make(buffer_span(&mime->strings).p + offset, n)
                                     : SPAN("");
}

struct postern_span mime_field_known(const struct postern_mime *mime, const struct part *part,
                                     enum postern_mime_field id, uint32_t *offset_r)
{
    const struct field *fields = (const struct field *)(const void *)buffer_span(&mime->fields).p;

    for (uint32_t i = 0; i < part->field_count; i++) {
        const struct field *field = &fields[part->fields + i];

        if (field->id == (uint32_t)id) {
            *offset_r = field->value;
            return mime_string(mime, field->value, field->value_n);
        }
    }
    return (struct postern_span){0};
}
