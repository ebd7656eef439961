/* SPDX-License-Identifier: MIT */
/* cmd-listrights - LISTRIGHTS (RFC 4314 3.4): what an identifier always has, and what it can be
 * given. No two rights are tied; c and d of RFC 2086 stand for themselves (2.1.1). */
#include "proto/imap/commands.h"
#include "proto/imap/rights.h"

/* I 4314:3.4-1 */
static void told(struct postern_imap *s, const struct imap_answer *answer)
{
    struct postern_span identifier = s->question.to;
    uint32_t always = 0;

    if (answer->err) {
        imap_refuse(s, answer->err);
        return;
    }
    for (size_t i = 0; i < answer->count; i++)
        if (answer->acl[i].fixed && span_equal(answer->acl[i].identifier, identifier))
            always = answer->acl[i].rights;
    write_text(s, "* LISTRIGHTS ");
    write_mailbox(s, s->question.name);
    write_text(s, " ");
    write_string(s, s->question.user); /* as the client called it */
    write_text(s, " ");
    rights_write_string(s, always);
    if (!always)
        write_text(s, " l r s w i p k x t e c d a");
    write_text(s, "\r\n");
    imap_ok(s, NULL, "done");
}

void imap_cmd_listrights(struct postern_imap *s)
{
    struct postern_imap_question question = {0};

    parse_space(&s->in);
    question.name = parse_mailbox(s, &s->in);
    question.to = rights_parse_identifier(s, &question.user);
    s->question = question;
    if (imap_good(s))
        imap_ask_if(s, POSTERN_IMAP_ACL, rights_admin, told);
}
