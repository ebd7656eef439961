/* SPDX-License-Identifier: MIT */
/* received - the trace line: from whom, by whom, how, when (RFC 5321 4.4, 3848, 6531; O1 to O4). */
#include "codec/utf8.h"
#include "proto/smtp/content.h"
#include "codec/date.h"

/* O2 K8 */
struct postern_span postern_smtp_protocol(const struct postern_smtp *s)
{
    /* by UTF8SMTP, TLS, AUTH */
    static const char *const smtp[2][2][2] = {
        {{"ESMTP", "ESMTPA"}, {"ESMTPS", "ESMTPSA"}},
        {{"UTF8SMTP", "UTF8SMTPA"}, {"UTF8SMTPS", "UTF8SMTPSA"}}};
    static const char *const lmtp[2][2][2] = {
        {{"LMTP", "LMTPA"}, {"LMTPS", "LMTPSA"}},
        {{"UTF8LMTP", "UTF8LMTPA"}, {"UTF8LMTPS", "UTF8LMTPSA"}}};
    bool user = s->user.n > 0;

    if (!s->extended)
        return SPAN("SMTP");
    return postern_span_of(s->o.role == POSTERN_SMTP_LMTP ? lmtp[s->utf8][s->tls][user]
                                                          : smtp[s->utf8][s->tls][user]);
}

/* write_word - as it was said, but for what could be taken for structure. */
static void write_word(struct buffer *out, struct postern_span word, bool utf8)
{
    for (size_t i = 0; i < word.n && i < 255; i++) {
        unsigned char c = (unsigned char)word.p[i];

        buffer_append_char(
            out,
            c <= ' ' || c == 127 || strchr("()<>\"\\,;", c) || (c > 127 && !utf8) ? '?' : (char)c);
    }
}

static void write_client(struct postern_smtp *s, struct buffer *out)
{
    struct postern_span name = s->client_name.n ? s->client_name : s->o.peer_name;
    struct postern_span address = s->client_address.n ? s->client_address : s->o.peer_address;

    if (!address.n || (s->o.role == POSTERN_SMTP_SUBMISSION && s->o.hide_client))
        return;
    buffer_append_text(out, " (");
    write_word(out, name.n ? name : SPAN("unknown"), false);
    buffer_append_text(out, " [");
    if (span_find(address, ':') < address.n)
        buffer_append_text(out, "IPv6:");
    write_word(out, address, false);
    buffer_append_text(out, "])");
}

static void write_recipient(struct postern_smtp *s, struct buffer *out)
{
    struct postern_span text = buffer_span(&s->recipients);

    if (s->recipient_count != 1) /* O3: who else gets it is nobody's business */
        return;
    text.n--;
    buffer_append_text(out, "\r\n\tfor <");
    buffer_append(out, text);
    buffer_append_char(out, '>');
}

void received_write(struct postern_smtp *s, struct buffer *out)
{
    bool utf8 = s->utf8 && utf8_is_valid(s->helo);

    buffer_append_text(out, "Received: from ");
    write_word(
        out, s->o.role == POSTERN_SMTP_SUBMISSION && s->o.hide_client ? SPAN("localhost") : s->helo,
        utf8);
    write_client(s, out);
    buffer_append_text(out, "\r\n\tby ");
    buffer_append(out, s->o.hostname);
    buffer_append_text(out, " with ");
    buffer_append(out, postern_smtp_protocol(s));
    buffer_append_text(out, " id ");
    buffer_append_text(out, s->transaction);
    write_recipient(s, out);
    buffer_append_text(out, ";\r\n\t");
    date_write_header(out, s->o.seconds ? s->o.seconds() : 0);
    buffer_append_text(out, "\r\n");
}
