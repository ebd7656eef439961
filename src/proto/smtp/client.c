/* SPDX-License-Identifier: MIT */
/* client - the other side: one command at a time, its reply, the next. What a server says is
 * bounded: a line of 2048 octets, of the text what fits a reply of ours.
 * TRAP: what came behind the reply to STARTTLS in plaintext is dropped (RFC 3207 6). */
#include "base/buffer.h"
#include "base/memory.h"
#include "base/span.h"
#include "codec/base64.h"
#include "proto/wire/line.h"
#include <postern/smtp_client.h>

#define LINE_OCTETS 2048
#define TEXT_OCTETS 400
#define KEYWORDS_OCTETS 2048

enum step {
    GREETING,
    HELLO,
    STARTTLS,
    HANDSHAKE,
    AUTH,
    AUTH_NAME,
    AUTH_SECRET,
    IDLE,
    WAITS,
    CONTENT,
    OVER
};

struct postern_smtp_client {
    struct postern_smtp_client_options o;
    enum step step;
    bool tls, event_due;
    struct line line;
    struct buffer out;
    char keywords[KEYWORDS_OCTETS]; /* "SIZE 1000\nAUTH PLAIN\n" */
    size_t keywords_n;
    struct postern_smtp_client_event event;
    char text[TEXT_OCTETS];
    unsigned replies_due; /* LMTP: of finish() */
    unsigned recipients;  /* accepted ones */
    bool is_rcpt, is_data, inside, after_cr;
};

void postern_smtp_client_options_init(struct postern_smtp_client_options *options,
                                      size_t struct_bytes)
{
    *options = (struct postern_smtp_client_options){.struct_bytes = (uint32_t)struct_bytes,
                                                    .hostname = {"localhost", 9}};
}

int postern_smtp_client_new(struct postern_smtp_client **client_r,
                            const struct postern_smtp_client_options *options)
{
    struct postern_smtp_client *c;

    if (options->struct_bytes != sizeof *options || !options->hostname.n)
        return POSTERN_E_USAGE;
    c = memory_new(options->allocator, sizeof *c);
    if (!c)
        return POSTERN_E_NOMEM;
    c->o = *options;
    c->tls = options->tls_first;
    c->out.allocator = options->allocator;
    line_init(&c->line, options->allocator);
    *client_r = c;
    return 0;
}

void postern_smtp_client_free(struct postern_smtp_client **client)
{
    struct postern_smtp_client *c = client ? *client : NULL;
    const struct postern_allocator *allocator;

    if (!c)
        return;
    allocator = c->o.allocator;
    line_reset(&c->line);
    buffer_done(&c->out);
    memory_free(allocator, c);
    *client = NULL;
}

/* ---- what is said ---------------------------------------------------------------------------- */

static int say(struct postern_smtp_client *c, const char *verb, struct postern_span argument,
               enum step step)
{
    buffer_append_text(&c->out, verb);
    buffer_append(&c->out, argument);
    buffer_append_text(&c->out, "\r\n");
    c->step = step;
    return c->out.error;
}

static void hello(struct postern_smtp_client *c)
{
    c->keywords_n = 0;
    (void)say(c, c->o.lmtp ? "LHLO " : "EHLO ", c->o.hostname, HELLO);
}

static void tell(struct postern_smtp_client *c, enum postern_smtp_client_event_kind kind,
                 enum step step)
{
    c->event.kind = kind;
    c->event_due = true;
    c->step = step;
}

static void fail(struct postern_smtp_client *c)
{
    tell(c, POSTERN_SMTP_CLIENT_FAILED, OVER);
}

/* fail_with - a reason of ours. */
static void fail_with(struct postern_smtp_client *c, const char *why)
{
    c->event = (struct postern_smtp_client_event){.text = postern_span_of(why)};
    fail(c);
}

