/* SPDX-License-Identifier: MIT */
/* cmd-retr - RETR and TOP (R7 R8 R21 R27 R87 R88 R92).
 * A message streams: READ is asked when the output has drained, its bytes are converted
 * (surrogate), cut (TOP), stuffed, and never kept. The +OK line waits for the first READ, so that a
 * message that cannot be read is refused in order; later the session ends without the final dot. A
 * message in wire form that the host can sendfile() is named as a range and not read at all. */
#include "mime/surrogate.h"
#include "proto/pop3/session.h"

static void fetch(struct postern_pop3 *s, bool is_top, uint64_t lines)
{
    bool converts = s->ref_flags & POSTERN_ENTRY_UTF8 && !s->utf8;

    if (converts && s->o.surrogate == POSTERN_POP3_SURROGATE_REFUSE) {
        pop3_err(s, "UTF8", TEXT_NEED_UTF8);
        return;
    }
    s->body = (struct pop3_body){.is_top = is_top,
                                 .lines_left = lines,
                                 .in_header = true,
                                 .line_empty = true,
                                 .converted = {.allocator = s->o.allocator}};
    if (converts && surrogate_new(&s->body.surrogate, s->o.allocator) < 0) {
        pop3_no_memory(s);
        return;
    }
    s->question = (struct postern_pop3_question){.message = s->ref, .headers_only = is_top};
    pop3_ask(s, POSTERN_POP3_MESSAGE);
}

void pop3_cmd_retr(struct postern_pop3 *s)
{
    fetch(s, false, 0);
}

void pop3_cmd_top(struct postern_pop3 *s)
{
    uint64_t lines;

    if (!span_number(s->argument[1], UINT64_MAX, &lines))
        pop3_bad(s, TEXT_BAD_ARGUMENTS);
    else
        fetch(s, true, lines);
}

void pop3_body_close(struct postern_pop3 *s)
{
    surrogate_free(&s->body.surrogate);
    buffer_done(&s->body.converted);
    if (s->body.is_open)
        pop3_tell(s, POSTERN_POP3_MESSAGE_DONE, s->body.content, false);
    s->body.is_open = false;
}

static void start_line(struct postern_pop3 *s)
{
    struct reply reply;

    s->body.is_started = s->in_multiline = true;
    if (!s->body.is_top && s->ref.number > s->last_number)
        s->last_number = s->ref.number;
    if (s->body.is_top || s->body.surrogate) {
        pop3_line(s, true, NULL, text_get(s->language, TEXT_FOLLOWS), false);
        return;
    }
    reply.n = 0;
    reply_add(&reply, SPAN("+OK "));
    reply_add_number(&reply, s->ref.size_bytes);
    reply_add(&reply, SPAN(" "));
    reply_add(&reply, text_get(s->language, TEXT_OCTETS));
    reply_write(&reply, &s->out);
}

static void end_body(struct postern_pop3 *s)
{
    if (!s->body.is_started)
        start_line(s);
    if (!s->body.is_plain)
        stuff_finish(&s->body.stuff, &s->out);
    buffer_append_text(&s->out, ".\r\n");
    pop3_body_close(s);
    pop3_finish(s, true);
}

void pop3_body_begin(struct postern_pop3 *s, const struct postern_pop3_message *message)
{
    struct pop3_body *body = &s->body;

    body->content = message->content;
    body->size_raw = message->size_raw;
    body->is_open = true;
    body->is_plain = message->wire_clean && !body->is_top && !body->surrogate;
    if (!body->is_plain || !message->file_range || body->size_raw == UINT64_MAX) {
        s->work = WORK_BODY;
        return;
    }
    start_line(s);
    s->work = WORK_RANGE;
    s->range_offset = 0;
    s->range_left = body->size_raw;
    s->tail = ".\r\n";
    s->tail_left = 3;
}

void pop3_range_sent(struct postern_pop3 *s)
{
    pop3_body_close(s);
    pop3_finish(s, true);
}

void pop3_body_go(struct postern_pop3 *s)
{
    if (s->body.offset >= s->body.size_raw) {
        pop3_body_read(s, 0, span_make(NULL, 0));
        return;
    }
    /* a quarter full: what one READ brings still fits under the mark */
    if (buffer_length(&s->out) > s->o.output_mark / 4)
        return;
    s->question = (struct postern_pop3_question){
        .content = s->body.content, .offset = s->body.offset, .length = s->o.read_chunk};
    pop3_ask(s, POSTERN_POP3_READ);
}

/* cut_line - one line end was seen: is the next line still wanted? */
static bool cut_line(struct pop3_body *body)
{
    if (body->in_header) {
        body->in_header = !body->line_empty;
        body->line_empty = true;
        return body->in_header || body->lines_left;
    }
    return --body->lines_left != 0;
}

/* cut - R27: how much of the text belongs to TOP's answer; less than all means: enough */
static size_t cut(struct pop3_body *body, struct postern_span text, bool *enough_r)
{
    for (size_t at = 0; at < text.n;) {
        size_t lf = at + span_find(span_from(text, at), '\n');

        for (size_t i = at; body->in_header && body->line_empty && i < lf; i++)
            body->line_empty = text.p[i] == '\r';
        if (lf == text.n)
            break;
        at = lf + 1;
        if (!cut_line(body)) {
            *enough_r = true;
            return at;
        }
    }
    return text.n;
}

/* append - text in its final form but for stuffing goes out. True when TOP has enough. */
static bool append(struct postern_pop3 *s, struct postern_span text)
{
    struct pop3_body *body = &s->body;
    bool enough = false;

    if (body->is_top)
        text.n = cut(body, text, &enough);
    if (body->is_plain)
        buffer_append(&s->out, text);
    else
        stuff_feed(&body->stuff, text, &s->out);
    return enough;
}

/* convert - the chunk, or the end (absent), through the surrogate. */
static bool convert(struct postern_pop3 *s, struct postern_span bytes)
{
    struct pop3_body *body = &s->body;
    bool enough;
    int err;

    if (!body->surrogate)
        return append(s, bytes);
    err = bytes.n ? surrogate_feed(body->surrogate, bytes, &body->converted)
                  : surrogate_finish(body->surrogate, &body->converted);
    if (err < 0 || body->converted.error) {
        pop3_no_memory(s);
        return false;
    }
    enough = append(s, buffer_span(&body->converted));
    buffer_take(&body->converted, buffer_length(&body->converted));
    return enough;
}

void pop3_body_read(struct postern_pop3 *s, int err, struct postern_span bytes)
{
    bool enough;

    if (err < 0 && !s->body.is_started) {
        pop3_body_close(s);
        pop3_err(s, "SYS/TEMP", TEXT_UNREADABLE);
        return;
    }
    if (err < 0) {
        pop3_body_close(s);
        pop3_over(s); /* no final dot: the client sees that the message is cut */
        return;
    }
    if (!s->body.is_started)
        start_line(s);
    s->body.offset += bytes.n;
    enough = convert(s, bytes);
    if (!s->failed && (enough || bytes.n == 0))
        end_body(s);
}
