/* SPDX-License-Identifier: MIT */
/* fields - the header is read into one text; the fields are spans into it, or those of an edit. */
#include "serve/fields.h"

#include "base/memory.h"
#include "base/span.h"

#define CHUNK 65536

/* is_field - may the line begin a field? RFC 5322 3.6.8: printable but the colon. */
static bool is_field(struct postern_span line)
{
    size_t colon = span_find(line, ':');

    for (size_t i = 0; i < colon && colon < line.n; i++)
        if (line.p[i] <= ' ' || line.p[i] == 127)
            return span_trim(span_make(line.p, colon)).n == i && i > 0; /* "Name :", RFC 5322 4.5 */
    return colon > 0 && colon < line.n;
}

static bool is_continuation(struct postern_span line)
{
    return line.n > 2 && (line.p[0] == ' ' || line.p[0] == '\t');
}

/* header_length - octets of the fields at the beginning of text; *whole_r: something else follows.
 */
static size_t header_length(struct postern_span text, bool *whole_r)
{
    size_t at = 0;

    *whole_r = false;
    while (!*whole_r && at < text.n) {
        struct postern_span rest = span_from(text, at);
        struct postern_span line = span_make(rest.p, span_find(rest, '\n') + 1);

        if (line.n > rest.n)
            break;
        *whole_r = !is_field(line) && !(at && is_continuation(line));
        if (!*whole_r)
            at += line.n;
    }
    return at;
}

static int text_read(struct fields *fields, const struct spool *message)
{
    bool whole = false;
    int n = 1;

    while (!whole && n > 0) {
        char *room = buffer_room(&fields->text, CHUNK);

        n = room ? spool_read(message, buffer_length(&fields->text), room, CHUNK) : POSTERN_E_NOMEM;
        if (n < 0)
            return n;
        buffer_commit(&fields->text, (size_t)n);
        fields->octets = header_length(buffer_span(&fields->text), &whole);
        if (fields->octets > FIELDS_OCTETS_MAX ||
            (!whole && buffer_length(&fields->text) > 2 * FIELDS_OCTETS_MAX))
            return POSTERN_E_TOO_LONG;
    }
    return 0;
}

/* cut - n octets of text into fields. */
static int cut(struct fields *fields)
{
    struct postern_span rest = span_make(buffer_span(&fields->text).p, fields->octets);
    int err = 0;

    while (!err && rest.n) {
        size_t n = span_find(rest, '\n') + 1;

        while (n < rest.n && (rest.p[n] == ' ' || rest.p[n] == '\t'))
            n += span_find(span_from(rest, n), '\n') + 1;
        err = fields_insert(fields, SIZE_MAX, span_make(rest.p, n));
        rest = span_from(rest, n);
    }
    return err;
}

int fields_read(struct fields *fields_r, const struct spool *message)
{
    struct fields fields = {0};
    int err = text_read(&fields, message);

    if (!err)
        err = cut(&fields);
    if (err)
        fields_done(&fields);
    else
        *fields_r = fields;
    return err;
}

void fields_done(struct fields *fields)
{
    buffer_done(&fields->text);
    memory_free(NULL, fields->all);
    *fields = (struct fields){0};
}

int fields_insert(struct fields *fields, size_t number, struct postern_span field)
{
    if (fields->count == fields->capacity) {
        size_t more = fields->capacity ? 2 * fields->capacity : 32;
        struct postern_span *all = memory_resize(NULL, fields->all, more * sizeof *fields->all);

        if (!all)
            return POSTERN_E_NOMEM;
        fields->all = all;
        fields->capacity = more;
    }
    number = number < fields->count ? number : fields->count;
    memmove(fields->all + number + 1, fields->all + number,
            (fields->count - number) * sizeof *fields->all);
    fields->all[number] = field;
    fields->count++;
    return 0;
}

void fields_remove(struct fields *fields, size_t number)
{
    fields->count--;
    memmove(fields->all + number, fields->all + number + 1,
            (fields->count - number) * sizeof *fields->all);
}

bool field_is(struct postern_span field, struct postern_span name)
{
    return span_equal_nocase(span_trim(span_make(field.p, span_find(field, ':'))), name);
}

size_t fields_find(const struct fields *fields, size_t from, struct postern_span name)
{
    while (from < fields->count && !field_is(fields->all[from], name))
        from++;
    return from < fields->count ? from : fields->count;
}