/* keyword - of the server's; absent: it has none such. */
static struct postern_span keyword(const struct postern_smtp_client *c, struct postern_span name)
{
    struct postern_span rest = span_make(c->keywords, c->keywords_n);

    while (rest.n) {
        struct postern_span line = span_cut(&rest, '\n'), word = span_cut(&line, ' ');

        if (span_equal_nocase(word, name))
            return line.p ? line : SPAN("");
    }
    return (struct postern_span){NULL, 0};
}

bool postern_smtp_client_offers(const struct postern_smtp_client *c, const char *name)
{
    return keyword(c, postern_span_of(name)).p != NULL;
}

static bool has_mechanism(const struct postern_smtp_client *c, struct postern_span name)
{
    struct postern_span rest = keyword(c, SPAN("AUTH"));

    while (rest.n)
        if (span_equal_nocase(span_cut(&rest, ' '), name))
            return true;
    return false;
}

static void say_coded(struct postern_smtp_client *c, const char *verb, struct postern_span text,
                      enum step step)
{
    buffer_append_text(&c->out, verb);
    base64_encode(text, &c->out);
    (void)say(c, "", SPAN(""), step);
}

static void say_plain(struct postern_smtp_client *c)
{
    struct buffer text = {.allocator = c->o.allocator};

    buffer_append_char(&text, '\0');
    buffer_append(&text, c->o.user);
    buffer_append_char(&text, '\0');
    buffer_append(&text, c->o.secret);
    if (text.error)
        c->out.error = text.error;
    say_coded(c, "AUTH PLAIN ", buffer_span(&text), AUTH);
    buffer_done(&text);
}

/* begin - EHLO was answered: what comes before a message. */
static void begin(struct postern_smtp_client *c)
{
    bool offered = postern_smtp_client_offers(c, "STARTTLS");

    if (!c->tls && offered && c->o.tls != POSTERN_SMTP_CLIENT_TLS_NEVER)
        (void)say(c, "STARTTLS", SPAN(""), STARTTLS);
    else if (!c->tls && c->o.tls == POSTERN_SMTP_CLIENT_TLS_REQUIRED)
        fail_with(c, "the server does not offer TLS");
    else if (!c->o.user.p)
        tell(c, POSTERN_SMTP_CLIENT_READY, IDLE);
    else if (!c->tls && c->o.tls != POSTERN_SMTP_CLIENT_TLS_NEVER)
        fail_with(c, "no password is sent without TLS");
    else if (has_mechanism(c, SPAN("PLAIN")))
        say_plain(c);
    else if (has_mechanism(c, SPAN("LOGIN")))
        (void)say(c, "AUTH LOGIN", SPAN(""), AUTH_NAME);
    else
        fail_with(c, "the server offers no AUTH that we know");
}

/* ---- what is heard --------------------------------------------------------------------------- */

/* is_enhanced - "2.1.5". */
static bool is_enhanced(struct postern_span word, unsigned code)
{
    unsigned dots = 0;

    if (word.n < 5 || word.n >= 16 || (unsigned)(word.p[0] - '0') != code / 100)
        return false;
    for (size_t i = 0; i < word.n; i++) {
        dots += word.p[i] == '.';
        if (word.p[i] != '.' && (word.p[i] < '0' || word.p[i] > '9'))
            return false;
    }
    return dots == 2;
}

static void note_reply(struct postern_smtp_client *c, unsigned code, struct postern_span text)
{
    struct postern_span rest = text, word = span_cut(&rest, ' ');

    c->event = (struct postern_smtp_client_event){.code = code};
    if (is_enhanced(word, code)) {
        memcpy(c->event.enhanced, word.p, word.n);
        text = rest;
    }
    text.n = text.n < sizeof c->text ? text.n : sizeof c->text;
    if (text.n)
        memcpy(c->text, text.p, text.n);
    c->event.text = span_make(c->text, text.n);
}

