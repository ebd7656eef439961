/* SPDX-License-Identifier: MIT */
/* content - a message on its way in: the end of it found, dots taken off, lines made whole, written
 * in chunks; and its answer.
 * TRAP (H1): after DATA only CR LF . CR LF ends it. What looks like it but for a missing CR or LF
 * is content, whatever is done with bare ones: a peer that thinks otherwise could hide a second
 * message, with commands, in the first. */
#include "proto/smtp/content.h"

#define MESSAGE_TIME (600 * POSTERN_SECOND)
#define MESSAGE_RATE 500 /* octets a second, at least (N1) */

int smtp_content_begin(struct postern_smtp *s, bool dots)
{
    struct smtp_content *c = memory_new(s->o.allocator, sizeof *c);

    if (!c)
        return POSTERN_E_NOMEM;
    s->content = c;
    c->chunk.allocator = s->o.allocator;
    c->began = s->now;
    c->dots = dots;
    c->raw = s->body == POSTERN_SMTP_BINARYMIME;
    c->rules = (struct header_rules){.hostname = s->o.hostname,
                                     .completes = s->o.role == POSTERN_SMTP_SUBMISSION,
                                     .keeps_bcc = s->o.keep_bcc,
                                     .id = postern_span_of(s->transaction),
                                     .date_s = s->o.seconds ? s->o.seconds() : 0};
    if (s->o.received)
        received_write(s, &c->chunk);
    return c->chunk.error;
}

void smtp_content_free(struct postern_smtp *s)
{
    if (!s->content)
        return;
    buffer_done(&s->content->chunk);
    memory_free(s->o.allocator, s->content);
    s->content = NULL;
}

size_t smtp_content_memory(const struct postern_smtp *s)
{
    return s->content ? sizeof *s->content + s->content->chunk.capacity : 0;
}

static postern_time earlier(postern_time a, postern_time b)
{
    return a < b ? a : b;
}

postern_time smtp_content_deadline(const struct postern_smtp *s)
{
    postern_time whole = s->content->size_bytes / MESSAGE_RATE * POSTERN_SECOND;

    return earlier(s->last + s->o.command_timeout,
                   s->content->began + (whole > MESSAGE_TIME ? whole : MESSAGE_TIME));
}

/* refuse - said when all of it came; the first reason counts. */
static void refuse(struct smtp_content *c, unsigned code, const char *enhanced, const char *text)
{
    if (!c->refusal.code)
        c->refusal = (struct postern_smtp_reply){code, enhanced, postern_span_of(text)};
    buffer_done(&c->chunk);
}

static void refuse_as_told(struct smtp_content *c, const struct postern_smtp_reply *reply)
{
    struct postern_smtp_reply fit = smtp_reply_made_fit(reply, c->refusal_enhanced);
    size_t n = fit.text.n < sizeof c->refusal_text ? fit.text.n : sizeof c->refusal_text;

    if (n)
        memcpy(c->refusal_text, fit.text.p, n);
    fit.text = n ? span_make(c->refusal_text, n) : SPAN("not taken");
    if (!c->refusal.code)
        c->refusal = fit;
    c->ends_session |= fit.code == 421;
    buffer_done(&c->chunk);
}

void smtp_content_refuse(struct postern_smtp *s, const struct postern_smtp_reply *reply)
{
    refuse_as_told(s->content, reply);
}

const struct postern_smtp_reply *smtp_content_refusal(const struct postern_smtp *s)
{
    return s->content && s->content->refusal.code ? &s->content->refusal : NULL;
}

/* ---- octets ---------------------------------------------------------------------------------- */

