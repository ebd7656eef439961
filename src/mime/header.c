/* SPDX-License-Identifier: MIT */
/* header - fields that are kept, and what a header makes of its part. */
#include "mime/scanner.h"

#include "base/span.h"

static const struct postern_span names[POSTERN_MIME_FIELDS] = {
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

static uint32_t field_id(const struct postern_mime *mime, struct postern_span name)
{
    uint32_t count = is_message(mime) ? POSTERN_MIME_FIELDS : POSTERN_MIME_PART_FIELDS;

    for (uint32_t i = 0; i < count; i++)
        if (name.n == names[i].n && span_equal_nocase(name, names[i]))
            return i;
    return POSTERN_MIME_FIELDS;
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

void mime_field_over(struct postern_mime *mime)
{
    struct postern_span value = buffer_span(&mime->field), name = value;
    struct field field = {.part = mime->current};

    if (value.n == 0)
        return;
    name.n = span_find(value, ':');
    field.id = name.n < value.n ? field_id(mime, span_trim(name)) : POSTERN_MIME_FIELDS;
    value = trimmed(span_from(value, name.n + 1));
    if (field.id < POSTERN_MIME_FIELDS &&
        buffer_length(&mime->strings) + buffer_length(&mime->fields) + value.n >
            mime->options.kept_max) {
        mime->cut = true;
    } else if (field.id < POSTERN_MIME_FIELDS) {
        field.value = (uint32_t)buffer_length(&mime->strings);
        field.value_n = unfold(mime, value);
        buffer_append(&mime->fields, span_make((const char *)&field, sizeof field));
        mime_part_at(mime, mime->current)->field_count++;
    }
    buffer_take(&mime->field, buffer_length(&mime->field));
}

/* ---- what the part is ------------------------------------------------------------------------ */

static struct postern_span string_at(const struct postern_mime *mime, uint32_t offset, uint32_t n)
{
    return n ? span_make(buffer_span(&mime->strings).p + offset, n) : SPAN("");
}

static struct postern_span content_type(const struct postern_mime *mime, const struct part *part,
                                        uint32_t id, uint32_t *offset_r)
{
    const struct field *fields = (const struct field *)(const void *)buffer_span(&mime->fields).p;

    for (uint32_t i = 0; i < part->field_count; i++)
        if (fields[part->fields + i].id == id) {
            *offset_r = fields[part->fields + i].value;
            return string_at(mime, *offset_r, fields[part->fields + i].value_n);
        }
    return (struct postern_span){0};
}

static bool is_token(struct postern_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || (unsigned char)s.p[i] > 126 ||
            strchr("()<>@,;:\\\"/[]?=", s.p[i]))
            return false;
    return s.n > 0 && s.n < 256;
}

static void default_type(struct postern_mime *mime, struct part *part)
{
    const struct part *parent = mime_part_at(mime, part->parent);
    bool digest =
        mime->current && parent->kind == POSTERN_MIME_MULTIPART &&
        span_equal_nocase(string_at(mime, parent->subtype, parent->subtype_n), SPAN("digest"));
    struct postern_span type = digest ? SPAN("messagerfc822") : SPAN("textplain");

    part->type_is_default = 1;
    part->type = (uint32_t)buffer_length(&mime->strings);
    part->type_n = digest ? 7 : 4;
    part->subtype = part->type + part->type_n;
    part->subtype_n = (uint8_t)(type.n - part->type_n);
    buffer_append(&mime->strings, type);
}

/* without_comment - the first word. */
static struct postern_span without_comment(struct postern_span s)
{
    size_t n = 0;

    if (!s.p)
        return s;
    s = span_trim(s);
    while (n < s.n && s.p[n] != ' ' && s.p[n] != '\t' && s.p[n] != '(')
        n++;
    return span_make(s.p, n);
}

/* choose_type - of the field Content-Type, or the default. What is behind: the parameters. */
static struct postern_span choose_type(struct postern_mime *mime, struct part *part)
{
    uint32_t offset = 0;
    struct postern_span value = content_type(mime, part, POSTERN_MIME_CONTENT_TYPE, &offset),
                        rest = value;
    struct postern_span subtype, type;

    rest.n = span_find(value, ';');
    subtype = rest;
    type = value.p ? span_trim(span_cut(&subtype, '/')) : value;
    subtype = without_comment(subtype);
    if (!is_token(type) || !subtype.p || !is_token(subtype)) {
        default_type(mime, part);
        return (struct postern_span){0};
    }
    part->type = offset + (uint32_t)(type.p - value.p);
    part->type_n = (uint8_t)type.n;
    part->subtype = offset + (uint32_t)(subtype.p - value.p);
    part->subtype_n = (uint8_t)subtype.n;
    return span_from(value, rest.n);
}

/* push_boundary - false: there is none that can be used. */
static bool push_boundary(struct postern_mime *mime, struct postern_span parameters)
{
    struct postern_span name, value;
    char text[1024];

    while (postern_mime_parameter(&parameters, &name, &value, text, sizeof text)) {
        struct boundary boundary = {.part = mime->current};

        if (!span_equal_nocase(name, SPAN("boundary")))
            continue;
        while (value.n && value.p[value.n - 1] == ' ')
            value.n--;
        if (value.n == 0 || value.n > mime->options.boundary_max || value.n >= sizeof text - 1)
            return false;
        boundary.text = (uint32_t)buffer_length(&mime->boundaries);
        boundary.text_n = (uint32_t)value.n;
        buffer_append(&mime->boundaries, value);
        buffer_append(&mime->stack, span_make((const char *)&boundary, sizeof boundary));
        return true;
    }
    return false;
}

static bool is_encoded(const struct postern_mime *mime, const struct part *part)
{
    uint32_t offset;
    struct postern_span value = content_type(mime, part, POSTERN_MIME_CONTENT_ENCODING, &offset);

    return span_equal_nocase(value, SPAN("base64")) ||
           span_equal_nocase(value, SPAN("quoted-printable"));
}

void mime_header_over(struct postern_mime *mime)
{
    struct part *part = mime_part_at(mime, mime->current);
    struct postern_span parameters = choose_type(mime, part), type, subtype;
    uint32_t parent = mime->current, child;

    mime->place = IN_BODY;
    type = string_at(mime, part->type, part->type_n);
    subtype = string_at(mime, part->subtype, part->subtype_n);
    if (mime->strings.error)
        return;
    if (part->depth + 1 >= mime->options.depth_max) {
        mime->cut = mime->cut || !span_equal_nocase(type, SPAN("text"));
        return;
    }
    if (span_equal_nocase(type, SPAN("multipart"))) {
        if (push_boundary(mime, parameters))
            part->kind = POSTERN_MIME_MULTIPART;
    } else if (span_equal_nocase(type, SPAN("message")) && !is_encoded(mime, part) &&
               (span_equal_nocase(subtype, SPAN("rfc822")) ||
                span_equal_nocase(subtype, SPAN("global"))) &&
               buffer_length(&mime->parts) / sizeof *part < mime->options.parts_max) {
        part->kind = POSTERN_MIME_MESSAGE;
        child = mime_part_add(mime, parent);
        if (child)
            mime_part_at(mime, parent)->child = child;
    }
}

void mime_header_cut(struct postern_mime *mime)
{
    (void)choose_type(mime, mime_part_at(mime, mime->current));
}
