/* SPDX-License-Identifier: MIT */
/* edits - wishes are only noted; all are done at the end, into a second spool, which takes the
 * place of the message when nothing failed. */
#include "serve/edits.h"

#include "base/span.h"
#include "serve/fields.h"

#define CHUNK 65536
#define NAME_MAX 200

enum kind { ADD, INSERT, CHANGE, REMOVE };

/* struct edit - its field, or its name where there is nothing to be written, is in the text. */
struct edit {
    enum kind kind;
    long number;
    size_t at, n, name_n;
};

/* ---- wishes ---------------------------------------------------------------------------------- */

static bool is_name(struct postern_span name)
{
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] <= ' ' || name.p[i] >= 127 || name.p[i] == ':')
            return false;
    return name.n > 0 && name.n <= NAME_MAX;
}

static struct postern_span without_end(struct postern_span text)
{
    while (text.n && strchr("\r\n \t", text.p[text.n - 1]))
        text.n--;
    return text;
}

/* write_value - lines that are empty would end the header. */
static void write_value(struct buffer *out, struct postern_span value)
{
    bool first = true;

    while (value.n) {
        struct postern_span line = without_end(span_cut(&value, '\n'));

        if (!first && !span_trim(line).n)
            continue;
        if (!first)
            buffer_append_text(out, "\r\n");
        if (!first && line.p[0] != ' ' && line.p[0] != '\t')
            buffer_append_char(out, '\t');
        for (size_t i = 0; i < line.n; i++) {
            unsigned char c = (unsigned char)line.p[i];

            if (c != '\r')
                buffer_append_char(out, (c < ' ' && c != '\t') || c == 127 ? '?' : (char)c);
        }
        first = false;
    }
}

static void write_field(struct edits *edits, struct postern_span name, struct postern_span value)
{
    value = without_end(value);
    buffer_append(&edits->text, name);
    buffer_append_text(&edits->text, edits->raw_values ? ":" : ": ");
    write_value(&edits->text, edits->raw_values ? value : span_trim(value));
    buffer_append_text(&edits->text, "\r\n");
}

static int note(struct edits *edits, enum kind kind, long number, struct postern_span name,
                struct postern_span value)
{
    struct edit edit = {kind, number, buffer_length(&edits->text), 0, name.n};

    if (!is_name(name))
        return POSTERN_E_SYNTAX;
    if (buffer_length(&edits->rows) >= EDITS_MAX * sizeof edit ||
        edit.at + name.n + value.n > EDITS_OCTETS_MAX)
        return POSTERN_E_TOO_LONG;
    write_field(edits, name, value);
    edit.n = buffer_length(&edits->text) - edit.at;
    buffer_append(&edits->rows, span_make((const char *)&edit, sizeof edit));
    return edits->rows.error ? edits->rows.error : edits->text.error;
}

int edits_add(struct edits *edits, struct postern_span name, struct postern_span value)
{
    return note(edits, ADD, 0, name, value);
}

int edits_insert(struct edits *edits, size_t number, struct postern_span name,
                 struct postern_span value)
{
    return note(edits, INSERT, number < EDITS_OCTETS_MAX ? (long)number : EDITS_OCTETS_MAX, name,
                value);
}

int edits_change(struct edits *edits, size_t number, struct postern_span name,
                 struct postern_span value)
{
    long n = number > EDITS_OCTETS_MAX ? EDITS_OCTETS_MAX : number ? (long)number : 1;

    return note(edits, without_end(span_trim(value)).n ? CHANGE : REMOVE, n, name, value);
}

int edits_remove(struct edits *edits, long number, struct postern_span name)
{
    return note(edits, REMOVE, number, name, SPAN(""));
}

/* write_clean - RFC 5322 2.3: CR and LF only together. */
static void write_clean(struct edits *edits, struct buffer *out, struct postern_span bytes)
{
    for (size_t i = 0; i < bytes.n; i++) {
        char c = bytes.p[i];

        if (edits->after_cr && c != '\n')
            buffer_append_char(out, '\n');
        if (c == '\n' && !edits->after_cr)
            buffer_append_char(out, '\r');
        buffer_append_char(out, c ? c : '?');
        edits->after_cr = c == '\r';
    }
}

int edits_body(struct edits *edits, struct postern_span bytes)
{
    struct buffer clean = {0};
    int err;

    edits->has_body = true;
    if (edits->body.octets + bytes.n > edits->body_max)
        return POSTERN_E_TOO_LONG;
    write_clean(edits, &clean, bytes);
    err = clean.error ? clean.error : spool_write(&edits->body, buffer_span(&clean));
    buffer_done(&clean);
    return err;
}

