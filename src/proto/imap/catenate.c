/* SPDX-License-Identifier: MIT */
/* catenate - CATENATE (RFC 4469): parts of a new message that are read from others, named by URL
 * (RFC 5092, without a server: "/Drafts;UIDVALIDITY=3/;UID=20/;SECTION=1.2/;PARTIAL=0.100"). */
#include "proto/imap/append.h"
#include "proto/imap/rights.h"

/* ---- the URL --------------------------------------------------------------------------------- */

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* decode - "%20" is an octet. Absent: it is wrong. */
static struct postern_span decode(struct postern_imap *s, struct postern_span text)
{
    char *out = arena_alloc(&s->arena, text.n + 1);
    size_t n = 0;

    if (!out) {
        imap_no_memory(s);
        return (struct postern_span){0};
    }
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] != '%') {
            out[n++] = text.p[i];
            continue;
        }
        if (i + 2 >= text.n || hex(text.p[i + 1]) < 0 || hex(text.p[i + 2]) < 0)
            return (struct postern_span){0};
        out[n++] = (char)(hex(text.p[i + 1]) << 4 | hex(text.p[i + 2]));
        i += 2;
    }
    return span_make(out, n);
}

/* take_word - is it next? then take it, in any case of letters. */
static bool take_word(struct postern_span *rest, struct postern_span word)
{
    if (!span_begins_nocase(*rest, word))
        return false;
    *rest = span_from(*rest, word.n);
    return true;
}

/* take_number - up to the next '/' or '.', or the end. */
static bool take_number(struct postern_span *rest, uint64_t max, uint64_t *number_r)
{
    struct postern_span digits = *rest;

    digits.n = 0;
    while (digits.n < rest->n && rest->p[digits.n] >= '0' && rest->p[digits.n] <= '9')
        digits.n++;
    *rest = span_from(*rest, digits.n);
    return span_number(digits, max, number_r);
}

/* split - at the message's part: "mailbox" and "20/;SECTION=1". */
static bool split(struct postern_span url, struct postern_span *mailbox_r,
                  struct postern_span *rest_r)
{
    static const struct postern_span mark = {"/;UID=", 6};

    *mailbox_r = (struct postern_span){0};
    *rest_r = url;
    if (take_word(rest_r, SPAN(";UID=")))
        return true;
    if (!url.n || url.p[0] != '/')
        return false;
    url = span_from(url, 1);
    for (size_t i = 0; i + mark.n <= url.n; i++)
        if (span_begins_nocase(span_from(url, i), mark)) {
            *mailbox_r = span_make(url.p, i);
            *rest_r = span_from(url, i + mark.n);
            return i > 0;
        }
    return false;
}

/* parse_mailbox_of - its name, in UTF-8, and the validity that is asked for.
 * I 4469:3-3 I 4469:3-4 I 4469:3-5 */
static bool parse_mailbox_of(struct postern_imap *s, struct postern_span text,
                             struct append_url *url)
{
    struct postern_span name = text;
    uint64_t validity = 0;

    name.n = span_find(text, ';');
    text = span_from(text, name.n);
    if (text.n && (!take_word(&text, SPAN(";UIDVALIDITY=")) ||
                   !take_number(&text, UINT32_MAX, &validity) || !validity || text.n))
        return false;
    url->uid_validity = (uint32_t)validity;
    url->name = parse_with_inbox(s, &s->in, decode(s, name));
    return url->name.n > 0;
}

/* parse_section_of - "1.2.HEADER", by the rules of FETCH. */
static bool parse_section_of(struct postern_imap *s, struct postern_span text,
                             struct append_url *url)
{
    struct imap_parser kept = s->in;
    struct postern_span plain = decode(s, text);
    char *whole = arena_alloc(&s->arena, plain.n + 2);
    bool good;

