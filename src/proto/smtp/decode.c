/* SPDX-License-Identifier: MIT */
/* decode - the octets of a message as they come: its end, dots, bare CR and LF, NUL, size.
 * TRAP (H1): after DATA only CR LF . CR LF ends it. What looks like it but for a missing CR or LF
 * is content, whatever is done with bare ones: a peer that thinks otherwise could hide a second
 * message, with commands, in the first. */
#include "proto/smtp/content.h"

/* content_refuse - said when all of it came; the first reason counts. */
void content_refuse(struct smtp_content *c, unsigned code, const char *enhanced, const char *text)
{
    if (!c->refusal.code)
        c->refusal = (struct postern_smtp_reply){code, enhanced, postern_span_of(text)};
    buffer_done(&c->chunk);
}

/* G6 O8 */
void content_check_header(const struct postern_smtp *s, struct smtp_content *c)
{
    const struct header *h = &c->header;

    if (h->octets > s->o.header_max || h->lines > s->o.header_lines_max)
        content_refuse(c, 554, "5.6.0", "the header is too long");
    else if (h->received > s->o.received_max)
        content_refuse(c, 554, "5.4.6", "the message goes in circles");
    else if (c->rules.completes && (h->froms > 1 || h->authors) && h->at == HEADER_OVER &&
             !h->has_sender)
        content_refuse(c, 554, "5.6.0", "several authors and no Sender");
}

/* pass - (G9 G10) octets of the message, without NUL where that is wanted. */
static void pass(const struct postern_smtp *s, struct smtp_content *c, struct postern_span in)
{
    while (in.n && !c->refusal.code) {
        size_t nul = s->o.nul == POSTERN_SMTP_NUL_KEEP || c->raw ? in.n : span_find(in, '\0');
        bool was_over = c->header.at == HEADER_OVER;

        header_feed(&c->header, &c->rules, span_make(in.p, nul), &c->chunk);
        if (!was_over)
            content_check_header(s, c);
        if (nul < in.n && s->o.nul == POSTERN_SMTP_NUL_REJECT)
            content_refuse(c, 554, "5.6.0", "a message has no NUL");
        in = span_from(in, nul + (nul < in.n));
    }
}

/* G11 */
void content_emit(const struct postern_smtp *s, struct smtp_content *c, struct postern_span in)
{
    c->size_bytes += in.n;
    if (c->size_bytes > s->o.message_max)
        content_refuse(c, 552, "5.3.4", "message too long");
    else
        pass(s, c, in);
}

/* H3 */
void content_bare(const struct postern_smtp *s, struct smtp_content *c, const char *what)
{
    if (s->o.newline == POSTERN_SMTP_REJECT) {
        content_refuse(c, 550, "5.5.2", what);
        c->ends_session = true;
    }
    c->line_octets = 0;
    content_emit(s, c, SPAN("\r\n"));
}

static void line_ends(const struct postern_smtp *s, struct smtp_content *c, size_t octets)
{
    if (s->o.line_max && c->line_octets + octets > s->o.line_max)
        content_refuse(c, 554, "5.6.0", "a line is too long");
    c->line_octets = 0;
}

/* struct decoder - where it stands in `in`: [run, at) is to be passed on. */
struct decoder {
    const struct postern_smtp *s;
    struct smtp_content *c;
    struct postern_span in;
    size_t run, at;
};

static void flush(struct decoder *d)
{
    if (d->at > d->run)
        content_emit(d->s, d->c, span_make(d->in.p + d->run, d->at - d->run));
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
        content_bare(d->s, d->c, "bare <LF> received");
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
        content_bare(d->s, d->c, "bare <CR> received");
    }
}

/* held_cr - the octet behind a CR that was held. */
static void held_cr(struct decoder *d)
{
    if (d->in.p[d->at] == '\n') {
        skip(d, 1);
        content_emit(d->s, d->c, SPAN("\r\n"));
        line_ends(d->s, d->c, 2);
        d->c->at = CONTENT_BEGINS;
    } else {
        content_bare(d->s, d->c, "bare <CR> received");
        d->c->at = CONTENT_INSIDE;
    }
}

/* content_decode - (G3 G4 H2) DATA: as far as the end, if it is there. How much was taken. */
size_t content_decode(const struct postern_smtp *s, struct smtp_content *c, struct postern_span in)
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
