/* SPDX-License-Identifier: MIT */
/* cmd-getacl - GETACL (RFC 4314 3.3): who may do what with a mailbox. */
#include "proto/imap/commands.h"
#include "proto/imap/rights.h"

/* I 4314:3.3-1 */
static void told(struct postern_imap *s, const struct imap_answer *answer)
{
    if (answer->err) {
        imap_refuse(s, answer->err);
        return;
    }
    write_text(s, "* ACL ");
    write_mailbox(s, s->question.name);
    for (size_t i = 0; i < answer->count; i++) {
        write_text(s, " ");
        write_string(s, answer->acl[i].identifier);
        write_text(s, " ");
        rights_write_string(s, answer->acl[i].rights);
    }
    write_text(s, "\r\n");
    imap_ok(s, NULL, "done");
}

void imap_cmd_getacl(struct postern_imap *s)
{
    struct postern_imap_question question = {0};

    parse_space(&s->in);
    question.name = parse_mailbox(s, &s->in);
    s->question = question;
    if (imap_good(s))
        imap_ask_if(s, POSTERN_IMAP_ACL, rights_admin, told);
}
