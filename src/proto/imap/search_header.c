/* SPDX-License-Identifier: MIT */
/* search_header - a text in a header: fields unfolded, with their encoded words decoded. */
#include "proto/imap/text_scan.h"

void search_decode_words(struct postern_imap *s, struct postern_span value, struct buffer *out)
{
    struct postern_mime_word word;

    while (postern_mime_word(&value, &word)) {
        struct buffer octets = {.allocator = s->o.allocator, .plain = true};
        struct transfer transfer = {.kind = TRANSFER_BASE64};
        struct charset *charset = NULL;
        char quoted[1024];
        size_t n = 0;

        if (!word.encoding) {
            buffer_append(out, word.text);
            continue;
        }
        if (word.encoding == 'Q') {
            transfer.kind = TRANSFER_QUOTED;
            for (; n < word.text.n && n < sizeof quoted; n++)
                quoted[n] = word.text.p[n] == '_' ? ' ' : word.text.p[n];
            word.text = span_make(quoted, n);
        }
        transfer_feed(&transfer, word.text, &octets);
        if (charset_open(&charset, word.charset) == 0)
            charset_feed(charset, buffer_span(&octets), out);
        charset_close(&charset);
        buffer_done(&octets);
    }
}

static bool is_wanted(const struct text_scan *scan, struct postern_span line)
{
    struct postern_span name = line;

    if (!scan->field.p)
        return true;
    name.n = span_find(line, ':');
    return span_equal_nocase(span_trim(name), scan->field);
}

/* unfold - a field without its line ends: where it lies, or copied to out. */
static struct postern_span unfold(struct postern_span field, struct buffer *out)
{
    while (field.n && (field.p[field.n - 1] == '\n' || field.p[field.n - 1] == '\r'))
        field.n--;
    if (span_find(field, '\n') == field.n && span_find(field, '\r') == field.n)
        return field;
    buffer_take(out, buffer_length(out));
    for (struct postern_span rest = field, line; rest.p;) {
        for (line = span_cut(&rest, '\n'); line.p;)
            buffer_append(out, span_cut(&line, '\r'));
    }
    return buffer_span(out);
}

/* unfold_all - fields, one a line; false: there is a CR that ends no line. */
static bool unfold_all(struct postern_span header, struct buffer *out)
{
    while (header.n) {
        struct postern_span line = span_cut(&header, '\n');

        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        if (span_find(line, '\r') < line.n)
            return false;
        if (line.n && line.p[0] != ' ' && line.p[0] != '\t')
            buffer_append_char(out, '\n');
        buffer_append(out, line);
    }
    return true;
}

/* look_at_all - at a header that says what it stands for, for a text that reaches over no two of
 * its fields: looked through at once. false: it is another one. */
static bool look_at_all(struct text_scan *scan)
{
    struct postern_span header = buffer_span(&scan->header);
    struct buffer copy = {.allocator = scan->s->o.allocator, .plain = true};
    bool done;

    if (scan->all || scan->field.p || !scan->is_ascii ||
        span_find(scan->text, '\n') < scan->text.n || !postern_mime_is_plain(header))
        return false;
    buffer_room(&copy, header.n);
    done = unfold_all(header, &copy);
    if (done)
        scan->found = span_has_nocase(buffer_span(&copy), scan->text);
    if (copy.error)
        scan->header.error = copy.error;
    buffer_done(&copy);
    return done;
}

/* field by field, where it cannot be at once. */
void text_scan_header(struct text_scan *scan)
{
    struct postern_span rest = buffer_span(&scan->header);
    struct buffer copy = {.allocator = scan->s->o.allocator, .plain = true};

    if (look_at_all(scan))
        rest.n = 0;
    while (rest.n && !scan->found) {
        struct postern_span field = rest;

        field.n = 0;
        do
            field.n += span_find(span_from(rest, field.n), '\n') + 1;
        while (field.n < rest.n && (rest.p[field.n] == ' ' || rest.p[field.n] == '\t'));
        field.n = field.n < rest.n ? field.n : rest.n;
        rest = span_from(rest, field.n);
        if (!is_wanted(scan, field))
            continue;
        field = unfold(scan->field.p ? span_from(field, span_find(field, ':') + 1) : field, &copy);
        if (text_scan_as_is(scan, field, postern_mime_is_plain(field)))
            continue;
        search_decode_words(scan->s, field, &scan->plain);
        text_scan_plain(scan, true);
        text_scan_forget(scan);
    }
    if (copy.error)
        scan->header.error = copy.error;
    buffer_done(&copy);
    buffer_take(&scan->header, buffer_length(&scan->header));
}
