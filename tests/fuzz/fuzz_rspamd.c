/* SPDX-License-Identifier: MIT */
/* fuzz_rspamd - an HTTP reply with anything in it, cut anywhere, and what is done to a message for
 * it: the header stays one, whatever it says. The first octet tells how the input is cut. */
#include "base/span.h"
#include "proto/http/reply.h"
#include "serve/fields.h"
#include "serve/rspamd.h"
#include <stdlib.h>

#define BODY "\r\nbody: of it\r\n"

/* look - the body is where it was, and nothing before it ends the header. */
static void look(const struct spool *message)
{
    struct fields fields;
    char end[sizeof BODY] = "";
    int n;

    if (fields_read(&fields, message) < 0 || fields.octets + sizeof BODY - 1 != message->octets)
        abort();
    n = spool_read(message, fields.octets, end, sizeof end);
    if (n != sizeof BODY - 1 || memcmp(end, BODY, sizeof BODY - 1) != 0)
        abort();
    fields_done(&fields);
}

static void judge(struct postern_span json)
{
    struct filter_verdict verdict = {0};
    struct spool message = {.folder = "/tmp"};

    if (spool_write(&message, SPAN("Received: x\r\nSubject: y\r\n" BODY)) < 0)
        abort();
    if (rspamd_verdict(json, &verdict) == 0 && edits_apply(&verdict.edits, &message) == 0)
        look(&message);
    spool_done(&message);
    edits_done(&verdict.edits);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_reply reply;
    struct postern_span in = span_make((const char *)data, size);
    size_t step;
    int r = 0;

    if (!size)
        return 0;
    step = 1 + data[0] % 50;
    in = span_from(in, 1);
    judge(in);
    http_reply_init(&reply, NULL, 65536);
    for (; r == 0 && in.n; in = span_from(in, step))
        r = http_reply_feed(&reply, span_make(in.p, in.n < step ? in.n : step));
    if (r == 0)
        r = http_reply_eof(&reply);
    if (r == 1)
        judge(buffer_span(&reply.body));
    http_reply_done(&reply);
    return 0;
}

#include "replay.h"
