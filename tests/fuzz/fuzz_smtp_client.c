/* SPDX-License-Identifier: MIT */
/* fuzz_smtp_client - a server that says anything, to a client that says all it can. Nothing it
 * sends has a bare CR or LF, and no command but what was asked for. The first octet tells options,
 * the second how the input is cut. */
#include "base/span.h"
#include <postern/smtp_client.h>
#include <stdlib.h>

static void look(struct postern_smtp_client *c)
{
    struct postern_span out = postern_smtp_client_output(c);

    for (size_t i = 0; i < out.n; i++)
        if ((out.p[i] == '\n' && (i == 0 || out.p[i - 1] != '\r')) ||
            (out.p[i] == '\r' && i + 1 < out.n && out.p[i + 1] != '\n'))
            abort();
    if (out.n && out.p[out.n - 1] != '\n')
        abort();
    postern_smtp_client_sent(c, out.n);
}

/* go_on - the next command that may be said. */
static void go_on(struct postern_smtp_client *c, struct postern_span message)
{
    static const struct postern_span address = {"a@b.example", 11};

    if (postern_smtp_client_write(c, message) == 0) {
        if (postern_smtp_client_finish(c) < 0)
            abort();
        return;
    }
    if (message.n % 3 == 0)
        (void)!postern_smtp_client_mail(c, address, message.n, message.n & 1, message.n & 2);
    else if (message.n % 3 == 1)
        (void)!postern_smtp_client_rcpt(c, address);
    else
        (void)!postern_smtp_client_data(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct postern_smtp_client_options o;
    struct postern_smtp_client_event event;
    struct postern_smtp_client *c;
    struct postern_span in;

    if (size < 2)
        return 0;
    POSTERN_SMTP_CLIENT_OPTIONS_INIT(&o);
    o.tls = (enum postern_smtp_client_tls)(data[0] % 3);
    o.lmtp = data[0] & 4;
    o.tls_first = data[0] & 8;
    if (data[0] & 16) {
        o.user = SPAN("ann");
        o.secret = SPAN("secret");
    }
    if (postern_smtp_client_new(&c, &o) < 0)
        abort();
    in = span_make((const char *)data + 2, size - 2);
    while (in.n) {
        size_t step = 1 + data[1] % 50, n = in.n < step ? in.n : step;
        int taken = postern_smtp_client_feed(c, span_make(in.p, n));

        while (postern_smtp_client_next(c, &event))
            if (event.kind == POSTERN_SMTP_CLIENT_TLS && postern_smtp_client_tls_up(c) < 0)
                abort();
        look(c);
        if (taken <= 0)
            break;
        in = span_from(in, (size_t)taken);
        go_on(c, in);
        look(c);
    }
    postern_smtp_client_free(&c);
    return 0;
}

#include "replay.h"