/* G6 O8 */
static void check_header(const struct postern_smtp *s, struct smtp_content *c)
{
    const struct header *h = &c->header;

    if (h->octets > s->o.header_max || h->lines > s->o.header_lines_max)
        refuse(c, 554, "5.6.0", "the header is too long");
    else if (h->received > s->o.received_max)
        refuse(c, 554, "5.4.6", "the message goes in circles");
    else if (c->rules.completes && (h->froms > 1 || h->authors) && h->at == HEADER_OVER &&
             !h->has_sender)
        refuse(c, 554, "5.6.0", "several authors and no Sender");
}

/* G9 G10 */
/* pass - octets of the message, without NUL where that is wanted. */
static void pass(const struct postern_smtp *s, struct smtp_content *c, struct postern_span in)
{
    while (in.n && !c->refusal.code) {
        size_t nul = s->o.nul == POSTERN_SMTP_NUL_KEEP || c->raw ? in.n : span_find(in, '\0');
        bool was_over = c->header.at == HEADER_OVER;

        header_feed(&c->header, &c->rules, span_make(in.p, nul), &c->chunk);
        if (!was_over)
            check_header(s, c);
        if (nul < in.n && s->o.nul == POSTERN_SMTP_NUL_REJECT)
            refuse(c, 554, "5.6.0", "a message has no NUL");
        in = span_from(in, nul + (nul < in.n));
    }
}

/* G11 */
static void emit(const struct postern_smtp *s, struct smtp_content *c, struct postern_span in)
{
    c->size_bytes += in.n;
    if (c->size_bytes > s->o.message_max)
        refuse(c, 552, "5.3.4", "message too long");
    else
        pass(s, c, in);
}

/* H3 */
static void bare(const struct postern_smtp *s, struct smtp_content *c, const char *what)
{
    if (s->o.newline == POSTERN_SMTP_REJECT) {
        refuse(c, 550, "5.5.2", what);
        c->ends_session = true;
    }
    c->line_octets = 0;
    emit(s, c, SPAN("\r\n"));
}

static void line_ends(const struct postern_smtp *s, struct smtp_content *c, size_t octets)
{
    if (s->o.line_max && c->line_octets + octets > s->o.line_max)
        refuse(c, 554, "5.6.0", "a line is too long");
    c->line_octets = 0;
}

/* decoded - where decode() stands in `in`: [run, at) is to be passed on. */
struct decoder {
    const struct postern_smtp *s;
    struct smtp_content *c;
    struct postern_span in;
    size_t run, at;
};

static void flush(struct decoder *d)
{
    if (d->at > d->run)
        emit(d->s, d->c, span_make(d->in.p + d->run, d->at - d->run));
}

/* skip - what stood before is passed on, n octets are not. */
static void skip(struct decoder *d, size_t n)
{
    flush(d);
    d->at += n;
    d->run = d->at;
}

/* inside - to the next line end, or the next octet that only looks like one. */
static void inside(struct decoder *d)
{
    struct postern_span rest = span_from(d->in, d->at);
    size_t lf = span_find(rest, '\n'), cr = span_find(span_make(rest.p, lf), '\r');

    if (cr == lf && lf == rest.n) {
        d->c->line_octets += rest.n;
        d->at = d->in.n;
    } else if (cr == lf) {
        d->at += lf;
        skip(d, 1);
        bare(d->s, d->c, "bare <LF> received");
    } else if (cr + 1 == rest.n) {
        d->at += cr;
        skip(d, 1);
        d->c->at = CONTENT_CR;
        d->c->line_octets += cr;
    } else if (cr + 1 == lf) {
        line_ends(d->s, d->c, lf + 1);
        d->at += lf + 1;
        d->c->at = CONTENT_BEGINS;
    } else {
        d->at += cr;
        skip(d, 1);
        bare(d->s, d->c, "bare <CR> received");
    }
}

/* held_cr - the octet behind a CR that was held. */
static void held_cr(struct decoder *d)
{
    if (d->in.p[d->at] == '\n') {
        skip(d, 1);
        emit(d->s, d->c, SPAN("\r\n"));
        line_ends(d->s, d->c, 2);
        d->c->at = CONTENT_BEGINS;
    } else {
        bare(d->s, d->c, "bare <CR> received");
        d->c->at = CONTENT_INSIDE;
    }
}

