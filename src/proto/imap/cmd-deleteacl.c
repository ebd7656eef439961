/* SPDX-License-Identifier: MIT */
/* cmd-deleteacl - DELETEACL (RFC 4314 3.2): an identifier has no rights any more. */
#include "proto/imap/commands.h"
#include "proto/imap/rights.h"

static void done(struct postern_imap *s, const struct imap_answer *answer)
{
    if (answer->err)
        imap_refuse(s, answer->err);
    else
        imap_ok(s, NULL, "done");
}

/* I 4314:3.2-1 */
void imap_cmd_deleteacl(struct postern_imap *s)
{
    struct postern_imap_question question = {.how = POSTERN_FLAGS_SET};

    parse_space(&s->in);
    question.name = parse_mailbox(s, &s->in);
    question.to = rights_parse_identifier(s, NULL);
    s->question = question;
    if (imap_good(s))
        imap_ask_if(s, POSTERN_IMAP_SET_ACL, rights_admin, done);
}
