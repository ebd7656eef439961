/* SPDX-License-Identifier: MIT */
/* reply - "250 2.1.5 text": one place where a reply is made, whoever the words are of (M1 to M3).
 * Nothing an application or a peer says can end a line or begin another. */
#include "proto/smtp/session.h"

#define LINE_OCTETS 510 /* without CRLF (RFC 5321 4.5.3.1.5) */

static bool is_digits(struct postern_span text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
    return text.n >= 1 && text.n <= 3;
}

/* fits_class - "5.7.1" for 550 (RFC 3463 2). */
static bool fits_class(const char *enhanced, unsigned code)
{
    struct postern_span rest = postern_span_of(enhanced), subject;
    struct postern_span class = span_cut(&rest, '.');

    subject = span_cut(&rest, '.');
    return class.n == 1 && (unsigned)(class.p[0] - '0') == code / 100 && is_digits(subject) &&
           is_digits(rest);
}

struct postern_smtp_reply smtp_reply_made_fit(const struct postern_smtp_reply *reply,
                                              char enhanced[16])
{
    struct postern_smtp_reply fit = *reply;

    if (fit.code < 200 || fit.code > 599 || fit.code / 100 == 3) /* 3xx is ours to say */
        fit.code = 451;
    if (fit.enhanced && fits_class(fit.enhanced, fit.code)) {
        memcpy(enhanced, fit.enhanced, strlen(fit.enhanced) + 1);
    } else {
        memcpy(enhanced, "0.0.0", sizeof "0.0.0");
        enhanced[0] = (char)('0' + fit.code / 100);
    }
    fit.enhanced = enhanced;
    return fit;
}

/* M2 */
static void write_text(struct postern_smtp *s, struct postern_span text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];

        buffer_append_char(&s->out, c < 32 || c == 127 ? ' ' : c > 127 && !s->utf8 ? '?' : (char)c);
    }
}

/* first_line - as much of the text as fits: cut at a space where there is one. */
static struct postern_span first_line(struct postern_span text, size_t room)
{
    size_t n = room;

    if (text.n <= room)
        return text;
    while (n > room / 2 && text.p[n] != ' ')
        n--;
    if (text.p[n] != ' ')
        for (n = room; n && (text.p[n] & 0xc0) == 0x80;)
            n--;
    return span_make(text.p, n);
}

void smtp_write_reply(struct postern_smtp *s, const struct postern_smtp_reply *reply)
{
    struct postern_span rest = reply->text, line;
    size_t room = LINE_OCTETS - 4 - (reply->enhanced ? strlen(reply->enhanced) + 1 : 0);

    do {
        bool last;

        line = first_line(rest, room);
        rest = span_from(rest, line.n);
        while (rest.n && rest.p[0] == ' ')
            rest = span_from(rest, 1);
        last = rest.n == 0;
        buffer_append_number(&s->out, reply->code);
        buffer_append_char(&s->out, last ? ' ' : '-');
        if (reply->enhanced) {
            buffer_append_text(&s->out, reply->enhanced);
            buffer_append_char(&s->out, ' ');
        }
        write_text(s, line);
        buffer_append_text(&s->out, "\r\n");
    } while (rest.n);
}

void smtp_reply(struct postern_smtp *s, unsigned code, const char *enhanced, const char *text)
{
    smtp_write_reply(s, &(struct postern_smtp_reply){code, enhanced, postern_span_of(text)});
}

void smtp_reply_about(struct postern_smtp *s, struct postern_span about,
                      const struct postern_smtp_reply *reply)
{
    struct buffer text = {.allocator = s->o.allocator};
    struct postern_smtp_reply whole = *reply;

    buffer_append_char(&text, '<');
    buffer_append(&text, about);
    buffer_append_text(&text, "> ");
    buffer_append(&text, reply->text);
    whole.text = buffer_span(&text);
    if (text.error)
        s->out.error = text.error;
    else
        smtp_write_reply(s, &whole);
    buffer_done(&text);
}

/* M4 */
void smtp_end(struct postern_smtp *s, const char *enhanced, const char *text)
{
    smtp_reply(s, 421, enhanced, text);
    smtp_over(s);
}

void smtp_refuse(struct postern_smtp *s, unsigned code, const char *enhanced, const char *text)
{
    smtp_reply(s, code, enhanced, text);
    if (++s->errors >= s->o.errors_max)
        smtp_end(s, "4.7.0", "too many errors");
}

bool smtp_answered(struct postern_smtp *s, const struct smtp_answer *answer,
                   const struct postern_smtp_reply *otherwise)
{
    struct postern_smtp_reply reply = answer->replies ? *answer->replies : *otherwise;
    char enhanced[16] = "";

    if (!reply.text.p)
        reply.text = otherwise->text;
    reply = smtp_reply_made_fit(&reply, enhanced);
    if (reply.code / 100 == otherwise->code / 100) {
        if (otherwise->text.p)
            smtp_write_reply(s, &reply);
        return true;
    }
    smtp_write_reply(s, &reply);
    if (reply.code == 421)
        smtp_over(s);
    return false;
}

struct postern_smtp_reply postern_smtp_reply_of(int err)
{
    static const struct {
        int err;
        unsigned code;
        const char *enhanced, *text;
    } all[] = {{0, 250, "2.0.0", "done"},
               {POSTERN_E_NOT_FOUND, 550, "5.1.1", "no such user here"},
               {POSTERN_E_DENIED, 550, "5.7.1", "not permitted"},
               {POSTERN_E_FULL, 452, "4.2.2", "no space or quota left"},
               {POSTERN_E_TOO_LONG, 552, "5.3.4", "message too long"},
               {POSTERN_E_IO, 451, "4.3.0", "it could not be stored"}};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].err == err)
            return (struct postern_smtp_reply){all[i].code, all[i].enhanced,
                                               postern_span_of(all[i].text)};
    return (struct postern_smtp_reply){451, "4.3.0", SPAN("temporarily unavailable")};
}