/* G3 G4 H2: a dot counts only behind CRLF */
/* decode - DATA: as far as the end, if it is there. How much was taken. */
static size_t decode(const struct postern_smtp *s, struct smtp_content *c, struct postern_span in)
{
    struct decoder d = {s, c, in, 0, 0};

    while (d.at < in.n && !c->over) {
        char octet = in.p[d.at];

        switch (c->at) {
        case CONTENT_BEGINS:
            c->at = c->dots && octet == '.' ? CONTENT_DOT : CONTENT_INSIDE;
            if (c->at == CONTENT_DOT)
                skip(&d, 1);
            break;
        case CONTENT_DOT:
            c->at = octet == '\r' ? CONTENT_DOT_CR : CONTENT_INSIDE;
            if (c->at == CONTENT_DOT_CR)
                skip(&d, 1);
            break;
        case CONTENT_DOT_CR:
            c->over = octet == '\n';
            if (c->over)
                skip(&d, 1);
            else
                held_cr(&d);
            break;
        case CONTENT_CR:
            held_cr(&d);
            break;
        default:
            inside(&d);
            break;
        }
    }
    flush(&d);
    return d.at;
}

/* ---- to the application ---------------------------------------------------------------------- */

static void go(struct postern_smtp *s);

static void written(struct postern_smtp *s, const struct smtp_answer *answer)
{
    struct smtp_content *c = s->content;

    buffer_take(&c->chunk, s->question.bytes.n);
    if (c->header.at == HEADER_OVER && !c->headers_told)
        c->header.end_at -= s->question.bytes.n;
    if (buffer_length(&c->chunk) == 0)
        buffer_done(&c->chunk);
    if (answer->replies && answer->replies->code / 100 != 2)
        refuse_as_told(c, answer->replies);
    go(s);
}

static void judged(struct postern_smtp *s, const struct smtp_answer *answer)
{
    if (answer->replies && answer->replies->code / 100 != 2)
        refuse_as_told(s->content, answer->replies);
    go(s);
}

static void write_some(struct postern_smtp *s, size_t n)
{
    struct postern_span bytes = buffer_span(&s->content->chunk);

    bytes.n = n < s->o.write_chunk ? n : s->o.write_chunk;
    s->question = (struct postern_smtp_question){.bytes = bytes};
    smtp_ask(s, POSTERN_SMTP_WRITE, written);
}

/* reply_to_all - the same for each recipient in LMTP (Q1). */
static void reply_to_all(struct postern_smtp *s, const struct postern_smtp_reply *replies,
                         size_t count)
{
    struct postern_span rest = buffer_span(&s->recipients);

    for (size_t i = 0; i < s->recipient_count; i++) {
        char enhanced[16] = "";
        struct postern_smtp_reply reply =
            smtp_reply_made_fit(&replies[count > 1 ? i : 0], enhanced);

        if (s->o.role == POSTERN_SMTP_LMTP) {
            smtp_reply_about(s, span_cut(&rest, '\0'), &reply);
        } else {
            smtp_write_reply(s, &reply);
            return;
        }
    }
}

/* G5 Q2: an empty one too, and a BDAT */
static void finish(struct postern_smtp *s, const struct postern_smtp_reply *replies, size_t count,
                   bool kept)
{
    bool ends = s->content->ends_session;

    if (kept)
        s->idle_commands = 0;
    reply_to_all(s, replies, count);
    smtp_forget(s, !kept);
    if (ends)
        smtp_over(s);
    else
        smtp_command_over(s);
}

