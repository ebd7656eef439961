/* SPDX-License-Identifier: MIT */
/* cmd-capability - the greeting, CAPABILITY and STARTTLS (RFC 9051 6.1.1, 6.2.1). */
#include "proto/imap/commands.h"

/* I 6.1.1-1 */
void imap_cmd_capability(struct postern_imap *s)
{
    if (!imap_good(s))
        return;
    write_text(s, "* ");
    imap_write_capability(s);
    write_text(s, "\r\n");
    imap_ok(s, NULL, "done");
}

/* I 7.1.1-1 */
void imap_greet(struct postern_imap *s, const struct imap_answer *answer)
{
    if (answer->err) {
        write_text(s, "* BYE [UNAVAILABLE] not now\r\n");
        imap_over(s);
        return;
    }
    s->state = POSTERN_IMAP_NOT_AUTHENTICATED;
    write_text(s, "* OK [");
    imap_write_capability(s);
    write_text(s, "] ");
    write_span(s, s->o.greeting);
    write_text(s, "\r\n");
}

/* I 6.2.1-1 I 6.2.1-2 */
void imap_cmd_starttls(struct postern_imap *s)
{
    if (!imap_good(s))
        return;
    if (s->tls || !s->o.tls_available) {
        imap_bad(s, s->tls ? "TLS is up already" : "no TLS here");
        return;
    }
    imap_ok(s, NULL, "begin TLS now");
    s->want_tls = true;
}
