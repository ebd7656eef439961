/* SPDX-License-Identifier: MIT */
/* fuzz_imap_body - any octets as a message: its ENVELOPE, BODY and BODYSTRUCTURE are what the
 * grammar says to the letter, and what else FETCH tells of it is well-formed. The first octet tells
 * whether the client has enabled UTF-8; to one that has not, no octet is above 127. */
#include "fuzz_imap.h"
#include "imap_grammar_body.h"

static void find(struct grammar *g, const char *what)
{
    const char *at = memmem(g->p, (size_t)(g->end - g->p), what, strlen(what));

    if (!at)
        grammar_bad(g, what);
    else
        g->p = at + strlen(what);
}

static void check(const struct host_session *s, bool utf8)
{
    struct grammar g = {s->said, s->said + s->said_n, utf8, NULL};
    bool good;

    for (size_t i = 0; i < s->said_n && !utf8; i++)
        if ((unsigned char)s->said[i] > 127)
            fuzz_fail(s, "raw 8-bit");
    find(&g, "ENVELOPE ");
    good = !g.why && grammar_envelope(&g);
    if (good)
        find(&g, " BODYSTRUCTURE ");
    good = good && !g.why && grammar_body(&g, true);
    if (good)
        find(&g, " BODY ");
    if (!(good && !g.why && grammar_body(&g, false)))
        fuzz_fail(s, g.why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct host host;
    struct host_session s;
    bool utf8;

    if (size < 2)
        return 0;
    utf8 = data[0] & 1;
    host_open(&host);
    fuzz_deliver(&host, span_make((const char *)data + 1, size - 1));
    fuzz_select(&host, &s);
    if (utf8)
        fuzz_say(&s, SPAN("x ENABLE UTF8=ACCEPT"), true);
    fuzz_say(&s, SPAN("x FETCH 1 (ENVELOPE BODYSTRUCTURE BODY)"), utf8);
    check(&s, utf8);
    fuzz_say(&s,
             SPAN("x FETCH 1 (BODY[HEADER.FIELDS (SUBJECT X)] BODY[1.MIME] BODY[2.1.TEXT] "
                  "BODY[1]<1.7> BINARY.SIZE[1] RFC822.SIZE PREVIEW)"),
             utf8);
    fuzz_say(&s, SPAN("x FETCH 1 BINARY[1]"), true);
    fuzz_say(&s, SPAN("x FETCH 1 BODY[]"), true);
    if (!fuzz_is_ok(&s) || s.said_n < size)
        fuzz_fail(&s, "the message itself is not there");
    fuzz_over(&host, &s);
    return 0;
}

#include "replay.h"