static void committed(struct postern_smtp *s, const struct smtp_answer *answer)
{
    static const struct postern_smtp_reply fine = REPLY(250, "2.0.0", "saved");
    struct postern_smtp_reply one;

    if (answer->replies && answer->count == 1) {
        one = *answer->replies;
        if (!one.text.p)
            one.text = one.code / 100 == 2 ? fine.text : SPAN("not taken");
        s->content->ends_session |= one.code == 421;
        finish(s, &one, 1, true);
    } else if (answer->replies) {
        finish(s, answer->replies, answer->count, true);
    } else {
        finish(s, &fine, 1, true);
    }
}

/* go - what is to be said to the application next, if anything is. */
static void go(struct postern_smtp *s)
{
    struct smtp_content *c = s->content;
    size_t have = buffer_length(&c->chunk);
    bool due = c->over || have >= s->o.write_chunk;
    bool headers = due && c->header.at == HEADER_OVER && !c->headers_told;

    if (c->refusal.code) {
        if (c->over)
            finish(s, &c->refusal, 1, false);
        else
            smtp_chunk_over(s);
    } else if (headers && c->header.end_at) {
        write_some(s, c->header.end_at);
    } else if (headers) {
        c->headers_told = true;
        s->question = (struct postern_smtp_question){.recipient = s->recipient_count};
        smtp_ask(s, POSTERN_SMTP_HEADERS, judged);
    } else if (due && have) {
        write_some(s, have);
    } else if (c->over) {
        s->question = (struct postern_smtp_question){.recipient = s->recipient_count,
                                                     .size_bytes = c->size_bytes};
        smtp_ask(s, POSTERN_SMTP_COMMIT, committed);
    } else {
        smtp_chunk_over(s);
    }
}

/* too_much - G7: it is refused, and does not end. */
static bool too_much(struct postern_smtp *s)
{
    if (s->content->size_bytes / 2 <= s->o.message_max)
        return false;
    smtp_end(s, "4.3.0", "far too long");
    return true;
}

void smtp_content_end(struct postern_smtp *s)
{
    struct smtp_content *c = s->content;

    if (c->at == CONTENT_CR || c->at == CONTENT_DOT_CR)
        bare(s, c, "bare <CR> received");
    c->over = true;
    if (!c->refusal.code) {
        header_finish(&c->header, &c->rules, &c->chunk);
        check_header(s, c);
    }
    go(s);
}

/* enough - no more at once than memory is meant for. */
static struct postern_span enough(const struct postern_smtp *s, struct postern_span in)
{
    size_t have = buffer_length(&s->content->chunk);
    size_t room = have < s->o.write_chunk ? s->o.write_chunk - have : 1;

    return span_make(in.p, in.n < room ? in.n : room);
}

size_t smtp_content_feed(struct postern_smtp *s, struct postern_span in)
{
    struct smtp_content *c = s->content;
    size_t used = decode(s, c, enough(s, in));

    s->last = s->now;
    if (c->chunk.error) {
        smtp_no_memory(s);
    } else if (c->over) {
        c->at = CONTENT_BEGINS;
        smtp_content_end(s);
    } else if (!too_much(s)) {
        go(s);
    }
    return used;
}

size_t smtp_content_octets(struct postern_smtp *s, struct postern_span in)
{
    struct smtp_content *c = s->content;

    in.n = s->chunk.left < in.n ? (size_t)s->chunk.left : in.n;
    s->last = s->now;
    if (!s->chunk.swallow) {
        in = enough(s, in);
        /* I5: no dots */
        if (c->raw)
            emit(s, c, in);
        else
            (void)decode(s, c, in);
    }
    s->chunk.left -= in.n;
    if (c && c->chunk.error) {
        smtp_no_memory(s);
    } else if (s->chunk.swallow) {
        if (!s->chunk.left)
            smtp_chunk_over(s);
    } else if (too_much(s)) {
        return in.n;
    } else if (s->chunk.left == 0 && s->chunk.last) {
        smtp_content_end(s);
    } else {
        go(s);
    }
    return in.n;
}
