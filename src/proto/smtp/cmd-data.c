/* SPDX-License-Identifier: MIT */
/* cmd-data - DATA and BDAT (RFC 5321 4.1.1.4, RFC 3030): the application opens a place for the
 * message, then its octets come. What was refused is never taken for commands: the octets of a BDAT
 * are counted and passed over, behind a DATA the connection ends if there are any (H6). */
#include "proto/smtp/session.h"

/* begin - asks for a place; then() goes on. */
static void begin(struct postern_smtp *s, smtp_then *then)
{
    s->question = (struct postern_smtp_question){.recipient = s->recipient_count,
                                                 .size_bytes = s->size_bytes,
                                                 .body = s->body,
                                                 .utf8 = s->utf8};
    smtp_ask(s, POSTERN_SMTP_BEGIN, then);
}

/* ---- DATA ------------------------------------------------------------------------------------ */

static void data_begun(struct postern_smtp *s, const struct smtp_answer *answer)
{
    static const struct postern_smtp_reply fine = REPLY_SILENT(250, "2.0.0");
    bool early = s->early && s->o.role != POSTERN_SMTP_LMTP && !s->o.trusted;

    s->data_said = false;
    if (!smtp_answered(s, answer, &fine)) {
        if (s->early && s->state != POSTERN_SMTP_OVER)
            smtp_end(s, "4.7.0", "DATA was refused");
        return;
    }
    if (early) { /* H5 */
        smtp_reply(s, 554, "5.5.0", "you did not wait for 354");
        smtp_over(s);
        return;
    }
    s->state = POSTERN_SMTP_CONTENT;
    if (smtp_content_begin(s, true) < 0)
        smtp_no_memory(s);
    else
        smtp_reply(s, 354, NULL, "go on, and end with CRLF.CRLF");
}

/* G1 G2 */
void smtp_cmd_data(struct postern_smtp *s, struct postern_span argument)
{
    (void)argument;
    if (s->state == POSTERN_SMTP_RECIPIENTS && s->body != POSTERN_SMTP_BINARYMIME) {
        s->data_said = true;
        s->early = false;
        begin(s, data_begun);
        return;
    }
    s->closes_if_more = true;
    if (s->state == POSTERN_SMTP_SENDER)
        smtp_refuse(s, s->o.role == POSTERN_SMTP_LMTP ? 503 : 554, "5.5.1", "no valid recipients");
    else
        smtp_refuse(s, 503, "5.5.1",
                    s->state == POSTERN_SMTP_RECIPIENTS ? "BINARYMIME needs BDAT"
                    : s->state == POSTERN_SMTP_CHUNKS   ? "BDAT goes on with BDAT"
                                                        : "say MAIL first");
}

/* ---- BDAT ------------------------------------------------------------------------------------ */

/* read_size - "n [LAST]". */
static bool read_size(struct postern_span argument, uint64_t *size_r, bool *last_r)
{
    struct postern_span size = span_cut(&argument, ' ');

    while (argument.n && argument.p[0] == ' ')
        argument = span_from(argument, 1);
    *last_r = argument.n > 0;
    return span_number(size, INT64_MAX, size_r) &&
           (!argument.n || span_equal_nocase(argument, SPAN("LAST")));
}

void smtp_chunk_over(struct postern_smtp *s)
{
    struct smtp_chunk *chunk = &s->chunk;

    if (s->state == POSTERN_SMTP_CONTENT || chunk->left || !chunk->open)
        return;
    chunk->open = false;
    if (chunk->swallow) {
        chunk->swallow = false;
    } else if (smtp_content_refusal(s)) { /* I7 */
        smtp_write_reply(s, smtp_content_refusal(s));
    } else {
        struct buffer text = {.allocator = s->o.allocator};

        buffer_append_number(&text, chunk->size);
        buffer_append_text(&text, " octets");
        buffer_append_char(&text, '\0');
        if (text.error)
            smtp_no_memory(s);
        else
            smtp_reply(s, 250, "2.0.0", buffer_span(&text).p);
        buffer_done(&text);
    }
    if (s->state != POSTERN_SMTP_OVER)
        smtp_command_over(s);
}

/* swallow - the refusal is said already; its octets are passed over (I2). */
static void swallow(struct postern_smtp *s)
{
    if (s->state == POSTERN_SMTP_OVER)
        return;
    s->chunk.swallow = s->chunk.left > 0;
    s->chunk.open = s->chunk.swallow;
}

/* take_octets - (I3) the place is there. Of none there is nothing to wait for. */
static void take_octets(struct postern_smtp *s)
{
    s->chunk.open = true;
    s->state = POSTERN_SMTP_CHUNKS;
    if (!s->chunk.left && s->chunk.last)
        smtp_content_end(s);
    else
        smtp_chunk_over(s);
}

/* chunk_begun - a refusal is said when its octets are here, and again for all that follow: or the
 * second part of a message would be taken for a whole one (I7). */
static void chunk_begun(struct postern_smtp *s, const struct smtp_answer *answer)
{
    if (smtp_content_begin(s, false) < 0) {
        smtp_no_memory(s);
        return;
    }
    if (answer->replies && answer->replies->code / 100 != 2)
        smtp_content_refuse(s, answer->replies);
    take_octets(s);
}

void smtp_cmd_bdat(struct postern_smtp *s, struct postern_span argument)
{
    uint64_t size;
    bool last;

    if (!read_size(argument, &size, &last)) { /* I1: where it would end is not known */
        smtp_reply(s, 501, "5.5.4", "BDAT size [LAST] is wanted");
        smtp_over(s);
        return;
    }
    s->chunk = (struct smtp_chunk){.left = size, .size = size, .last = last};
    if (s->state == POSTERN_SMTP_CHUNKS) {
        take_octets(s);
    } else if (s->state == POSTERN_SMTP_RECIPIENTS) {
        begin(s, chunk_begun);
    } else {
        smtp_refuse(s, 503, "5.5.1",
                    s->state == POSTERN_SMTP_SENDER ? "no valid recipients" : "say MAIL first");
        swallow(s);
    }
}
