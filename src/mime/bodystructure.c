/* SPDX-License-Identifier: MIT */
/* bodystructure - BODY and BODYSTRUCTURE (RFC 9051 7.5.2): a walk over the parts, down to the first
 * child, then along; never by recursion. */
#include "mime/list.h"

#define VALUE_BYTES 4096
#define JOINED_MAX 16 /* each is looked for in the whole field */

/* is_first_piece - "name*", "name*0", "name*0*" (RFC 2231). */
static bool is_first_piece(struct postern_span behind)
{
    return behind.n == 0 ||
           (behind.p[0] == '0' && (behind.n == 1 || (behind.n == 2 && behind.p[1] == '*')));
}

/* write_joined - the parameter of that name from all its pieces, wherever they stand: as "name*" if
 * a charset was told (RFC 9051 7.5.2). */
static void write_joined(struct list *list, struct postern_span field, struct postern_span name)
{
    char buffer[VALUE_BYTES], shown[VALUE_BYTES];
    struct postern_mime_value value = {0};
    size_t n = name.n < sizeof shown ? name.n : sizeof shown - 1;

    (void)postern_mime_parameter_find(field, name, &value, buffer, sizeof buffer);
    memcpy(shown, name.p, n);
    shown[n] = '*';
    list_header(list, span_make(shown, n + (value.charset.p != NULL)));
    list_text(list, " ");
    list_header(list, value.text.p ? value.text : SPAN(""));
}

/* write_parameters - " (name value ...)" or " NIL". Pieces are put together for IMAP4rev2 alone:
 * older clients do it themselves, and take "name*" for one with a charset in front. I 7.5.2-5 */
static void write_parameters(struct list *list, struct postern_span field)
{
    char buffer[VALUE_BYTES];
    struct postern_span rest = span_from(field, span_find(field, ';')), name, value;
    unsigned joined = 0;
    bool any = false;

    while (rest.n && postern_mime_parameter(&rest, &name, &value, buffer, sizeof buffer)) {
        size_t star = span_find(name, '*');
        bool joins = list->rev2 && star < name.n && joined < JOINED_MAX;

        list->differs |= star < name.n;
        if (joins && !is_first_piece(span_from(name, star + 1)))
            continue;
        list_text(list, any ? " " : " (");
        any = true;
        if (joins) {
            joined++;
            write_joined(list, field, span_make(name.p, star));
            continue;
        }
        list_header(list, name);
        list_text(list, " ");
        list_header(list, value.p ? value : SPAN(""));
    }
    list_text(list, any ? ")" : " NIL");
}

static struct postern_span field_of(struct postern_span block, uint32_t i,
                                    enum postern_mime_field field)
{
    return postern_mime_field(block, i, field, 0);
}

/* first_word - of a value, without a comment behind it. */
static struct postern_span first_word(struct postern_span value)
{
    struct postern_span word = span_trim(value);

    for (size_t i = 0; i < word.n; i++)
        if (word.p[i] == ' ' || word.p[i] == '\t' || word.p[i] == '(' || word.p[i] == ';')
            word.n = i;
    return word;
}

/* write_disposition - RFC 2183: " (type parameters)" or " NIL". */
static void write_disposition(struct list *list, struct postern_span field)
{
    struct postern_span word = first_word(field);

    if (!word.n) {
        list_text(list, " NIL");
        return;
    }
    list_text(list, " (");
    list_header(list, word);
    write_parameters(list, field);
    list_text(list, ")");
}

/* write_language - RFC 3282: one, or several in parentheses. */
static void write_language(struct list *list, struct postern_span field)
{
    struct postern_span rest = field;
    bool several = field.n && span_find(field, ',') < field.n;

    if (!field.n) {
        list_text(list, " NIL");
        return;
    }
    list_text(list, several ? " (" : " ");
    for (bool first = true; rest.p; first = false) {
        list_text(list, first ? "" : " ");
        list_header(list, span_trim(span_cut(&rest, ',')));
    }
    list_text(list, several ? ")" : "");
}

/* I 7.5.2-4 */
static void write_extension(struct list *list, struct postern_span block, uint32_t i)
{
    write_disposition(list, field_of(block, i, POSTERN_MIME_CONTENT_DISPOSITION));
    write_language(list, field_of(block, i, POSTERN_MIME_CONTENT_LANGUAGE));
    list_text(list, " ");
    list_header(list, field_of(block, i, POSTERN_MIME_CONTENT_LOCATION));
}

