/* SPDX-License-Identifier: MIT */
/* milter - what is said to a filter. What it says is read in reply.c. */
#include "proto/milter/milter.h"

#include "base/span.h"
#include "proto/milter/wire.h"

#define TEXT_MAX 60000 /* of one text: a packet has 65535 octets */

void milter_init(struct milter *m, const struct postern_allocator *allocator)
{
    *m = (struct milter){
        .out = {.allocator = allocator}, .frame = {.allocator = allocator}, .version = VERSION};
}

void milter_done(struct milter *m)
{
    buffer_done(&m->out);
    buffer_done(&m->frame);
}

/* ---- packets --------------------------------------------------------------------------------- */

static void put_number(struct buffer *out, uint32_t number)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        buffer_append_char(out, (char)(number >> shift & 0xff));
}

/* put_octets - of a text: CRLF becomes LF, as a filter wants its lines. */
static void put_octets(struct buffer *out, struct postern_span text)
{
    text.n = text.n < TEXT_MAX ? text.n : TEXT_MAX;
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] != '\r' || i + 1 == text.n || text.p[i + 1] != '\n')
            buffer_append_char(out, text.p[i] ? text.p[i] : '?');
}

static void put_text(struct buffer *out, struct postern_span text)
{
    put_octets(out, text);
    buffer_append_char(out, '\0');
}

static void put_path(struct buffer *out, struct postern_span path)
{
    buffer_append_char(out, '<');
    put_octets(out, path);
    put_text(out, SPAN(">"));
}

static int put_packet(struct milter *m, char letter, const struct buffer *body)
{
    put_number(&m->out, (uint32_t)buffer_length(body) + 1);
    buffer_append_char(&m->out, letter);
    buffer_append(&m->out, buffer_span(body));
    return body->error ? body->error : m->out.error;
}

static int put_macros(struct milter *m, char letter, const struct milter_macro *macros,
                      size_t count)
{
    struct buffer body = {.allocator = m->out.allocator};
    int err;

    if (!count)
        return 0;
    buffer_append_char(&body, letter);
    for (size_t i = 0; i < count; i++)
        if (macros[i].value.n && buffer_length(&body) + macros[i].value.n < TEXT_MAX) {
            put_text(&body, postern_span_of(macros[i].name));
            put_text(&body, macros[i].value);
        }
    err = put_packet(m, SAY_MACROS, &body);
    buffer_done(&body);
    return err;
}

/* say - the command, which takes the body; 1: its reply is due. */
static int say(struct milter *m, char letter, struct buffer *body, bool quiet)
{
    int err = put_packet(m, letter, body);

    buffer_done(body);
    if (err) {
        m->over = true;
        return err;
    }
    m->awaits = quiet ? 0 : letter;
    return !quiet;
}

/* ---- commands -------------------------------------------------------------------------------- */

static bool may(const struct milter *m)
{
    return m->begun && !m->over && !m->awaits;
}

int milter_begin(struct milter *m)
{
    struct buffer body = {.allocator = m->out.allocator};

    if (m->begun || m->over)
        return POSTERN_E_USAGE;
    m->begun = true;
    put_number(&body, VERSION);
    put_number(&body, DO_ALL);
    put_number(&body, STEPS_ALL);
    return say(m, SAY_OPTIONS, &body, false);
}

/* command - one that has macros; `no`, `quiet`: the bits of a filter that wants neither it nor to
 * answer it. */
static int command(struct milter *m, char letter, uint32_t no, uint32_t quiet, struct buffer *body,
                   const struct milter_macro *macros, size_t count)
{
    int err = may(m) ? 0 : POSTERN_E_USAGE;

    if (err || (m->steps & no)) {
        buffer_done(body);
        return err;
    }
    err = put_macros(m, letter, macros, count);
    if (err)
        body->error = err;
    return say(m, letter, body, m->steps & quiet);
}