/* reply_to_command - of the host's. */
static void reply_to_command(struct postern_smtp_client *c)
{
    bool good = c->event.code / 100 == 2;

    if (c->is_rcpt)
        c->recipients += good;
    if (c->replies_due)
        c->replies_due--;
    tell(c, POSTERN_SMTP_CLIENT_REPLY,
         c->is_data && c->event.code == 354 ? CONTENT
         : c->event.code == 421             ? OVER
         : c->replies_due                   ? WAITS
                                            : IDLE);
    c->is_rcpt = c->is_data = false;
}

/* reply - a whole one is there. */
static void reply(struct postern_smtp_client *c)
{
    unsigned class = c->event.code / 100;

    if (c->step == WAITS)
        reply_to_command(c);
    else if (c->step == GREETING && c->event.code == 220)
        hello(c);
    else if (c->step == HELLO && class == 2)
        begin(c);
    else if (c->step == STARTTLS && c->event.code == 220)
        tell(c, POSTERN_SMTP_CLIENT_TLS, HANDSHAKE);
    else if (c->step == AUTH_NAME && class == 3)
        say_coded(c, "", c->o.user, AUTH_SECRET);
    else if (c->step == AUTH_SECRET && class == 3)
        say_coded(c, "", c->o.secret, AUTH);
    else if (c->step == AUTH && class == 2)
        tell(c, POSTERN_SMTP_CLIENT_READY, IDLE);
    else
        fail(c);
}

static void note_keyword(struct postern_smtp_client *c, struct postern_span text)
{
    if (c->keywords_n + text.n + 1 > sizeof c->keywords)
        return;
    memcpy(c->keywords + c->keywords_n, text.p, text.n);
    c->keywords_n += text.n;
    c->keywords[c->keywords_n++] = '\n';
}

static int heard(struct postern_smtp_client *c, struct postern_span line)
{
    uint64_t code;
    bool last = line.n == 3 || (line.n > 3 && line.p[3] == ' ');

    if (line.n < 3 || !span_number(span_make(line.p, 3), 599, &code) || code < 200 ||
        (!last && line.p[3] != '-')) {
        fail_with(c, "the server says what is no reply");
        return POSTERN_E_SYNTAX;
    }
    if (c->step == HELLO)
        note_keyword(c, span_from(line, 4));
    if (!last)
        return 0;
    note_reply(c, (unsigned)code, span_from(line, 4));
    reply(c);
    return 0;
}

int postern_smtp_client_feed(struct postern_smtp_client *c, struct postern_span in)
{
    size_t taken = 0;

    in.n = in.n < INT32_MAX ? in.n : INT32_MAX;
    while (taken < in.n && !c->event_due) {
        struct postern_span line;
        size_t used;
        int event, err = 0;

        event = line_feed(&c->line, span_from(in, taken), LINE_OCTETS, &used, &line);
        taken += used;
        if (event == LINE_READY) {
            err = heard(c, line);
            line_release(&c->line);
        } else if (event == LINE_TOO_LONG) {
            fail_with(c, "the server says what is no reply");
            err = POSTERN_E_SYNTAX;
        }
        if (event < 0 || err < 0 || c->out.error)
            return event < 0 || c->out.error ? POSTERN_E_NOMEM : err;
    }
    return c->step == HANDSHAKE ? (int)in.n : (int)taken;
}

int postern_smtp_client_next(struct postern_smtp_client *c,
                             struct postern_smtp_client_event *event_r)
{
    if (!c->event_due)
        return 0;
    c->event_due = false;
    *event_r = c->event;
    return 1;
}

struct postern_span postern_smtp_client_output(const struct postern_smtp_client *c)
{
    return buffer_span(&c->out);
}

void postern_smtp_client_sent(struct postern_smtp_client *c, size_t n)
{
    buffer_take(&c->out, n);
    if (buffer_length(&c->out) == 0)
        buffer_done(&c->out);
}

