/* SPDX-License-Identifier: MIT */
/* letter - the header is kept in memory, since it says who gets the message; the rest goes to a
 * spool, read to its end before anybody is told: what writes it may take its time, as cron does. */
#include "cli/letter.h"

#include "base/memory.h"
#include "base/span.h"
#include "codec/base64.h"
#include "codec/utf8.h"
#include "serve/address.h"
#include <inttypes.h>
#include <postern/mime.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define HEADER_MAX (1 << 20)
#define PIECE_BYTES 65536

void letter_done(struct letter *letter)
{
    buffer_done(&letter->header);
    spool_done(&letter->body);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* struct reading - a file, in lines, or pieces of very long ones. */
struct reading {
    FILE *in;
    bool dot_ends, in_body, inside; /* inside: the piece before did not end its line */
    bool first;
    char piece[PIECE_BYTES];
    char body[PIECE_BYTES]; /* of the body, gathered: lines may be short */
    size_t body_n;
};

/* next_piece - up to a line's end; empty at the end of the file. */
static struct postern_span next_piece(struct reading *reading)
{
    size_t n = 0;
    int c = 0;

    while (n < sizeof reading->piece && c != '\n' && (c = getc_unlocked(reading->in)) != EOF)
        reading->piece[n++] = (char)c;
    return span_make(reading->piece, n);
}

static struct postern_span without_end(struct postern_span line)
{
    line.n -= line.n && line.p[line.n - 1] == '\n';
    line.n -= line.n && line.p[line.n - 1] == '\r';
    return line;
}

/* is_field - "Name: ..." or the next line of one. */
static bool is_field(struct postern_span line, bool may_continue)
{
    size_t colon = span_find(line, ':');

    if (line.n && (line.p[0] == ' ' || line.p[0] == '\t'))
        return may_continue;
    for (size_t i = 0; i < colon; i++)
        if ((unsigned char)line.p[i] <= ' ' || (unsigned char)line.p[i] >= 127)
            return false;
    return colon && colon < line.n;
}

/* take_header - true: the piece belongs to the header, or only parts it from the body. */
static bool take_header(struct reading *reading, struct letter *letter, struct postern_span piece)
{
    bool from_line = reading->first && span_begins(piece, SPAN("From "));

    reading->first = false;
    if (from_line)
        return true;
    if (reading->inside || is_field(piece, buffer_length(&letter->header) > 0)) {
        buffer_append(&letter->header, piece);
        return true;
    }
    reading->in_body = true;
    return without_end(piece).n == 0;
}

static int gather(struct reading *reading, struct letter *letter, struct postern_span piece)
{
    int err = 0;

    if (reading->body_n + piece.n > sizeof reading->body || !piece.n) {
        err = spool_write(&letter->body, span_make(reading->body, reading->body_n));
        reading->body_n = 0;
    }
    if (piece.n)
        memcpy(reading->body + reading->body_n, piece.p, piece.n);
    reading->body_n += piece.n;
    return err;
}

int letter_read(struct letter *letter, FILE *in, bool dot_ends)
{
    struct reading *reading = memory_new(NULL, sizeof *reading);
    struct postern_span piece;
    int err = 0;

    if (!reading)
        return POSTERN_E_NOMEM;
    *reading = (struct reading){.in = in, .dot_ends = dot_ends, .first = true};
    while (!err && (piece = next_piece(reading)).n) {
        if (dot_ends && !reading->inside && span_equal(without_end(piece), SPAN(".")))
            break;
        for (size_t i = 0; i < piece.n; i++)
            letter->is_8bit |= (unsigned char)piece.p[i] > 127;
        if (reading->in_body || !take_header(reading, letter, piece))
            err = gather(reading, letter, piece);
        if (buffer_length(&letter->header) > HEADER_MAX)
            err = POSTERN_E_TOO_LONG;
        reading->inside = piece.p[piece.n - 1] != '\n';
    }
    if (!err)
        err = ferror(in) ? POSTERN_E_IO : gather(reading, letter, SPAN(""));
    if (!err && !reading->in_body && reading->inside)
        buffer_append_char(&letter->header, '\n');
    memory_free(NULL, reading);
    return err ? err : letter->header.error;
}

/* ---- the header's fields --------------------------------------------------------------------- */

/* struct fields - the header, taken apart. */
struct fields {
    struct postern_mime *mime;
    struct postern_span block;
    uint32_t count;
};

static int fields_open(struct fields *fields, const struct letter *letter)
{
    static const struct postern_span chosen[] = {
        {"Resent-To", 9}, {"Resent-Cc", 9}, {"Resent-Bcc", 10}};
    struct postern_mime_options options;
    struct postern_mime_part part;
    int err;

    postern_mime_options_init(&options);
    options.field_max = options.header_max = options.kept_max = 2 * HEADER_MAX;
    options.others_max = HEADER_MAX;
    options.chosen = chosen;
    options.chosen_n = sizeof chosen / sizeof *chosen;
    err = postern_mime_new(&fields->mime, &options, NULL);
    if (err)
        return err;
    postern_mime_feed(fields->mime, buffer_span(&letter->header));
    postern_mime_feed(fields->mime, SPAN("\n"));
    err = postern_mime_end(fields->mime, &fields->block);
    if (err) {
        postern_mime_free(&fields->mime);
        return err;
    }
    postern_mime_part(fields->block, 0, &part);
    fields->count = part.fields;
    return 0;
}

static bool is_resent(const struct postern_mime_header *field)
{
    return span_equal_nocase(field->name, SPAN("Resent-To")) ||
           span_equal_nocase(field->name, SPAN("Resent-Cc")) ||
           span_equal_nocase(field->name, SPAN("Resent-Bcc"));
}

static bool names_recipients(const struct postern_mime_header *field)
{
    return field->id == POSTERN_MIME_TO || field->id == POSTERN_MIME_CC ||
           field->id == POSTERN_MIME_BCC;
}

/* is_sayable - it stays within the brackets and the line of a command. */
static bool is_sayable(const struct postern_mime_address *address)
{
    for (size_t i = 0; i < address->mailbox.n; i++)
        if ((unsigned char)address->mailbox.p[i] < ' ' || address->mailbox.p[i] == 127)
            return false;
    for (size_t i = 0; i < address->host.n; i++)
        if ((unsigned char)address->host.p[i] <= ' ' || strchr("<>\177", address->host.p[i]))
            return false;
    return true;
}

void letter_addresses(struct postern_span list, const char *domain, struct buffer *out)
{
    /* three quarters of it take the words */
    size_t size = 2 * list.n + 64;
    char *buffer = memory_new(NULL, size);
    struct postern_mime_address address;
    bool in_group = false;

    if (!buffer)
        out->error = POSTERN_E_NOMEM;
    while (buffer && postern_mime_address(&list, &in_group, &address, buffer, size)) {
        if (address.kind != POSTERN_MIME_ADDRESS_MAILBOX || !address.mailbox.n)
            continue;
        if (!is_sayable(&address)) {
            out->error = POSTERN_E_SYNTAX;
            break;
        }
        address_write(out, address.mailbox,
                      address.host.n ? address.host : postern_span_of(domain));
        buffer_append_char(out, '\n');
    }
    memory_free(NULL, buffer);
}

int letter_recipients(const struct letter *letter, const char *domain, struct buffer *out)
{
    struct fields fields = {0};
    struct postern_mime_header field;
    bool resent = false;
    int err = fields_open(&fields, letter);

    for (uint32_t i = 0; !err && i < fields.count; i++) {
        postern_mime_header(fields.block, 0, i, &field);
        resent |= is_resent(&field);
    }
    for (uint32_t i = 0; !err && i < fields.count; i++) {
        postern_mime_header(fields.block, 0, i, &field);
        if (resent ? is_resent(&field) : names_recipients(&field))
            letter_addresses(field.value, domain, out);
    }
    postern_mime_free(&fields.mime);
    return err ? err : out->error;
}

/* ---- what is missing ------------------------------------------------------------------------- */

static void write_date(struct buffer *out)
{
    char text[64];
    time_t now = time(NULL);
    struct tm local;

    if (localtime_r(&now, &local) &&
        strftime(text, sizeof text, "Date: %a, %d %b %Y %H:%M:%S %z\n", &local))
        buffer_append_text(out, text);
}

static void write_id(struct buffer *out, const char *host)
{
    char text[64];
    uint64_t random = 0;

    (void)!getrandom(&random, sizeof random, 0);
    snprintf(text, sizeof text, "Message-ID: <%" PRIx64 ".%" PRIx64 "@", (uint64_t)time(NULL),
             random);
    buffer_append_text(out, text);
    buffer_append_text(out, host);
    buffer_append_text(out, ">\n");
}

/* write_name - a phrase: in quotes, or, if it is not ASCII, an encoded word (RFC 2047). */
static void write_name(struct buffer *out, struct postern_span name)
{
    bool ascii = true;

    for (size_t i = 0; i < name.n; i++)
        ascii &= (unsigned char)name.p[i] < 127;
    if (!ascii && utf8_is_valid(name) && name.n <= 45) {
        buffer_append_text(out, "=?UTF-8?B?");
        base64_encode(name, out);
        buffer_append_text(out, "?= ");
    } else if (ascii && name.n) {
        buffer_append_char(out, '"');
        for (size_t i = 0; i < name.n; i++) {
            if (name.p[i] == '"' || name.p[i] == '\\')
                buffer_append_char(out, '\\');
            buffer_append_char(out, (unsigned char)name.p[i] < ' ' ? ' ' : name.p[i]);
        }
        buffer_append_text(out, "\" ");
    }
}

static void write_from(struct buffer *out, const struct letter_facts *facts)
{
    buffer_append_text(out, "From: ");
    if (facts->name)
        write_name(out, postern_span_of(facts->name));
    buffer_append_char(out, '<');
    buffer_append(out, facts->sender);
    buffer_append_text(out, ">\n");
}

static bool is_hidden(const struct postern_mime_header *field)
{
    return field->id == POSTERN_MIME_BCC || span_equal_nocase(field->name, SPAN("Resent-Bcc"));
}

/* copy_fields - all but those that hide somebody. */
static void copy_fields(const struct fields *fields, struct postern_span header, struct buffer *out)
{
    uint64_t at = 0;

    for (uint32_t i = 0; i < fields->count; i++) {
        struct postern_mime_header field;

        postern_mime_header(fields->block, 0, i, &field);
        if (!is_hidden(&field))
            continue;
        buffer_append(out, span_make(header.p + at, field.range.raw - at));
        at = field.range.raw_end;
    }
    buffer_append(out, span_from(header, at));
}

int letter_complete(struct letter *letter, const struct letter_facts *facts)
{
    struct fields fields = {0};
    struct buffer whole = {0};
    int err = fields_open(&fields, letter);

    if (err)
        return err;
    if (facts->sender.n && !postern_mime_field(fields.block, 0, POSTERN_MIME_FROM, 0).p)
        write_from(&whole, facts);
    if (!postern_mime_field(fields.block, 0, POSTERN_MIME_DATE, 0).p)
        write_date(&whole);
    if (!postern_mime_field(fields.block, 0, POSTERN_MIME_MESSAGE_ID, 0).p)
        write_id(&whole, facts->host);
    copy_fields(&fields, buffer_span(&letter->header), &whole);
    postern_mime_free(&fields.mime);
    buffer_done(&letter->header);
    letter->header = whole;
    return whole.error;
}
