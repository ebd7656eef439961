/* SPDX-License-Identifier: MIT */
/* smtp_relay - recipients of a user's message who are elsewhere: another server is asked while the
 * user waits, and its answers are handed back (L7). Nothing is kept for later. Where a message goes
 * to mailboxes here as well, these are staged before the other server is told that it is whole, and
 * committed after it took it. */
#include "serve/smtp_session.h"

#include "base/span.h"

bool smtp_may_relay(const struct serve_smtp *s)
{
    return s->role == POSTERN_SMTP_SUBMISSION && (s->site->relay || s->site->sendmail) &&
           *login_user(&s->login);
}

/* hand_back - the other server's reply; false: it is no acceptance. */
static bool hand_back(struct serve_smtp *s)
{
    static const struct postern_smtp_reply none = {451, "4.3.0", {NULL, 0}};
    const struct postern_smtp_reply *reply = s->relay ? relay_reply(s->relay) : &none;
    char text[200];

    if (reply->code / 100 == 2)
        return true;
    login_name(text, sizeof text, reply->text);
    login_log(&s->login, "relay-refused", "reply", text, NULL, NULL);
    if (reply->code == 421) /* it is their session that ends, not the user's */
        postern_smtp_answer(s->engine, s->question.id,
                            &(struct postern_smtp_reply){451, "4.4.2", reply->text});
    else
        postern_smtp_answer(s->engine, s->question.id, reply);
    return false;
}

/* ---- RCPT ------------------------------------------------------------------------------------ */

static int reach(struct serve_smtp *s)
{
    int err;

    if (s->relays)
        return 0;
    relay_close(&s->relay);
    err = relay_open(&s->relay, s->site->relay);
    if (!err)
        err = relay_mail(s->relay, buffer_span(&s->sender), s->size_bytes, s->is_8bit, s->utf8);
    if (err || relay_reply(s->relay)->code / 100 != 2)
        return POSTERN_E_DENIED;
    s->relays = true;
    return 0;
}

static int rcpt_work(struct serve_smtp *s, unsigned wait_flag)
{
    int err = reach(s);

    (void)wait_flag;
    return err ? err : relay_rcpt(s->relay, s->question.path.text);
}

static void rcpt_finish(struct serve_smtp *s, int err)
{
    if (!hand_back(s))
        return;
    if (err || smtp_note_recipient(s, &s->question.path) < 0) {
        smtp_say(s, 451, "4.3.0", "temporarily unavailable");
        return;
    }
    s->elsewhere++;
    postern_smtp_answer(s->engine, s->question.id, relay_reply(s->relay));
}

const struct smtp_work smtp_relay_rcpt = {rcpt_work, rcpt_finish, false, true};

/* ---- the message ----------------------------------------------------------------------------- */

static int begin_work(struct serve_smtp *s, unsigned wait_flag)
{
    (void)wait_flag;
    return relay_data(s->relay);
}

/* refused - the other server does not take it, even where its reply was no refusal. */
static void refused(struct serve_smtp *s)
{
    if (hand_back(s))
        smtp_say(s, 451, "4.3.0", "the other server does not go on");
}

static void begin_finish(struct serve_smtp *s, int err)
{
    if (!err && relay_reply(s->relay)->code == 354)
        smtp_yes(s);
    else
        refused(s);
}

const struct smtp_work smtp_relay_begin = {begin_work, begin_finish, false, true};

static int write_work(struct serve_smtp *s, unsigned wait_flag)
{
    int err = s->target_count || s->site->filters ? smtp_keep(s, wait_flag) : 0;

    if (!err && !s->site->filters && relay_write(s->relay, s->question.bytes) < 0)
        err = POSTERN_E_CLOSED;
    return err;
}

static void write_finish(struct serve_smtp *s, int err)
{
    if (err == POSTERN_E_CLOSED)
        refused(s);
    else
        smtp_answer_with(s, err);
}

const struct smtp_work smtp_relay_write = {write_work, write_finish, false, true};

static int write_relay(struct serve_smtp *s, struct postern_span bytes)
{
    return relay_write(s->relay, bytes) < 0 ? POSTERN_E_CLOSED : 0;
}

/* pass_filtered - a message that filters may change goes to the other server once they have. */
static int pass_filtered(struct serve_smtp *s)
{
    if (relay_data(s->relay) < 0 || relay_reply(s->relay)->code != 354)
        return POSTERN_E_CLOSED;
    return smtp_pour(s, write_relay);
}

static int commit_work(struct serve_smtp *s, unsigned wait_flag)
{
    int err = smtp_stage(s);

    (void)wait_flag;
    if (s->verdict.discarded)
        return err;
    if (!err && s->site->filters)
        err = pass_filtered(s);
    if (!err && (relay_finish(s->relay) < 0 || relay_reply(s->relay)->code / 100 != 2))
        return POSTERN_E_CLOSED;
    return err ? err : smtp_commit_all(s);
}

static void commit_finish(struct serve_smtp *s, int err)
{
    smtp_log_end(s, err);
    if (s->verdict.code)
        smtp_say_verdict(s);
    else if (s->verdict.discarded)
        smtp_yes(s);
    else if (err == POSTERN_E_CLOSED)
        refused(s);
    else if (err)
        smtp_answer_with(s, err);
    else
        postern_smtp_answer(s->engine, s->question.id, relay_reply(s->relay));
    smtp_drop(s);
}

const struct smtp_work smtp_relay_commit = {commit_work, commit_finish, false, true};
