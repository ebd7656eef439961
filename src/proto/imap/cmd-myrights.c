/* SPDX-License-Identifier: MIT */
/* cmd-myrights - MYRIGHTS (RFC 4314 3.5): any right but those that only a selected mailbox asks for
 * lets its user see it. */
#include "proto/imap/commands.h"
#include "proto/imap/rights.h"

static void told(struct postern_imap *s, const struct imap_answer *answer)
{
    if (answer->err) {
        imap_refuse(s, answer->err);
    } else {
        rights_write_mine(s, s->question.name, s->question.rights);
        imap_ok(s, NULL, "done");
    }
}

/* I 4314:3.5-1 I 4314:4-10 */
void imap_cmd_myrights(struct postern_imap *s)
{
    struct postern_imap_question question = {0};

    parse_space(&s->in);
    question.name = parse_mailbox(s, &s->in);
    s->question = question;
    if (imap_good(s))
        imap_ask_if(s, POSTERN_IMAP_STATUS, rights_any, told); /* it is there */
}
