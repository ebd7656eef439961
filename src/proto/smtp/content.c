/* SPDX-License-Identifier: MIT */
/* content - a message on its way in: written to the application in chunks, and its answer. What its
 * octets mean is decode.c's. */
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

/* is_taken - for one recipient at least. */
static bool is_taken(const struct postern_smtp_reply *replies, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (replies[i].code / 100 == 2)
            return true;
    return false;
}

/* finish - kept: the application had it, and has answered for it. G5 Q2: an empty one too, and a
 * BDAT; N3. */
static void finish(struct postern_smtp *s, const struct postern_smtp_reply *replies, size_t count,
                   bool kept)
{
    bool ends = s->content->ends_session;

    if (is_taken(replies, count))
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
        content_bare(s, c, "bare <CR> received");
    c->over = true;
    if (!c->refusal.code) {
        header_finish(&c->header, &c->rules, &c->chunk);
        content_check_header(s, c);
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
    size_t used = content_decode(s, c, enough(s, in));

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
            content_emit(s, c, in);
        else
            (void)content_decode(s, c, in);
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
