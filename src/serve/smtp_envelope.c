/* SPDX-License-Identifier: MIT */
/* smtp_envelope - senders and recipients: who may send as whom, whose mailbox an address is. */
#include "serve/smtp_session.h"

#include "base/memory.h"
#include "base/span.h"
#include "serve/clock.h"
#include "store/quota.h"
#include "store/space.h"

void smtp_drop(struct serve_smtp *s)
{
    for (size_t i = 0; i < s->target_count; i++) {
        smtp_target_close(s, s->targets[i]);
        memory_free(NULL, s->targets[i]);
    }
    memory_free(NULL, s->targets);
    s->targets = NULL;
    s->target_count = 0;
    buffer_done(&s->sender);
    buffer_done(&s->links);
    buffer_done(&s->recipients);
    buffer_done(&s->spool);
    buffer_done(&s->addresses);
    buffer_done(&s->others);
    spool_done(&s->whole);
    smtp_filters_end(s);
    s->verdict = (struct filter_verdict){0};
    address_targets_free(&s->found);
    relay_close(&s->relay);
    s->relays = false;
    s->elsewhere = 0;
    s->octets = 0;
    s->has_digest = false;
    s->answered = 0;
    s->streams = false;
    s->over_quota = false;
}

/* find - the address at hand, in s->found. */
static int find(struct serve_smtp *s)
{
    address_targets_free(&s->found);
    if (!s->site->recipients)
        return ADDRESS_FOREIGN;
    return recipients_find(s->site->recipients, s->question.path.local, s->question.path.domain,
                           &s->found);
}

/* ---- MAIL ------------------------------------------------------------------------------------ */

/* owns - is the sender's address the user's own? (L5) */
static bool owns(struct serve_smtp *s)
{
    bool found = false;

    if (s->role != POSTERN_SMTP_SUBMISSION || s->site->any_sender || !s->question.path.text.n)
        return true;
    if (find(s) == ADDRESS_FOUND)
        for (size_t i = 0; i < s->found.count; i++)
            found |= strcmp(s->found.all[i].user, login_user(&s->login)) == 0;
    return found;
}

static int mail_work(struct serve_smtp *s, unsigned wait_flag)
{
    int err = space_for(s->site->space, s->question.size_bytes, wait_flag);

    smtp_drop(s);
    if (err)
        return err;
    s->began = clock_now();
    buffer_append(&s->sender, s->question.path.text);
    s->size_bytes = s->question.size_bytes;
    s->is_8bit = s->question.body != POSTERN_SMTP_7BIT;
    s->utf8 = s->question.utf8;
    if (s->sender.error)
        return POSTERN_E_NOMEM;
    return owns(s) ? 0 : POSTERN_E_DENIED;
}

/* refuse - also said in the log, where somebody will look for the mail. */
static void refuse(struct serve_smtp *s, const char *whom, unsigned code, const char *enhanced,
                   const char *text)
{
    char address[260];

    login_name(address, sizeof address, s->question.path.text);
    login_log(&s->login, "refused", "why", text, whom, address);
    smtp_say(s, code, enhanced, text);
}

static void mail_finish(struct serve_smtp *s, int err)
{
    if (err == POSTERN_E_DENIED)
        refuse(s, "from", 553, "5.7.1", "this is not your address");
    else if (err == POSTERN_E_FULL) /* D6 D12 */
        refuse(s, "from", 452, "4.3.1", "the disk is nearly full");
    else if (err)
        refuse(s, "from", 451, "4.3.0", "temporarily unavailable");
    else if (smtp_filters_envelope(s))
        smtp_go(s, &smtp_filter_mail);
    else
        smtp_yes(s);
}

const struct smtp_work smtp_mail = {mail_work, mail_finish, true, false};

/* ---- RCPT ------------------------------------------------------------------------------------ */

/* fits - has the account room for it, by what its index knows? */
static int fits(struct serve_smtp *s, struct postern_account *account)
{
    struct postern_quota quota;
    int err = smtp_ops(s)->quota(account, &quota);

    if (err)
        return err == POSTERN_E_UNSUPPORTED ? 0 : err;
    /* one that does not tell its size has some */
    return quota_room(&quota, s->question.size_bytes ? s->question.size_bytes : 1, 1);
}

/* look_at_inbox - others may have removed mail there, which nobody has seen yet. */
static void look_at_inbox(struct serve_smtp *s, struct postern_account *account)
{
    const struct postern_store_ops *ops = smtp_ops(s);
    struct postern_mailbox *inbox = NULL;
    struct postern_status status;

    if (ops->open(account, SPAN("INBOX"), 0, &inbox) == 0)
        (void)ops->refresh(inbox, 0, &status);
    ops->close(&inbox);
}

/* has_room - F9: said before the message is sent. */
static int has_room(struct serve_smtp *s, const char *user, unsigned wait_flag)
{
    const struct postern_store_ops *ops = smtp_ops(s);
    struct postern_account *account = NULL;
    int err = ops->account_open(s->site->store, postern_span_of(user), wait_flag, &account);

    if (err)
        return err == POSTERN_E_NOT_FOUND ? 0 : err; /* it is made when there is mail */
    err = fits(s, account);
    if (err == POSTERN_E_FULL && wait_flag) {
        err = POSTERN_E_AGAIN;
    } else if (err == POSTERN_E_FULL) {
        look_at_inbox(s, account);
        err = fits(s, account);
    }
    ops->account_close(&account);
    return err;
}