    if (!plain.n || !whole)
        return false;
    whole[0] = '[';
    memcpy(whole + 1, plain.p, plain.n);
    whole[plain.n + 1] = ']';
    s->in = (struct imap_parser){.rest = span_make(whole, plain.n + 2)};
    section_parse(s, &url->section);
    good = !s->in.bad && s->in.rest.n == 0;
    s->in = kept;
    return good;
}

/* I 4469:3-6 */
static bool parse_rest(struct postern_imap *s, struct postern_span rest, struct append_url *url)
{
    struct fetch_section *section = &url->section;
    struct postern_span text;
    uint64_t uid = 0;

    if (!take_number(&rest, UINT32_MAX, &uid) || uid == 0)
        return false;
    url->uid = (uint32_t)uid;
    if (take_word(&rest, SPAN("/;SECTION="))) {
        text = rest;
        text.n = span_find(rest, '/');
        rest = span_from(rest, text.n);
        if (!parse_section_of(s, text, url))
            return false;
    }
    if (take_word(&rest, SPAN("/;PARTIAL="))) {
        section->partial = true;
        section->length = UINT64_MAX;
        if (!take_number(&rest, INT64_MAX, &section->offset) ||
            (take_word(&rest, SPAN(".")) && !take_number(&rest, INT64_MAX, &section->length)))
            return false;
    }
    return rest.n == 0;
}

static bool parse_url(struct postern_imap *s, struct append_url *url)
{
    struct postern_span mailbox, rest;

    *url = (struct append_url){.text = url->text};
    if (!split(url->text, &mailbox, &rest))
        return false;
    if (mailbox.p ? !parse_mailbox_of(s, mailbox, url) : s->state != POSTERN_IMAP_SELECTED)
        return false;
    return parse_rest(s, rest, url);
}

#define TOLD_URL_MAX 8000

/* write_url - octets that cannot stand in a code, or would end its quotes, as a URL writes them
 * (RFC 4469 5, RFC 3986 2.1). */
static void write_url(struct buffer *code, struct postern_span url)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < url.n; i++) {
        unsigned char c = (unsigned char)url.p[i];

        if (c >= ' ' && c < 127 && !strchr("]\"\\", c)) {
            buffer_append_char(code, (char)c);
            continue;
        }
        buffer_append_char(code, '%');
        buffer_append_char(code, digits[c >> 4]);
        buffer_append_char(code, digits[c & 15]);
    }
}

/* bad_url - NO [BADURL "..."]; one that is too long for a line is not repeated.
 * I 4469:4.1-1 */
static void bad_url(struct postern_imap *s)
{
    struct postern_span url = s->append->url.text;
    struct buffer code = {.allocator = s->o.allocator};
    struct postern_span kept = {0};

    buffer_append_text(&code, "BADURL");
    if (url.n <= TOLD_URL_MAX) {
        buffer_append_text(&code, " \"");
        write_url(&code, url);
        buffer_append_text(&code, "\"");
    }
    buffer_append_char(&code, '\0');
    if (code.error || arena_copy(&s->arena, buffer_span(&code), &kept) < 0)
        imap_no_memory(s);
    buffer_done(&code);
    if (!s->failed)
        append_fail(s, kept.p, "it names nothing that can be read");
}

/* ---- its octets ------------------------------------------------------------------------------ */

/* I 4469:3-2 */
static struct postern_imap_question question_of(const struct append_url *url)
{
    return (struct postern_imap_question){
        .name = url->name, .uid = url->uid, .uid_validity = url->uid_validity};
}

static bool has_fields(const struct append_url *url)
{
    return url->section.what == SECTION_FIELDS || url->section.what == SECTION_FIELDS_NOT;
}

/* pass_on - what is in octets becomes part of the message. */
static void pass_on(struct postern_imap *s)
{
    struct imap_append *append = s->append;
    struct postern_span octets = buffer_span(&append->octets);

    if (append->octets.error)
        imap_no_memory(s);
    else if (octets.n && memchr(octets.p, '\0', octets.n))
        append_fail(s, "CANNOT", "a message has no NUL");
    else if (octets.n)
        append_write(s);
    else
        catenate_fetch(s);
}

