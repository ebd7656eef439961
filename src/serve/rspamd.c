/* SPDX-License-Identifier: MIT */
/* rspamd - the request: the message as it is, and what is known of it in headers; the reply is read
 * in rspamd_verdict.c. */
#include "serve/rspamd.h"

#include "base/memory.h"
#include "base/span.h"
#include "proto/http/reply.h"

#define CHUNK 65536
#define REPLY_OCTETS (1u << 20)

/* ---- the request ----------------------------------------------------------------------------- */

/* say - a field of the request, if it has a value; no octet that a peer sent can end it. */
static void say(struct buffer *out, const char *name, struct postern_span value)
{
    if (!value.n)
        return;
    buffer_append_text(out, name);
    buffer_append_text(out, ": ");
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];

        buffer_append_char(out, c < ' ' || c == 127 ? '?' : (char)c);
    }
    buffer_append_text(out, "\r\n");
}

static void say_request(struct buffer *out, const char *host, const struct filter_question *q)
{
    struct postern_span rest = q->recipients;

    buffer_append_text(out, "POST /checkv2 HTTP/1.1\r\n");
    say(out, "Host", postern_span_of(host));
    buffer_append_text(out,
                       "Connection: close\r\nContent-Type: message/rfc822\r\nContent-Length: ");
    buffer_append_number(out, q->message->octets);
    buffer_append_text(out, "\r\n");
    say(out, "Ip", q->peer);
    say(out, "Helo", q->helo);
    say(out, "Hostname", q->name.n ? q->name : q->peer.n ? SPAN("unknown") : SPAN(""));
    say(out, "From", q->sender.n ? q->sender : SPAN("<>"));
    while (rest.n)
        say(out, "Rcpt", span_cut(&rest, '\n'));
    say(out, "Deliver-To", q->delivered);
    say(out, "User", q->user);
    say(out, "Queue-Id", q->transaction);
    say(out, "MTA-Name", q->hostname);
    say(out, "TLS-Version", q->tls);
    buffer_append_text(out, "\r\n");
}

static int send_message(const struct filter_link *link, void *at, const struct spool *message,
                        char *chunk)
{
    uint64_t offset = 0;
    int n, err = 0;

    while (!err && (n = spool_read(message, offset, chunk, CHUNK)) != 0) {
        err = n < 0 ? n : link->write(at, span_make(chunk, (size_t)n));
        offset += n > 0 ? (uint64_t)n : 0;
    }
    return err;
}

/* ---- the exchange ---------------------------------------------------------------------------- */

static int hear(const struct filter_link *link, void *at, struct http_reply *reply, char *chunk)
{
    int r = 0;

    while (r == 0) {
        int n = link->read(at, chunk, CHUNK);

        if (n < 0)
            return n;
        r = n ? http_reply_feed(reply, span_make(chunk, (size_t)n)) : http_reply_eof(reply);
    }
    return r < 0 ? r : reply->status == 200 ? 0 : POSTERN_E_DENIED;
}

/* exchange - one that refuses early may not have taken all of it: what it says counts. */
static int exchange(const struct rspamd *rspamd, const struct filter_question *question,
                    struct http_reply *reply)
{
    const struct filter_link *link = rspamd->link;
    struct buffer request = {0};
    char *chunk = memory_new(NULL, CHUNK);
    void *at = NULL;
    int err = chunk ? link->open(link->ctx, &at) : POSTERN_E_NOMEM;

    say_request(&request, rspamd->host, question);
    if (!err)
        err = request.error ? request.error : link->write(at, buffer_span(&request));
    if (!err)
        err = send_message(link, at, question->message, chunk);
    if (!err || (err == POSTERN_E_IO && at))
        err = hear(link, at, reply, chunk);
    if (at)
        link->close(at);
    buffer_done(&request);
    memory_free(NULL, chunk);
    return err;
}

static int judge(const struct serve_filter *filter, void **talk,
                 const struct filter_question *question, struct filter_verdict *verdict_r)
{
    struct http_reply reply;
    int err;

    (void)talk;
    http_reply_init(&reply, NULL, REPLY_OCTETS);
    err = exchange(filter->ctx, question, &reply);
    if (!err)
        err = rspamd_verdict(buffer_span(&reply.body), verdict_r);
    http_reply_done(&reply);
    return err;
}

const struct filter_ops rspamd_ops = {.judge = judge};
