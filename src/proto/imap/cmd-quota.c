/* SPDX-License-Identifier: MIT */
/* cmd-quota - GETQUOTA, GETQUOTAROOT, SETQUOTA (RFC 9208). There is one root, "", of the whole
 * account; who may have how much is the administrator's business. */
#include "proto/imap/session.h"

static void write_resource(struct postern_imap *s, const char **space, const char *name,
                           uint64_t used, uint64_t limit)
{
    if (!limit)
        return;
    write_text(s, *space);
    write_text(s, name);
    write_number(s, used);
    write_text(s, " ");
    write_number(s, limit);
    *space = " ";
}

static void known(struct postern_imap *s, const struct imap_answer *answer)
{
    const char *space = "";

    if (answer->err) {
        imap_refuse(s, answer->err);
        return;
    }
    if (s->question.name.p) {
        write_text(s, "* QUOTAROOT ");
        write_mailbox(s, s->question.name);
        write_text(s, " \"\"\r\n");
    }
    write_text(s, "* QUOTA \"\" (");
    if (imap_offers(s, "QUOTA=RES-STORAGE"))
        write_resource(s, &space, "STORAGE ", (answer->quota->bytes + 1023) / 1024,
                       answer->quota->bytes_max / 1024);
    if (imap_offers(s, "QUOTA=RES-MESSAGE"))
        write_resource(s, &space, "MESSAGE ", answer->quota->messages, answer->quota->messages_max);
    write_text(s, ")\r\n");
    imap_ok(s, NULL, "done");
}

void imap_cmd_getquota(struct postern_imap *s)
{
    struct postern_span root;

    parse_space(&s->in);
    root = parse_astring(s, &s->in);
    if (!imap_good(s))
        return;
    if (root.n) {
        imap_no(s, "NONEXISTENT", "there is no such quota root");
        return;
    }
    s->question = (struct postern_imap_question){0};
    imap_ask(s, POSTERN_IMAP_QUOTA, known);
}

void imap_cmd_getquotaroot(struct postern_imap *s)
{
    struct postern_imap_question question = {0};

    parse_space(&s->in);
    question.name = parse_mailbox(s, &s->in);
    if (!imap_good(s))
        return;
    s->question = question;
    imap_ask(s, POSTERN_IMAP_QUOTA, known);
}

void imap_cmd_setquota(struct postern_imap *s)
{
    parse_space(&s->in);
    (void)parse_astring(s, &s->in);
    parse_space(&s->in);
    parse_char(&s->in, '(');
    while (!s->in.bad && !parse_try(&s->in, ')')) {
        (void)parse_atom(&s->in);
        parse_space(&s->in);
        (void)parse_number(&s->in, INT64_MAX);
        if (s->in.rest.n && s->in.rest.p[0] != ')')
            parse_space(&s->in);
    }
    if (imap_good(s))
        imap_no(s, "NOPERM", "only the administrator changes a quota");
}
