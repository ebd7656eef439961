/* SPDX-License-Identifier: MIT */
/* fuzz_imap_catenate - a URL of CATENATE: what is taken gives a message that is a piece of the one
 * that it names, and what is not taken changes nothing. */
#include "fuzz_imap.h"

#define URL_MOST 2000
#define MAIL                                                                                   \
    "Subject: outer\r\nContent-Type: multipart/mixed; boundary=q\r\n\r\n--q\r\n\r\nfirst part" \
    "\r\n--q\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninner text\r\n--q--" \
    "\r\n"

/* appended - the text of the newest message, of two. */
static struct postern_span appended(struct host_session *s)
{
    const char *open, *end;

    fuzz_say(s, SPAN("x FETCH 2 BODY.PEEK[]"), true);
    open = s->said_n ? memchr(s->said, '{', s->said_n) : NULL;
    end = open ? strstr(open, "}\r\n") : NULL;
    if (!open || !end)
        return (struct postern_span){0};
    return span_make(end + 3, strtoul(open + 1, NULL, 10));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct host_session s;
    struct host host;
    char line[URL_MOST + 100];
    int n;

    if (size > URL_MOST)
        return 0;
    host_open(&host);
    fuzz_deliver(&host, SPAN(MAIL));
    fuzz_select(&host, &s);
    n = snprintf(line, sizeof line, "x APPEND INBOX CATENATE (URL {%zu+}\r\n", size);
    memcpy(line + n, data, size);
    line[n + (int)size] = ')';
    fuzz_say(&s, span_make(line, (size_t)n + size + 1), true);
    if (fuzz_is_ok(&s)) {
        struct postern_span text = appended(&s), mail = SPAN(MAIL);

        if (text.n > 2 && memcmp(text.p + text.n - 2, "\r\n", 2) == 0)
            text.n -= 2; /* what has no line end at its end is given one */
        if (!text.n || !memmem(mail.p, mail.n, text.p, text.n))
            fuzz_fail(&s, "no piece of the message");
    } else {
        fuzz_say(&s, SPAN("x NOOP"), true);
        if (memmem(s.said, s.said_n, "EXISTS", 6))
            fuzz_fail(&s, "refused, and a message came");
    }
    fuzz_over(&host, &s);
    return 0;
}

#include "replay.h"
