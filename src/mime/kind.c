/* SPDX-License-Identifier: MIT */
/* kind - what a header makes of its part: its type (RFC 2045 5), and whether other parts lie in it
 * (RFC 2046 5). */
#include "mime/scanner.h"

#include "base/span.h"

/* token = 1*<any CHAR except SPACE, CTLs, or tspecials> (RFC 2045 5.1) */
static bool is_token(struct postern_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || (unsigned char)s.p[i] > 126 ||
            strchr("()<>@,;:\\\"/[]?=", s.p[i]))
            return false;
    return s.n > 0 && s.n < 256;
}

/* set_default - to a type that is not written there. */
static void set_default(struct postern_mime *mime, struct part *part, struct postern_span type,
                        struct postern_span subtype)
{
    part->type_is_default = 1;
    part->type = (uint32_t)buffer_length(&mime->strings);
    part->type_n = (uint8_t)type.n;
    part->subtype = part->type + part->type_n;
    part->subtype_n = (uint8_t)subtype.n;
    buffer_append(&mime->strings, type);
    buffer_append(&mime->strings, subtype);
}

static void default_type(struct postern_mime *mime, struct part *part)
{
    const struct part *parent = mime_part_at(mime, part->parent);

    if (mime->current && parent->kind == POSTERN_MIME_MULTIPART &&
        span_equal_nocase(mime_string(mime, parent->subtype, parent->subtype_n), SPAN("digest")))
        set_default(mime, part, SPAN("message"), SPAN("rfc822"));
    else
        set_default(mime, part, SPAN("text"), SPAN("plain"));
}

/* without_comments - the first word of it. */
static struct postern_span without_comments(struct postern_span s)
{
    unsigned depth = 0;
    size_t n = 0;

    for (; s.n && (depth || s.p[0] == '(' || s.p[0] == ' ' || s.p[0] == '\t'); s = span_from(s, 1))
        depth += s.p[0] == '(' ? 1u : s.p[0] == ')' && depth ? -1u : 0u;
    while (n < s.n && s.p[n] != ' ' && s.p[n] != '\t' && s.p[n] != '(')
        n++;
    return span_make(s.p, n);
}

/* choose_type - of the field Content-Type, or the default. What is behind: the parameters. */
static struct postern_span choose_type(struct postern_mime *mime, struct part *part)
{
    uint32_t offset = 0;
    struct postern_span value = mime_field_known(mime, part, POSTERN_MIME_CONTENT_TYPE, &offset),
                        rest = value, subtype, type;

    rest.n = span_find(value, ';');
    subtype = rest;
    type = value.p ? without_comments(span_cut(&subtype, '/')) : value;
    subtype = subtype.p ? without_comments(subtype) : subtype;
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

/* begin_multipart - without a boundary it breaks the syntax, and is what a part without a type is
 * (RFC 2045 5.2); with one that is too long it is opaque. */
static void begin_multipart(struct postern_mime *mime, struct part *part,
                            struct postern_span parameters)
{
    struct postern_mime_value value = {.text = {NULL, 0}};
    char text[1024];

    (void)postern_mime_parameter_find(parameters, SPAN("boundary"), &value, text, sizeof text);
    while (value.text.n && value.text.p[value.text.n - 1] == ' ')
        value.text.n--; /* RFC 2046 5.1.1: it does not end with a space */
    if (value.text.n > mime->options.boundary_max) {
        mime->cut = true;
    } else if (value.text.n == 0) {
        set_default(mime, part, SPAN("text"), SPAN("plain"));
    } else {
        mime_boundary_push(mime, value.text);
        part->kind = POSTERN_MIME_MULTIPART;
    }
}

/* is_encoded - a message in base64 is no message to those who look for its header. */
static bool is_encoded(const struct postern_mime *mime, const struct part *part)
{
    uint32_t offset;
    struct postern_span value =
        mime_field_known(mime, part, POSTERN_MIME_CONTENT_ENCODING, &offset);

    if (value.p)
        value = without_comments(value);
    return span_equal_nocase(value, SPAN("base64")) ||
           span_equal_nocase(value, SPAN("quoted-printable"));
}

static bool is_attached(const struct postern_mime *mime, const struct part *part)
{
    struct postern_span type = mime_string(mime, part->type, part->type_n),
                        subtype = mime_string(mime, part->subtype, part->subtype_n);

    return span_equal_nocase(type, SPAN("message")) && !is_encoded(mime, part) &&
           (span_equal_nocase(subtype, SPAN("rfc822")) ||
            span_equal_nocase(subtype, SPAN("global")));
}

static void begin_attached(struct postern_mime *mime, struct part *part)
{
    part->kind = POSTERN_MIME_MESSAGE;
    (void)mime_part_add(mime, mime->current);
}

void mime_header_over(struct postern_mime *mime)
{
    struct part *part = mime_part_at(mime, mime->current);
    struct postern_span parameters = choose_type(mime, part);
    bool attached = is_attached(mime, part),
         multipart =
             span_equal_nocase(mime_string(mime, part->type, part->type_n), SPAN("multipart")) &&
             !mime->strings.error;

    mime->place = IN_BODY;
    if (!attached && !multipart)
        return;
    if (part->depth + 1 >= mime->options.depth_max ||
        mime_part_count(mime) >= mime->options.parts_max)
        mime->cut = true;
    else if (attached)
        begin_attached(mime, part);
    else
        begin_multipart(mime, part, parameters);
}

void mime_header_cut(struct postern_mime *mime)
{
    (void)choose_type(mime, mime_part_at(mime, mime->current));
}