static int rcpt_work(struct serve_smtp *s, unsigned wait_flag)
{
    int err, found = find(s);

    if (found != ADDRESS_FOUND)
        return found;
    for (size_t i = 0; i < s->found.count; i++) {
        err = has_room(s, s->found.all[i].user, wait_flag);
        if (err)
            return err;
    }
    return ADDRESS_FOUND;
}

/* number_of - (F8) of the target; made if it is not there. SIZE_MAX: out of memory. */
static size_t number_of(struct serve_smtp *s, const struct address_target *target,
                        const struct postern_smtp_path *path)
{
    struct smtp_target **more, *one;

    for (size_t i = 0; i < s->target_count; i++)
        if (!strcmp(s->targets[i]->user, target->user) &&
            !strcmp(s->targets[i]->detail, target->detail))
            return i;
    more = memory_resize(NULL, s->targets, (s->target_count + 1) * sizeof *more);
    if (!more)
        return SIZE_MAX;
    s->targets = more;
    one = memory_new(NULL, sizeof *one);
    if (!one)
        return SIZE_MAX;
    memcpy(one->user, target->user, sizeof one->user);
    memcpy(one->detail, target->detail, sizeof one->detail);
    /* one without a domain is an account, whose name may look like an address */
    login_name(one->address, sizeof one->address, path->domain.p ? path->text : path->local);
    more[s->target_count] = one;
    return s->target_count++;
}

int smtp_note_recipient(struct serve_smtp *s, const struct postern_smtp_path *path)
{
    struct smtp_recipient recipient = {.first = buffer_length(&s->links) / sizeof(size_t),
                                       .count = s->found.count};

    for (size_t i = 0; i < s->found.count; i++) {
        size_t number = number_of(s, &s->found.all[i], path);

        if (number == SIZE_MAX)
            return POSTERN_E_NOMEM;
        buffer_append(&s->links, span_make((const char *)&number, sizeof number));
    }
    buffer_append(&s->recipients, span_make((const char *)&recipient, sizeof recipient));
    if (s->site->filters) {
        buffer_append(&s->addresses, path->text);
        buffer_append_char(&s->addresses, '\n');
    }
    return s->links.error || s->recipients.error || s->addresses.error ? POSTERN_E_NOMEM : 0;
}

/* note_other - a recipient elsewhere, whose mail a sendmail takes. */
static int note_other(struct serve_smtp *s)
{
    buffer_append(&s->others, s->question.path.text);
    buffer_append_char(&s->others, '\n');
    s->elsewhere++;
    return s->others.error ? s->others.error : smtp_note_recipient(s, &s->question.path);
}

void smtp_accept_recipient(struct serve_smtp *s)
{
    bool elsewhere = !s->found.count; /* L7 */

    if (elsewhere && s->site->relay)
        smtp_go(s, &smtp_relay_rcpt);
    else if ((elsewhere ? note_other(s) : smtp_note_recipient(s, &s->question.path)) == 0)
        smtp_yes(s);
    else
        smtp_say(s, 451, "4.3.0", "temporarily unavailable");
}

static void refuse_recipient(struct serve_smtp *s, int found)
{
    static const struct {
        int found;
        unsigned code;
        const char *enhanced, *text;
    } replies[] = {{ADDRESS_FOREIGN, 550, "5.7.1", "relaying denied"},
                   {ADDRESS_UNKNOWN, 550, "5.1.1", "no such user here"},
                   {ADDRESS_DISABLED, 550, "5.2.1", "the mailbox is disabled"},
                   {ADDRESS_TANGLED, 451, "4.3.5", "the aliases name each other"},
                   {POSTERN_E_FULL, 452, "4.2.2", "the mailbox is full"}};

    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++)
        if (replies[i].found == found) {
            refuse(s, "to", replies[i].code, replies[i].enhanced, replies[i].text);
            return;
        }
    refuse(s, "to", 451, "4.3.0",
           "temporarily unavailable"); /* F3: never 550 for a fault of ours */
}

static void rcpt_finish(struct serve_smtp *s, int found)
{
    if (found != ADDRESS_FOUND && !(found == ADDRESS_FOREIGN && smtp_may_relay(s)))
        refuse_recipient(s, found);
    else if (smtp_filters_envelope(s))
        smtp_go(s, &smtp_filter_rcpt);
    else
        smtp_accept_recipient(s);
}

const struct smtp_work smtp_rcpt = {rcpt_work, rcpt_finish, true, false};

/* ---- VRFY ------------------------------------------------------------------------------------ */

static int verify_work(struct serve_smtp *s, unsigned wait_flag)
{
    (void)wait_flag;
    return find(s);
}

static void verify_finish(struct serve_smtp *s, int found)
{
    if (found == ADDRESS_FOUND)
        smtp_yes(s);
    else if (found == ADDRESS_FOREIGN && smtp_may_relay(s))
        smtp_say(s, 252, "2.5.0", "cannot be verified, but mail for it is taken");
    else
        refuse_recipient(s, found);
    address_targets_free(&s->found);
}

const struct smtp_work smtp_verify = {verify_work, verify_finish, true, false};
