/* SPDX-License-Identifier: MIT */
/* cmd-quota - GETQUOTA, GETQUOTAROOT, SETQUOTA (RFC 9208). There is one root, "", of the whole
 * account; whether its user may change the limits is the application's to say. */
#include "proto/imap/commands.h"
#include "proto/imap/rights.h"

/* I 9208:4.2.1-1 */
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

/* told_root - whose limits count for the mailbox. Without any there is no root: an empty list of
 * limits is legal by RFC 9208's words, not by its grammar, and Thunderbird goes by that.
 * I 9208:4.1.2-1 I 9208:4.1.2-2 */
static bool told_root(struct postern_imap *s, const struct postern_quota *quota)
{
    bool limited = (quota->bytes_max || quota->messages_max || quota->mailboxes_max) &&
                   rights_is_personal(s, s->question.name); /* another's is not told */

    write_text(s, "* QUOTAROOT ");
    write_mailbox(s, s->question.name);
    write_text(s, limited ? " \"\"\r\n" : "\r\n");
    return limited;
}

static void known(struct postern_imap *s, const struct imap_answer *answer)
{
    const char *space = "";

    if (answer->err) {
        imap_refuse(s, answer->err);
        return;
    }
    if (s->question.name.p && !told_root(s, answer->quota)) {
        imap_ok(s, NULL, "done");
        return;
    }
    write_text(s, "* QUOTA \"\" (");
    if (imap_offers(s, "QUOTA=RES-STORAGE"))
        write_resource(s, &space, "STORAGE ", (answer->quota->bytes + 1023) / 1024,
                       answer->quota->bytes_max / 1024);
    if (imap_offers(s, "QUOTA=RES-MESSAGE"))
        write_resource(s, &space, "MESSAGE ", answer->quota->messages, answer->quota->messages_max);
    if (imap_offers(s, "QUOTA=RES-MAILBOX"))
        write_resource(s, &space, "MAILBOX ", answer->quota->mailboxes,
                       answer->quota->mailboxes_max);
    write_text(s, ")\r\n");
    imap_ok(s, NULL, "done");
}

/* I 9208:4.1.1-1 */
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
    imap_ask_if(s, POSTERN_IMAP_QUOTA, rights_read, known);
}

/* ---- SETQUOTA -------------------------------------------------------------------------------- */

#define KIB_MAX (INT64_MAX / 1024)

/* parse_limit - "STORAGE 512". 0 would be "nothing at all" (RFC 9208 3.1.2), which is rounded up to
 * one, as 4.1.3 allows: here 0 is no limit. false: there is no such resource. */
static bool parse_limit(struct postern_imap *s, struct postern_quota *limits)
{
    struct postern_span name = parse_atom(&s->in);
    uint64_t value;

    parse_space(&s->in);
    value = parse_number(&s->in, INT64_MAX);
    value = value ? value : 1;
    if (span_equal_nocase(name, SPAN("STORAGE")) && imap_offers(s, "QUOTA=RES-STORAGE"))
        limits->bytes_max = (value < KIB_MAX ? value : KIB_MAX) * 1024;
    else if (span_equal_nocase(name, SPAN("MESSAGE")) && imap_offers(s, "QUOTA=RES-MESSAGE"))
        limits->messages_max = value;
    else if (span_equal_nocase(name, SPAN("MAILBOX")) && imap_offers(s, "QUOTA=RES-MAILBOX"))
        limits->mailboxes_max = value;
    else
        return false;
    return true;
}

static void changed(struct postern_imap *s, const struct imap_answer *answer)
{
    if (answer->err == POSTERN_E_DENIED)
        imap_no(s, "NOPERM", "only the administrator changes a quota");
    else
        known(s, answer);
}

/* I 9208:4.1.3-1 I 9208:4.1.3-2 */
void imap_cmd_setquota(struct postern_imap *s)
{
    struct postern_quota limits = {0};
    struct postern_span root;
    bool all_known = true;

    parse_space(&s->in);
    root = parse_astring(s, &s->in);
    parse_space(&s->in);
    parse_char(&s->in, '(');
    if (!parse_try(&s->in, ')')) {
        do
            all_known &= parse_limit(s, &limits);
        while (!s->in.bad && parse_try(&s->in, ' '));
        parse_char(&s->in, ')');
    }
    if (!imap_good(s))
        return;
    if (root.n || !all_known) {
        imap_no(s, root.n ? "NONEXISTENT" : "CANNOT",
                root.n ? "there is no such quota root" : "there is no such resource");
        return;
    }
    s->question = (struct postern_imap_question){.limits = limits};
    imap_ask(s, POSTERN_IMAP_SET_QUOTA, changed);
}