int milter_connect(struct milter *m, struct postern_span host, struct postern_span address,
                   unsigned port, const struct milter_macro *macros, size_t count)
{
    struct buffer body = {.allocator = m->out.allocator};
    bool six = span_find(address, ':') < address.n;

    put_text(&body, host);
    buffer_append_char(&body, !address.n ? 'U' : six ? '6' : '4');
    if (address.n) {
        buffer_append_char(&body, (char)(port >> 8 & 0xff));
        buffer_append_char(&body, (char)(port & 0xff));
        put_text(&body, address);
    }
    return command(m, SAY_CONNECT, NO_CONNECT, QUIET_CONNECT, &body, macros, count);
}

int milter_helo(struct milter *m, struct postern_span name, const struct milter_macro *macros,
                size_t count)
{
    struct buffer body = {.allocator = m->out.allocator};

    put_text(&body, name);
    return command(m, SAY_HELO, NO_HELO, QUIET_HELO, &body, macros, count);
}

int milter_mail(struct milter *m, struct postern_span path, const struct milter_macro *macros,
                size_t count)
{
    struct buffer body = {.allocator = m->out.allocator};

    put_path(&body, path);
    m->in_message = true;
    m->skips_body = false;
    return command(m, SAY_MAIL, NO_MAIL, QUIET_MAIL, &body, macros, count);
}

int milter_rcpt(struct milter *m, struct postern_span path, const struct milter_macro *macros,
                size_t count)
{
    struct buffer body = {.allocator = m->out.allocator};

    put_path(&body, path);
    return command(m, SAY_RCPT, NO_RCPT, QUIET_RCPT, &body, macros, count);
}

int milter_data(struct milter *m, const struct milter_macro *macros, size_t count)
{
    struct buffer body = {.allocator = m->out.allocator};

    if (m->version < VERSION_DATA)
        return may(m) ? 0 : POSTERN_E_USAGE;
    return command(m, SAY_DATA, NO_DATA, QUIET_DATA, &body, macros, count);
}

int milter_header(struct milter *m, struct postern_span name, struct postern_span value)
{
    struct buffer body = {.allocator = m->out.allocator};

    if (!milter_raw_values(m) && value.n && (value.p[0] == ' ' || value.p[0] == '\t'))
        value = span_from(value, 1);
    name.n = name.n < 1000 ? name.n : 1000;
    put_text(&body, name);
    put_text(&body, value);
    return command(m, SAY_HEADER, NO_HEADER, QUIET_HEADER, &body, NULL, 0);
}

int milter_header_end(struct milter *m)
{
    struct buffer body = {.allocator = m->out.allocator};

    return command(m, SAY_HEADER_END, NO_HEADER_END, QUIET_HEADER_END, &body, NULL, 0);
}

int milter_body(struct milter *m, struct postern_span bytes)
{
    struct buffer body = {.allocator = m->out.allocator};

    if (bytes.n > MILTER_CHUNK)
        return POSTERN_E_USAGE;
    if (m->skips_body)
        return may(m) ? 0 : POSTERN_E_USAGE;
    buffer_append(&body, bytes);
    return command(m, SAY_BODY, NO_BODY, QUIET_BODY, &body, NULL, 0);
}

int milter_end(struct milter *m, const struct milter_macro *macros, size_t count)
{
    struct buffer body = {.allocator = m->out.allocator};

    return command(m, SAY_END, 0, 0, &body, macros, count);
}

int milter_abort(struct milter *m)
{
    struct buffer body = {.allocator = m->out.allocator};

    if (!may(m))
        return POSTERN_E_USAGE;
    if (!m->in_message)
        return 0;
    m->in_message = false;
    return say(m, SAY_ABORT, &body, true);
}

void milter_quit(struct milter *m)
{
    struct buffer body = {.allocator = m->out.allocator};

    if (may(m))
        (void)say(m, SAY_QUIT, &body, true);
    m->over = true;
}

bool milter_wants_body(const struct milter *m)
{
    return !(m->steps & NO_BODY) && !m->skips_body;
}

bool milter_raw_values(const struct milter *m)
{
    return m->steps & RAW_VALUES;
}

struct postern_span milter_output(const struct milter *m)
{
    return buffer_span(&m->out);
}

void milter_sent(struct milter *m, size_t n)
{
    buffer_take(&m->out, n);
}
