/* SPDX-License-Identifier: MIT */
/* imap_login - who an IMAP session is: credentials, and the account that is opened then. */
#include "serve/imap_session.h"

#include "base/span.h"

enum { VALUE_BYTES = 4097 }; /* a line of the password file is no longer */

static void login_answer(void *session, enum postern_verdict verdict, struct postern_span user)
{
    struct serve_imap *s = session;

    if (s->question.kind == POSTERN_IMAP_AUTHENTICATE)
        postern_imap_answer_authenticate(s->engine, s->question.id, verdict, user);
    else
        postern_imap_answer_default(s->engine, s->question.id);
}

static void login_keys(void *session, enum postern_verdict verdict, const struct login_keys *found)
{
    struct serve_imap *s = session;

    postern_imap_answer_keys(s->engine, s->question.id, verdict, found ? &found->scram : NULL,
                             found ? found->user : (struct postern_span){NULL, 0});
}

void imap_login_init(struct serve_imap *s, struct postern_span peer, postern_time now)
{
    s->login = (struct login){.session = s, .answer = login_answer, .keys = login_keys};
    login_init(&s->login, s->site, s->conn, peer, now);
}

void imap_login_ask(struct serve_imap *s)
{
    s->is_other = s->question.authorize.n && !span_equal(s->question.authorize, s->question.user);
    s->login.question = (struct login_question){.method = s->question.method,
                                                .mechanism = s->question.mechanism,
                                                .user = s->question.user,
                                                .authorize = s->question.authorize,
                                                .secret = s->question.secret,
                                                .tls = s->question.tls};
    if (s->question.kind == POSTERN_IMAP_AUTHENTICATE)
        login_check(&s->login);
    else
        login_lookup(&s->login);
}

static int note_other(void *ctx, const struct postern_status *status)
{
    *(bool *)ctx |= status->exists && !span_equal(status->name, SPAN("INBOX"));
    return *(bool *)ctx;
}

/* make_special - for an account that has only INBOX. One that cannot be made is done without. */
static int make_special(struct serve_imap *s, unsigned wait_flag)
{
    const struct serve_site *site = s->site;
    struct postern_status status;
    bool has_other = false;

    if (!site->special_count || site->read_only ||
        imap_ops(s)->status(s->account, site->special[0].name, wait_flag, &status) == 0)
        return 0;
    if (wait_flag)
        return POSTERN_E_AGAIN;
    if (imap_ops(s)->list(s->account, note_other, &has_other) < 0 || has_other)
        return 0;
    for (size_t i = 0; i < site->special_count; i++) {
        const struct serve_special *one = &site->special[i];
        int err = imap_ops(s)->create(s->account, one->name, one->use);

        if (!err)
            err = imap_ops(s)->subscribe(s->account, one->name, true);
        if (err < 0)
            login_log_error(&s->login, "special_mailboxes", err);
    }
    return 0;
}

static int account_work(struct serve_imap *s, unsigned wait_flag)
{
    unsigned flags = wait_flag | (s->site->create_mailboxes ? POSTERN_STORE_CREATE : 0);
    int err = s->account
                  ? 0
                  : imap_ops(s)->account_open(s->site->store, s->question.name, flags, &s->account);

    return err ? err : make_special(s, wait_flag);
}

/* hide - what is not offered to this user. */
static int hide(struct serve_imap *s)
{
    char names[VALUE_BYTES];

    if (!accounts_value(s->site->accounts, s->question.name, "imap_without", names, sizeof names))
        return 0;
    return postern_imap_hide(s->engine, postern_span_of(names));
}

/* refer - the user's account is on another server, so his line says; false: it is here. */
static bool refer(struct serve_imap *s)
{
    char url[5 + VALUE_BYTES] = "imap:";

    if (!accounts_value(s->site->accounts, s->question.name, "imap_referral", url + 5,
                        sizeof url - 5))
        return false;
    login_log(&s->login, "referred", "to", url, NULL, NULL);
    if (postern_imap_answer_referral(s->engine, s->question.id, postern_span_of(url)) ==
        POSTERN_E_SYNTAX)
        postern_imap_answer(s->engine, s->question.id, POSTERN_E_NOT_FOUND);
    return true;
}

static void account_finish(struct serve_imap *s, int err)
{
    if (!err)
        err = hide(s);
    if (err < 0) {
        login_log_error(&s->login, "open", err);
        login_out(&s->login);
    } else {
        login_entered(&s->login);
    }
    postern_imap_answer(s->engine, s->question.id, err < 0 ? err : 0);
}

const struct imap_work imap_account_work = {
    .work = account_work, .finish = account_finish, .tries_now = true};

static void account_owned(void *arg)
{
    imap_go(arg);
}

void imap_account_ask(struct serve_imap *s)
{
    struct postern_span text;
    enum postern_verdict verdict;

    if (refer(s))
        return;
    verdict = login_accept(&s->login, s->question.name, &text);
    if (verdict != POSTERN_YES)
        postern_imap_answer(s->engine, s->question.id, POSTERN_E_IN_USE);
    else if (s->site->work->own(s->conn, s->question.name, account_owned, s) < 0)
        account_finish(s, POSTERN_E_NOMEM);
}
