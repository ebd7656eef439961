/* SPDX-License-Identifier: MIT */
/* cmd-setacl - SETACL (RFC 4314 3.1): the rights of one identifier are set, or with "+" and "-"
 * added and removed. A right that is not known is BAD, never passed over. */
#include "codec/rights.h"
#include "proto/imap/commands.h"
#include "proto/imap/rights.h"

static void done(struct postern_imap *s, const struct imap_answer *answer)
{
    if (answer->err)
        imap_refuse(s, answer->err);
    else
        imap_ok(s, NULL, "done");
}

/* I 4314:2.1.1-1 I 4314:3.1-1 I 4314:3.1-2 */
static void parse_change(struct postern_imap *s, struct postern_imap_question *question)
{
    struct postern_span text;
    char sign;

    parse_space(&s->in);
    text = parse_astring(s, &s->in);
    sign = text.n ? text.p[0] : '\0';
    question->how = sign == '+'   ? POSTERN_FLAGS_ADD
                    : sign == '-' ? POSTERN_FLAGS_REMOVE
                                  : POSTERN_FLAGS_SET;
    if (question->how != POSTERN_FLAGS_SET)
        text = span_from(text, 1);
    if (!s->in.bad && rights_parse(text, &question->rights) < 0) {
        s->in.bad = true;
        s->in.why = "there is no such right";
    }
}

/* I 4314:4-9 */
void imap_cmd_setacl(struct postern_imap *s)
{
    struct postern_imap_question question = {0};

    parse_space(&s->in);
    question.name = parse_mailbox(s, &s->in);
    question.to = rights_parse_identifier(s, NULL);
    parse_change(s, &question);
    s->question = question;
    if (imap_good(s))
        imap_ask_if(s, POSTERN_IMAP_SET_ACL, rights_admin, done);
}
