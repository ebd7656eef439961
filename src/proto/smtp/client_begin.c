/* SPDX-License-Identifier: MIT */
/* client_begin - what comes before a message: EHLO and what the server offers, STARTTLS, AUTH. */
#include "codec/base64.h"
#include "proto/smtp/client.h"

void client_hello(struct postern_smtp_client *c)
{
    c->keywords_n = 0;
    (void)client_say(c, c->o.lmtp ? "LHLO " : "EHLO ", c->o.hostname, HELLO);
}

void client_note_keyword(struct postern_smtp_client *c, struct postern_span text)
{
    if (c->keywords_n + text.n + 1 > sizeof c->keywords)
        return;
    memcpy(c->keywords + c->keywords_n, text.p, text.n);
    c->keywords_n += text.n;
    c->keywords[c->keywords_n++] = '\n';
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

void client_say_coded(struct postern_smtp_client *c, const char *verb, struct postern_span text,
                      enum client_step step)
{
    buffer_append_text(&c->out, verb);
    base64_encode(text, &c->out);
    (void)client_say(c, "", SPAN(""), step);
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
    client_say_coded(c, "AUTH PLAIN ", buffer_span(&text), AUTH);
    buffer_done(&text);
}

void client_begin(struct postern_smtp_client *c)
{
    bool offered = postern_smtp_client_offers(c, "STARTTLS");

    if (!c->tls && offered && c->o.tls != POSTERN_SMTP_CLIENT_TLS_NEVER)
        (void)client_say(c, "STARTTLS", SPAN(""), STARTTLS);
    else if (!c->tls && c->o.tls == POSTERN_SMTP_CLIENT_TLS_REQUIRED)
        client_fail_with(c, "the server does not offer TLS");
    else if (!c->o.user.p)
        client_tell(c, POSTERN_SMTP_CLIENT_READY, IDLE);
    else if (!c->tls && c->o.tls != POSTERN_SMTP_CLIENT_TLS_NEVER)
        client_fail_with(c, "no password is sent without TLS");
    else if (has_mechanism(c, SPAN("PLAIN")))
        say_plain(c);
    else if (has_mechanism(c, SPAN("LOGIN")))
        (void)client_say(c, "AUTH LOGIN", SPAN(""), AUTH_NAME);
    else
        client_fail_with(c, "the server offers no AUTH that we know");
}

int postern_smtp_client_tls_up(struct postern_smtp_client *c)
{
    if (c->step != HANDSHAKE)
        return POSTERN_E_USAGE;
    c->tls = true;
    client_hello(c);
    return c->out.error;
}
