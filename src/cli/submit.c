/* SPDX-License-Identifier: MIT */
/* submit - the talk with the server, step by step; what it answers becomes an exit code. */
#include "cli/submit.h"

#include "base/memory.h"
#include "base/span.h"
#include "daemon/smarthost.h"
#include "serve/relay.h"
#include <sysexits.h>

#define PIECE_BYTES 65536

struct conversation {
    const struct submission *what;
    struct smarthost *smarthost;
    struct relay *relay;
};

static int complain(int code, const char *what, const char *why)
{
    fprintf(stderr, "sendmail: %s: %s\n", what, why);
    return code;
}

/* code_of - a reply, as callers of sendmail know it. */
static int code_of(const struct postern_smtp_reply *reply)
{
    static const struct {
        const char *begin;
        int code;
    } codes[] = {{"5.1.2", EX_NOHOST},  {"5.1.", EX_NOUSER}, {"5.2.1", EX_NOUSER},
                 {"5.6.", EX_DATAERR},  {"5.7.", EX_NOPERM}, {"5.5.", EX_PROTOCOL},
                 {"5.3.4", EX_DATAERR}, {"", EX_UNAVAILABLE}};
    const char *enhanced = reply->enhanced ? reply->enhanced : "";
    size_t i = 0;

    if (reply->code / 100 == 2)
        return 0;
    if (reply->code / 100 != 5)
        return EX_TEMPFAIL;
    while (strncmp(enhanced, codes[i].begin, strlen(codes[i].begin)) != 0)
        i++;
    return codes[i].code;
}

/* answered - 0: the server said yes; wanted: with this class. */
static int answered(struct conversation *c, struct postern_span what, unsigned wanted)
{
    const struct postern_smtp_reply *reply = relay_reply(c->relay);

    if (reply->code / 100 == wanted)
        return 0;
    fprintf(stderr, "sendmail: %.*s: %u %s%s%.*s\n", SPAN_ARG(what), reply->code,
            reply->enhanced ? reply->enhanced : "", reply->enhanced ? " " : "",
            SPAN_ARG(reply->text));
    return code_of(reply) ? code_of(reply) : EX_PROTOCOL;
}

static bool is_utf8(struct postern_span octets)
{
    for (size_t i = 0; i < octets.n; i++)
        if ((unsigned char)octets.p[i] > 127)
            return true;
    return false;
}

/* say_envelope - whoever is refused, it is sent to nobody: the caller can say it again. */
static int say_envelope(struct conversation *c)
{
    struct postern_span rest = c->what->recipients;
    uint64_t size = buffer_length(&c->what->letter->header) + c->what->letter->body.octets;
    bool utf8 = is_utf8(c->what->sender) || is_utf8(c->what->recipients);
    int code;

    (void)!relay_mail(c->relay, c->what->sender, size, c->what->letter->is_8bit, utf8);
    code = answered(c, SPAN("the sender"), 2);
    while (!code && rest.n) {
        struct postern_span recipient = span_cut(&rest, '\n');

        (void)!relay_rcpt(c->relay, recipient);
        code = answered(c, recipient, 2);
    }
    if (!code)
        (void)!relay_data(c->relay);
    return code ? code : answered(c, SPAN("the message"), 3);
}

static int say_body(struct conversation *c)
{
    char *piece = memory_new(NULL, PIECE_BYTES);
    uint64_t at = 0;
    int n = piece ? 0 : POSTERN_E_NOMEM, err = 0;

    while (piece && !err && (n = spool_read(&c->what->letter->body, at, piece, PIECE_BYTES)) > 0) {
        err = relay_write(c->relay, span_make(piece, (size_t)n));
        at += (uint64_t)n;
    }
    memory_free(NULL, piece);
    return err ? err : n;
}

/* answers_of_each - LMTP: the first has been heard. */
static int answers_of_each(struct conversation *c)
{
    struct postern_span rest = c->what->recipients;
    int code = answered(c, span_cut(&rest, '\n'), 2);

    while (rest.n) {
        int one;

        (void)!relay_finish_next(c->relay);
        one = answered(c, span_cut(&rest, '\n'), 2);
        code = code ? code : one;
    }
    return code;
}

/* say_message - one that cannot be read to its end is not ended: the server drops it. */
static int say_message(struct conversation *c)
{
    int err = relay_write(c->relay, buffer_span(&c->what->letter->header));

    if (!err)
        err = relay_write(c->relay, SPAN("\n"));
    if (!err)
        err = say_body(c);
    if (err)
        return complain(EX_TEMPFAIL, "the message", postern_err_text(err));
    (void)!relay_finish(c->relay);
    return smarthost_relay(c->smarthost)->client.lmtp ? answers_of_each(c)
                                                      : answered(c, SPAN("the message"), 2);
}

static int converse(struct conversation *c, const struct config *config)
{
    struct smarthost_place place = {.address = config->submit,
                                    .tls = config->submit_tls,
                                    .ca = config->submit_ca,
                                    .login = config->submit_login,
                                    .host = c->what->host};
    int code;

    if (smarthost_open(&c->smarthost, &place) < 0)
        return complain(EX_CONFIG, config->submit, smarthost_error());
    if (relay_open(&c->relay, smarthost_relay(c->smarthost)) < 0)
        return c->relay ? answered(c, postern_span_of(config->submit), 2) : EX_TEMPFAIL;
    code = say_envelope(c);
    return code ? code : say_message(c);
}

int submit(const struct config *config, const struct submission *what)
{
    struct conversation c = {.what = what};
    int code = converse(&c, config);

    relay_close(&c.relay);
    smarthost_close(&c.smarthost);
    return code;
}