int postern_smtp_client_tls_up(struct postern_smtp_client *c)
{
    if (c->step != HANDSHAKE)
        return POSTERN_E_USAGE;
    c->tls = true;
    hello(c);
    return c->out.error;
}

/* ---- the commands ---------------------------------------------------------------------------- */

/* is_sendable - an address that stays within its brackets. */
static bool is_sendable(struct postern_span address)
{
    for (size_t i = 0; i < address.n; i++)
        if ((unsigned char)address.p[i] < ' ' || address.p[i] == 127)
            return false;
    return address.n <= 1000;
}

static int say_address(struct postern_smtp_client *c, const char *verb, struct postern_span address)
{
    if (c->step != IDLE || c->event_due)
        return POSTERN_E_USAGE;
    if (!is_sendable(address))
        return POSTERN_E_SYNTAX;
    buffer_append_text(&c->out, verb);
    buffer_append(&c->out, address);
    buffer_append_char(&c->out, '>');
    return 0;
}

int postern_smtp_client_mail(struct postern_smtp_client *c, struct postern_span sender,
                             uint64_t size_bytes, bool is_8bit, bool utf8)
{
    int err;

    if (utf8 && !postern_smtp_client_offers(c, "SMTPUTF8"))
        return POSTERN_E_UNSUPPORTED;
    err = say_address(c, "MAIL FROM:<", sender);
    if (err)
        return err;
    c->recipients = 0;
    if (size_bytes && postern_smtp_client_offers(c, "SIZE")) {
        buffer_append_text(&c->out, " SIZE=");
        buffer_append_number(&c->out, size_bytes);
    }
    if (is_8bit && postern_smtp_client_offers(c, "8BITMIME"))
        buffer_append_text(&c->out, " BODY=8BITMIME");
    return say(c, utf8 ? " SMTPUTF8" : "", SPAN(""), WAITS);
}

int postern_smtp_client_rcpt(struct postern_smtp_client *c, struct postern_span recipient)
{
    int err = say_address(c, "RCPT TO:<", recipient);

    c->is_rcpt = !err;
    return err ? err : say(c, "", SPAN(""), WAITS);
}

int postern_smtp_client_data(struct postern_smtp_client *c)
{
    if (c->step != IDLE || c->event_due)
        return POSTERN_E_USAGE;
    c->inside = c->after_cr = false;
    c->is_data = true;
    return say(c, "DATA", SPAN(""), WAITS);
}

/* put - one octet of the message, made canonical (H4). */
static void put(struct postern_smtp_client *c, char octet)
{
    if (c->after_cr && octet != '\n')
        buffer_append_char(&c->out, '\n'), c->inside = false;
    if (octet == '\n' && !c->after_cr)
        buffer_append_char(&c->out, '\r');
    if (octet == '.' && !c->inside)
        buffer_append_char(&c->out, '.');
    buffer_append_char(&c->out, octet);
    c->after_cr = octet == '\r';
    c->inside = octet != '\n';
}

int postern_smtp_client_write(struct postern_smtp_client *c, struct postern_span bytes)
{
    if (c->step != CONTENT)
        return POSTERN_E_USAGE;
    for (size_t i = 0; i < bytes.n; i++)
        put(c, bytes.p[i]);
    return c->out.error;
}

int postern_smtp_client_finish(struct postern_smtp_client *c)
{
    if (c->step != CONTENT)
        return POSTERN_E_USAGE;
    if (c->after_cr)
        buffer_append_char(&c->out, '\n');
    else if (c->inside)
        buffer_append_text(&c->out, "\r\n");
    c->replies_due = c->o.lmtp ? c->recipients : 1;
    return say(c, ".", SPAN(""), WAITS);
}

void postern_smtp_client_quit(struct postern_smtp_client *c)
{
    if (c->step == IDLE)
        (void)say(c, "QUIT", SPAN(""), OVER);
}
