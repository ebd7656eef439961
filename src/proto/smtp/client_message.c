/* SPDX-License-Identifier: MIT */
/* client_message - a message, command by command, as the program says them. */
#include "proto/smtp/client.h"

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
    return client_say(c, utf8 ? " SMTPUTF8" : "", SPAN(""), WAITS);
}

int postern_smtp_client_rcpt(struct postern_smtp_client *c, struct postern_span recipient)
{
    int err = say_address(c, "RCPT TO:<", recipient);

    c->is_rcpt = !err;
    return err ? err : client_say(c, "", SPAN(""), WAITS);
}

int postern_smtp_client_data(struct postern_smtp_client *c)
{
    if (c->step != IDLE || c->event_due)
        return POSTERN_E_USAGE;
    c->inside = c->after_cr = false;
    c->is_data = true;
    return client_say(c, "DATA", SPAN(""), WAITS);
}

/* put - one octet of the message, made canonical (H4). */
static void put(struct postern_smtp_client *c, char octet)
{
    if (c->after_cr && octet != '\n') {
        buffer_append_char(&c->out, '\n');
        c->inside = false;
    }
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
    return client_say(c, ".", SPAN(""), WAITS);
}

void postern_smtp_client_quit(struct postern_smtp_client *c)
{
    if (c->step == IDLE)
        (void)client_say(c, "QUIT", SPAN(""), OVER);
}