static bool is_text(const struct postern_mime_part *part)
{
    return span_equal_nocase(part->type, SPAN("text"));
}

/* is_message - also one that was not looked into: it is encoded, or too deep. */
static bool is_message(const struct postern_mime_part *part)
{
    return part->kind == POSTERN_MIME_MESSAGE ||
           (part->kind == POSTERN_MIME_LEAF && span_equal_nocase(part->type, SPAN("message")) &&
            (span_equal_nocase(part->subtype, SPAN("rfc822")) ||
             span_equal_nocase(part->subtype, SPAN("global"))));
}

/* is_closed - a multipart that was not looked into: too deep, or one too many. */
static bool is_closed(const struct postern_mime_part *part)
{
    return part->kind == POSTERN_MIME_LEAF && span_equal_nocase(part->type, SPAN("multipart"));
}

/* write_no_body - a part that is not there, where the grammar wants one (RFC 9051 9). */
static void write_no_body(struct list *list, bool extended)
{
    list_text(list, "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0");
    list_text(list, extended ? " NIL NIL NIL NIL)" : ")");
}

/* write_type - a multipart has parts (RFC 9051 9): one that is told without is no multipart.
 * I 7.5.2-16 */
static void write_type(struct list *list, struct postern_span block, uint32_t i,
                       const struct postern_mime_part *part)
{
    if (is_closed(part)) {
        list_text(list, "\"application\" \"octet-stream\" NIL");
        return;
    }
    list_header(list, part->type);
    list_text(list, " ");
    list_header(list, part->subtype);
    if (part->type_is_default && is_text(part))
        list_text(list, " (\"charset\" \"us-ascii\")");
    else
        write_parameters(list, field_of(block, i, POSTERN_MIME_CONTENT_TYPE));
}

/* write_fields - type to size: what every part that is no multipart has. I 7.5.2-1 I 7.5.2-14 */
static void write_fields(struct list *list, struct postern_span block, uint32_t i,
                         const struct postern_mime_part *part)
{
    struct postern_span encoding = first_word(field_of(block, i, POSTERN_MIME_CONTENT_ENCODING));

    write_type(list, block, i, part);
    list_text(list, " ");
    list_header(list, field_of(block, i, POSTERN_MIME_CONTENT_ID));
    list_text(list, " ");
    list_header(list, field_of(block, i, POSTERN_MIME_CONTENT_DESCRIPTION));
    list_text(list, " ");
    list_header(list, encoding.n ? encoding : SPAN("7bit"));
    list_text(list, " ");
    list_number(list, part->body.wire_end - part->body.wire);
}

/* I 7.5.2-3 */
static void write_begin(struct list *list, struct postern_span block, uint32_t i,
                        const struct postern_mime_part *part, bool extended)
{
    list_text(list, "(");
    if (part->kind == POSTERN_MIME_MULTIPART) {
        if (!part->child)
            write_no_body(list, extended);
        return;
    }
    write_fields(list, block, i, part);
    if (!is_message(part))
        return;
    list_text(list, " ");
    if (part->child) {
        mime_write_envelope(list, block, part->child);
        list_text(list, " ");
        return;
    }
    list_text(list, "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) ");
    write_no_body(list, extended);
}

/* I 7.5.2-2 */
static void write_end(struct list *list, struct postern_span block, uint32_t i,
                      const struct postern_mime_part *part, bool extended)
{
    if (part->kind == POSTERN_MIME_MULTIPART) {
        list_text(list, " ");
        list_header(list, part->subtype);
        if (extended)
            write_parameters(list, field_of(block, i, POSTERN_MIME_CONTENT_TYPE));
    } else {
        if (is_text(part) || is_message(part)) {
            list_text(list, " ");
            list_number(list, part->body_lines);
        }
        if (extended) {
            list_text(list, " ");
            list_header(list, field_of(block, i, POSTERN_MIME_CONTENT_MD5));
        }
    }
    if (extended)
        write_extension(list, block, i);
    list_text(list, ")");
}

void mime_write_body(struct list *list, struct postern_span block, bool extended)
{
    struct postern_mime_part part;
    uint32_t i = 0;

    for (;;) {
        postern_mime_part(block, i, &part);
        write_begin(list, block, i, &part, extended);
        if (part.child) {
            i = part.child;
            continue;
        }
        write_end(list, block, i, &part, extended);
        while (i && !part.next) {
            i = part.parent;
            postern_mime_part(block, i, &part);
            write_end(list, block, i, &part, extended);
        }
        if (i == 0)
            return;
        i = part.next;
    }
}