void edits_done(struct edits *edits)
{
    buffer_done(&edits->rows);
    buffer_done(&edits->text);
    spool_done(&edits->body);
    edits->has_body = edits->after_cr = false;
}

/* ---- done to the header ---------------------------------------------------------------------- */

/* seen_from - where the fields of this name are counted from. */
static size_t seen_from(const struct edits *edits, const struct fields *fields,
                        struct postern_span name)
{
    if (!edits->without_ours || !span_equal_nocase(name, SPAN("Received")))
        return 0;
    return fields_find(fields, 0, name) + 1;
}

/* nth - the field of that name and number; negative: counted from the end. fields->count: there is
 * none. */
static size_t nth(const struct edits *edits, const struct fields *fields, struct postern_span name,
                  long number)
{
    size_t first = seen_from(edits, fields, name), at = first - 1;
    long count = 0;

    if (number < 0) {
        for (at = fields_find(fields, first, name); at < fields->count; count++)
            at = fields_find(fields, at + 1, name);
        number += count + 1;
    }
    if (number < 1)
        return fields->count;
    at = fields_find(fields, first, name);
    while (at < fields->count && --number)
        at = fields_find(fields, at + 1, name);
    return at;
}

static int change(const struct edits *edits, struct fields *fields, const struct edit *edit,
                  struct postern_span field)
{
    size_t at = nth(edits, fields, span_make(field.p, edit->name_n), edit->number);

    if (at == fields->count)
        return fields_insert(fields, at, field);
    fields->all[at] = field;
    return 0;
}

static void drop(const struct edits *edits, struct fields *fields, const struct edit *edit,
                 struct postern_span name)
{
    size_t at;

    do {
        at = nth(edits, fields, name, edit->number ? edit->number : 1);
        if (at < fields->count)
            fields_remove(fields, at);
        else
            break;
    } while (!edit->number);
}

static int header_apply(const struct edits *edits, struct fields *fields)
{
    const struct edit *all = (const struct edit *)(const void *)buffer_span(&edits->rows).p;
    size_t count = buffer_length(&edits->rows) / sizeof *all;
    int err = 0;

    for (size_t i = 0; !err && i < count; i++) {
        struct postern_span field = span_make(buffer_span(&edits->text).p + all[i].at, all[i].n);

        if (all[i].kind == ADD)
            err = fields_insert(fields, SIZE_MAX, field);
        else if (all[i].kind == INSERT)
            err = fields_insert(fields, (size_t)all[i].number, field);
        else if (all[i].kind == CHANGE)
            err = change(edits, fields, &all[i], field);
        else
            drop(edits, fields, &all[i], span_make(field.p, all[i].name_n));
    }
    return err;
}

/* ---- done to the message --------------------------------------------------------------------- */

static int copy(struct spool *out, const struct spool *from, uint64_t at)
{
    char bytes[CHUNK];
    int n, err = 0;

    while (!err && (n = spool_read(from, at, bytes, sizeof bytes)) != 0) {
        err = n < 0 ? n : spool_write(out, span_make(bytes, (size_t)n));
        at += n > 0 ? (uint64_t)n : 0;
    }
    return err;
}

static int write_all(const struct edits *edits, const struct fields *fields,
                     const struct spool *message, struct spool *out)
{
    int err = 0;

    for (size_t i = 0; !err && i < fields->count; i++)
        err = spool_write(out, fields->all[i]);
    if (err || !edits->has_body)
        return err ? err : copy(out, message, fields->octets);
    err = spool_write(out, SPAN("\r\n"));
    if (!err)
        err = copy(out, &edits->body, 0);
    if (!err && edits->after_cr)
        err = spool_write(out, SPAN("\n"));
    return err;
}

int edits_apply(const struct edits *edits, struct spool *message)
{
    struct spool out = {.folder = message->folder};
    struct fields fields;
    int err;

    if (!edits->has_body && !buffer_length(&edits->rows))
        return 0;
    err = fields_read(&fields, message);
    if (err)
        return err;
    err = header_apply(edits, &fields);
    if (!err)
        err = write_all(edits, &fields, message, &out);
    fields_done(&fields);
    if (err) {
        spool_done(&out);
        return err;
    }
    spool_done(message);
    *message = out;
    return 0;
}
