/* SPDX-License-Identifier: MIT */
/* fuzz_imap - two sessions of one account over the memory store. The first octets tell how the
 * input is cut, whether they are logged in already, whether messages are limited and whether
 * mailboxes are shared; a line that
 * begins with "2 " is the other session's. Whatever comes, every line of the server ends with CRLF,
 * and memory is bounded. */
#include "imap_host.h"

#define MAIL                                                                                   \
    "From: Ann <a@b>\r\nSubject: =?utf-8?q?x=c3=bc?=\r\nContent-Type: multipart/mixed; "       \
    "boundary=q\r\n\r\n--q\r\n\r\none\r\n--q\r\nContent-Type: message/rfc822\r\n\r\nSubject: " \
    "in\r\n\r\ninner\r\n--q--\r\n"

static void prepare(struct host *host, struct host_session *s)
{
    struct postern_mailbox *box = NULL;

    if (postern_store_inbox(&host->store, SPAN("ann"), POSTERN_STORE_CREATE, &box) < 0)
        abort();
    for (unsigned i = 0; i < 3; i++)
        if (postern_store_deliver(&host->store, box, SPAN(MAIL), NULL) < 0)
            abort();
    host->store.ops->close(&box);
    host_connect(host, &s[0], true);
    host_connect(host, &s[1], true);
}

static void log_in(struct host_session *s)
{
    host_say(s, SPAN("x login ann secret\r\ny enable qresync\r\nz select inbox\r\n"), SIZE_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct host host;
    struct host_session s[2];
    struct postern_span in;
    size_t step;

    if (size < 2)
        return 0;
    host_open(&host);
    host.imap.hidden = SPAN("COMPRESS=DEFLATE"); /* fuzz_compress has that */
    host.imap.message_limit = data[0] & 0x20 ? 2 : 0;
    if (data[0] & 0x10)
        host_share(&host);
    prepare(&host, s);
    step = data[0] & 0x40 ? SIZE_MAX : 1 + (size_t)data[0] % 17;
    if (data[0] & 0x80) {
        log_in(&s[0]);
        log_in(&s[1]);
    }
    in = span_make((const char *)data + 1, size - 1);
    while (in.n) {
        bool other = span_begins(in, SPAN("2 "));
        size_t n = span_find(in, '\n') + 1;
        struct postern_span line = span_make(in.p, n < in.n ? n : in.n);

        in = span_from(in, line.n);
        host_say(&s[other], span_from(line, other ? 2 : 0), step);
        host_news(&s[!other], step);
    }
    for (unsigned i = 0; i < 2; i++) {
        if (s[i].said_n < 2 || memcmp(s[i].said + s[i].said_n - 2, "\r\n", 2) != 0)
            abort();
        host_hang_up(&s[i]);
    }
    host_close(&host);
    return 0;
}

#include "replay.h"
