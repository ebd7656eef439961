/* SPDX-License-Identifier: MIT */
/* fuzz_imap.h - what the fuzz targets of IMAP share: a session that is logged in and has INBOX
 * selected, and what it says to one command. A finding prints the talk and aborts. */
#ifndef FUZZ_IMAP_H
#define FUZZ_IMAP_H

#include "imap_grammar.h"
#include "imap_host.h"

/* fuzz_fail - prints what was said last. */
static inline void fuzz_fail(const struct host_session *s, const char *why)
{
    fprintf(stderr, "%s\n%.*s\n", why, (int)s->said_n, s->said ? s->said : "");
    abort();
}

/* fuzz_say - a command without its line end; only what it says is kept, and it is well-formed. */
static inline void fuzz_say(struct host_session *s, struct postern_span command, bool utf8)
{
    const char *why;

    s->said_n = 0;
    host_say(s, command, SIZE_MAX);
    host_say(s, SPAN("\r\n"), SIZE_MAX);
    why = grammar_check(s->said, s->said_n, utf8);
    if (why)
        fuzz_fail(s, why);
}

/* fuzz_is_ok - did the command with the tag "x" end well? */
static inline bool fuzz_is_ok(const struct host_session *s)
{
    return s->said_n > 5 &&
           (memcmp(s->said, "x OK ", 5) == 0 || memmem(s->said, s->said_n, "\r\nx OK ", 7));
}

/* fuzz_deliver - into ann's INBOX. */
static inline void fuzz_deliver(struct host *host, struct postern_span mail)
{
    struct postern_mailbox *box = NULL;

    if (postern_store_inbox(&host->store, SPAN("ann"), POSTERN_STORE_CREATE, &box) < 0 ||
        postern_store_deliver(&host->store, box, mail, NULL) < 0)
        abort();
    host->store.ops->close(&box);
}

/* fuzz_select - logs in and selects INBOX. */
static inline void fuzz_select(struct host *host, struct host_session *s)
{
    host_connect(host, s, true);
    host_say(s, SPAN("l LOGIN ann secret\r\nl SELECT INBOX\r\n"), SIZE_MAX);
    s->said_n = 0;
}

static inline void fuzz_over(struct host *host, struct host_session *s)
{
    host_hang_up(s);
    host_close(host);
}

#endif