/* took_header - until all of it is there; then the fields that are meant, or a part of them.
 * I 4469:3-8 */
static void took_header(struct postern_imap *s, struct postern_span text)
{
    struct imap_append *append = s->append;
    const struct fetch_section *section = &append->url.section;
    struct buffer found = {.allocator = s->o.allocator};
    struct postern_span fields;

    stream_take(&append->stream, text, &append->header);
    if (text.n && append->stream.left && !append->header.error) {
        catenate_fetch(s);
        return;
    }
    append->stream.left = 0;
    section_filter(section, buffer_span(&append->header), &found);
    fields = buffer_span(&found);
    if (section->partial) {
        fields = span_from(fields, section->offset < fields.n ? (size_t)section->offset : fields.n);
        fields.n = section->length < fields.n ? (size_t)section->length : fields.n;
    }
    buffer_append(&append->octets, fields);
    if (found.error || append->header.error)
        imap_no_memory(s);
    else if (append_grow(s, fields.n))
        pass_on(s);
    buffer_done(&found);
}

/* I 4469:3-1 */
static void took_octets(struct postern_imap *s, const struct imap_answer *answer)
{
    struct imap_append *append = s->append;
    struct fetch_stream *stream = &append->stream;

    if (answer->err) {
        bad_url(s);
        return;
    }
    if (has_fields(&append->url)) {
        took_header(s, answer->text);
        return;
    }
    stream_take(stream, answer->text, &append->octets);
    if (answer->text.n == 0)
        stream->left = 0;
    pass_on(s);
}

static void took_content(struct postern_imap *s, const struct imap_answer *answer)
{
    if (answer->err) {
        bad_url(s);
        return;
    }
    s->append->content = answer->content;
    s->append->has_content = true;
    catenate_fetch(s);
}

static void took_structure(struct postern_imap *s, const struct imap_answer *answer)
{
    struct imap_append *append = s->append;
    struct postern_mime_range range;

    if (answer->err ||
        !section_find(answer->text, &append->url.section, (struct postern_mime_range){0}, &range)) {
        bad_url(s);
        return;
    }
    stream_begin(&append->stream, &append->url.section, &range);
    if (has_fields(&append->url)) { /* all of it is looked through */
        buffer_take(&append->header, buffer_length(&append->header));
        append->stream.skip = 0;
        append->stream.left = range.wire_end - range.wire;
        if (append->stream.left > HEADER_MAX)
            append->stream.left = HEADER_MAX;
    } else if (!append_grow(s, append->stream.left)) {
        return;
    }
    s->question = question_of(&append->url);
    imap_ask(s, POSTERN_IMAP_CONTENT, took_content);
}

static void read_on(struct postern_imap *s)
{
    const struct fetch_stream *stream = &s->append->stream;
    uint64_t n = stream->end - stream->at;

    s->question = (struct postern_imap_question){.content = s->append->content,
                                                 .offset = stream->at,
                                                 .length = n < s->o.read_chunk ? (uint32_t)n
                                                                               : s->o.read_chunk};
    if (n)
        imap_ask(s, POSTERN_IMAP_READ, took_octets);
    else /* a line end that is only sent */
        took_octets(s, &(struct imap_answer){.text = SPAN("")});
}

void catenate_fetch(struct postern_imap *s)
{
    struct imap_append *append = s->append;

    if (!append->stream.active) {
        if (parse_url(s, &append->url)) {
            s->question = question_of(&append->url);
            imap_ask_if(s, POSTERN_IMAP_STRUCTURE, rights_read, took_structure);
        } else if (!s->failed) {
            bad_url(s);
        }
    } else if (append->stream.left) {
        read_on(s);
    } else {
        append->stream.active = append->has_content = false;
        imap_tell(s, POSTERN_IMAP_CONTENT_DONE, append->content);
        append_go(s);
    }
}
