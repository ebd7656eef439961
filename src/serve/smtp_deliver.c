/* SPDX-License-Identifier: MIT */
/* smtp_deliver - a message into the mailboxes of all who get it.
 *
 * SMTP has one answer for all: they are staged, every one, before the first is committed. LMTP has
 * an answer for each: who can get it does. What a message begins with differs by mailbox
 * (Return-Path, Delivered-To) and is written here; the rest comes of the engine. */
#include "serve/smtp_session.h"

#include "base/memory.h"
#include "base/span.h"
#include "store/quota.h"
#include <stdio.h>

#define PREAMBLE_MAX 1024 /* octets of Return-Path, Delivered-To */

void smtp_target_close(struct serve_smtp *s, struct smtp_target *target)
{
    const struct postern_store_ops *ops = smtp_ops(s);

    if (target->delivery)
        ops->abort(&target->delivery);
    if (target->mailbox)
        ops->close(&target->mailbox);
    if (target->account)
        ops->account_close(&target->account);
}

/* ---- the places ------------------------------------------------------------------------------ */

/* open_detail - the mailbox with the case that the detail was written in, else in lower case, else
 * the first is made if it may be. */
static int open_detail(struct serve_smtp *s, struct smtp_target *target)
{
    const struct postern_store_ops *ops = smtp_ops(s);
    char lower[sizeof target->detail];
    size_t n = strlen(target->detail);
    int err = ops->open(target->account, postern_span_of(target->detail), 0, &target->mailbox);

    if (err != POSTERN_E_NOT_FOUND)
        return err;
    for (size_t i = 0; i < n; i++)
        lower[i] = ascii_lower(target->detail[i]);
    err = ops->open(target->account, span_make(lower, n), 0, &target->mailbox);
    if (err != POSTERN_E_NOT_FOUND || !s->site->detail_create)
        return err;
    return ops->open(target->account, postern_span_of(target->detail), POSTERN_STORE_CREATE,
                     &target->mailbox);
}

/* open_mailbox - the one that was named, if it is there or may be made, else INBOX (R2). */
static int open_mailbox(struct serve_smtp *s, struct smtp_target *target)
{
    const struct postern_store_ops *ops = smtp_ops(s);
    const char *name = s->verdict.mailbox[0] ? s->verdict.mailbox : s->site->deliver_into;
    unsigned flags = s->site->detail_create || s->verdict.mailbox[0] ? POSTERN_STORE_CREATE : 0;
    int err = POSTERN_E_NOT_FOUND;

    if (name)
        err = ops->open(target->account, postern_span_of(name), flags, &target->mailbox);
    else if (target->detail[0])
        err = open_detail(s, target);
    if (err == POSTERN_E_NOT_FOUND || err == POSTERN_E_SYNTAX || err == POSTERN_E_TOO_LONG ||
        err == POSTERN_E_UNSUPPORTED || err == POSTERN_E_FULL)
        err = ops->open(target->account, SPAN("INBOX"), POSTERN_STORE_CREATE, &target->mailbox);
    return err;
}

/* O6 O7 */
static int write_preamble(struct serve_smtp *s, struct smtp_target *target)
{
    struct buffer text = {0};
    int err;

    buffer_append_text(&text, "Return-Path: <");
    buffer_append(&text, buffer_span(&s->sender));
    buffer_append_text(&text, ">\r\nDelivered-To: ");
    buffer_append_text(&text, target->address);
    buffer_append_text(&text, "\r\n");
    if (s->site->original_to) {
        buffer_append_text(&text, "X-Original-To: ");
        buffer_append_text(&text, s->site->original_to);
        buffer_append_text(&text, "\r\n");
    }
    err = text.error ? text.error : smtp_ops(s)->write(target->delivery, buffer_span(&text));
    buffer_done(&text);
    return err;
}

static int open_target(struct serve_smtp *s, struct smtp_target *target)
{
    const struct postern_store_ops *ops = smtp_ops(s);
    char id[SMTP_ID_BYTES];
    struct postern_new_message what = {.unique_id = smtp_delivery_id(s, target, id)};
    int err = ops->account_open(s->site->store, postern_span_of(target->user), POSTERN_STORE_CREATE,
                                &target->account);

    if (!err)
        err = open_mailbox(s, target);
    if (!err)
        err = ops->begin(target->mailbox, &what, &target->delivery);
    if (!err)
        err = write_preamble(s, target);
    return err;
}

/* is_over_quota - it is the mailbox that is full, and not the disk. */
static bool is_over_quota(struct serve_smtp *s, const struct smtp_target *target)
{
    struct postern_quota quota;

    return target->account && smtp_ops(s)->quota(target->account, &quota) == 0 &&
           quota_room(&quota, s->octets + PREAMBLE_MAX, 1) < 0;
}

/* fail - this one does not get it. In SMTP, then nobody does. */
static int fail(struct serve_smtp *s, struct smtp_target *target, int err)
{
    s->over_quota |= err == POSTERN_E_FULL && is_over_quota(s, target);
    target->err = err;
    smtp_target_close(s, target);
    login_log_error(&s->login, "deliver", err);
    return s->role == POSTERN_SMTP_LMTP ? 0 : err;
}

int smtp_write_all(struct serve_smtp *s, struct postern_span bytes)
{
    int err = 0;

    for (size_t i = 0; !err && i < s->target_count; i++) {
        struct smtp_target *target = s->targets[i];

        if (target->err || target->dropped)
            continue;
        err = smtp_ops(s)->write(target->delivery, bytes);
        if (err)
            err = fail(s, target, err);
    }
    return err;
}

/* open_all - (P3) a place with each, before the first is committed; what was kept in memory until
 * now is written there. */
static int open_all(struct serve_smtp *s)
{
    int err = 0;

    for (size_t i = 0; !err && i < s->target_count; i++) {
        err = s->targets[i]->dropped ? 0 : open_target(s, s->targets[i]);
        if (err)
            err = fail(s, s->targets[i], err);
    }
    s->streams = true;
    if (!err)
        err = smtp_write_all(s, buffer_span(&s->spool));
    buffer_done(&s->spool);
    return err;
}

/* ---- WRITE ----------------------------------------------------------------------------------- */

static bool is_small(const struct serve_smtp *s)
{
    return !s->streams && s->octets + s->question.bytes.n <= SMTP_SPOOL_BYTES;
}

bool smtp_is_whole(const struct serve_smtp *s)
{
    return s->site->filters || (s->elsewhere && s->site->sendmail);
}

int smtp_keep(struct serve_smtp *s, unsigned wait_flag)
{
    bool small = is_small(s);
    int err;

    (void)wait_flag;
    s->octets += s->question.bytes.n;
    if (smtp_is_whole(s))
        return spool_write(&s->whole, s->question.bytes);
    if (small) {
        buffer_append(&s->spool, s->question.bytes);
        return s->spool.error;
    }
    err = 0;
    if (!s->streams) {
        s->streams = true; /* what is kept is only its beginning */
        err = open_all(s);
    }
    return err ? err : smtp_write_all(s, s->question.bytes);
}

/* reply_of - (P5) an error of ours, which is never the sender's fault. */
static struct postern_smtp_reply reply_of(const struct serve_smtp *s, int err)
{
    struct postern_smtp_reply reply = postern_smtp_reply_of(err);

    if (err == POSTERN_E_FULL && !s->over_quota)
        return (struct postern_smtp_reply){452, "4.3.1", SPAN("no space left")};
    return reply.code / 100 == 5 ? postern_smtp_reply_of(POSTERN_E_AGAIN) : reply;
}

void smtp_answer_with(struct serve_smtp *s, int err)
{
    struct postern_smtp_reply reply = reply_of(s, err);

    postern_smtp_answer(s->engine, s->question.id, err ? &reply : NULL);
}

void smtp_write(struct serve_smtp *s)
{
    static const struct smtp_work keep = {smtp_keep, smtp_answer_with, false, false};

    if (s->elsewhere && s->site->relay)
        smtp_go(s, &smtp_relay_write);
    else if (is_small(s))
        smtp_answer_with(s, smtp_keep(s, 0));
    else
        smtp_go(s, &keep);
}

/* ---- COMMIT ---------------------------------------------------------------------------------- */

/* P1 P2 P7 G13: durable, then visible, then told: the store's promise; P8: so is who watches */
static int commit_one(struct serve_smtp *s, struct smtp_target *target)
{
    int err = target->err;

    if (target->dropped)
        return 0;
    if (!err)
        err = smtp_ops(s)->commit(&target->delivery, 1, &target->uid);
    if (err == POSTERN_E_EXISTS) { /* it was committed before, and the answer got lost */
        login_log(&s->login, "duplicate", "address", target->address, NULL, NULL);
        return 0;
    }
    if (err && !target->err)
        (void)fail(s, target, err);
    return err;
}

/* take_back - (P3) what was committed, since the sender will come again for all of them. Where even
 * that fails some have it twice, rather than somebody not at all. */
static void take_back(struct serve_smtp *s, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct smtp_target *target = s->targets[i];
        int err = target->uid ? smtp_ops(s)->expunge(target->mailbox, &target->uid, 1) : 0;

        if (err)
            login_log_error(&s->login, "take-back", err);
        else if (target->uid)
            smtp_ops(s)->tidy(target->mailbox);
    }
}

/* smtp_commit_all - in SMTP either all have it or nobody. */
int smtp_commit_all(struct serve_smtp *s)
{
    bool each = s->role == POSTERN_SMTP_LMTP;

    for (size_t i = 0; i < s->target_count; i++) {
        int err = commit_one(s, s->targets[i]);

        if (err && !each) {
            take_back(s, i);
            return err;
        }
    }
    return 0;
}

int smtp_stage(struct serve_smtp *s)
{
    int err;

    smtp_note_digest(s);
    err = s->site->filters ? smtp_filter(s) : 0;
    if (s->verdict.discarded)
        return err;
    if (!err && !s->streams)
        err = open_all(s);
    return !err && smtp_is_whole(s) ? smtp_pour(s, smtp_write_all) : err;
}

static int commit_work(struct serve_smtp *s, unsigned wait_flag)
{
    int err = smtp_stage(s);

    (void)wait_flag;
    if (!err && s->elsewhere && !s->verdict.discarded)
        err = smtp_sendmail(s);
    return err || s->verdict.discarded ? err : smtp_commit_all(s);
}

/* reply_to - (P4 Q3 Q7) of a recipient: what came of the worst of its mailboxes. */
static struct postern_smtp_reply reply_to(struct serve_smtp *s, const struct smtp_recipient *one)
{
    const size_t *links = (const size_t *)(const void *)buffer_span(&s->links).p;
    int err = 0;

    for (size_t i = 0; !err && i < one->count; i++)
        err = s->targets[links[one->first + i]]->err;
    return err ? reply_of(s, err)
               : (struct postern_smtp_reply){250, "2.0.0", postern_span_of(s->saved)};
}

static void answer_each(struct serve_smtp *s)
{
    const struct smtp_recipient *recipients =
        (const struct smtp_recipient *)(const void *)buffer_span(&s->recipients).p;
    size_t count = s->answered ? s->answered : buffer_length(&s->recipients) / sizeof *recipients;
    struct postern_smtp_reply *replies = memory_new(NULL, count * sizeof *replies);

    for (size_t i = 0; replies && i < count; i++)
        replies[i] = reply_to(s, &recipients[i]);
    if (!replies || postern_smtp_answer_each(s->engine, s->question.id, replies, count) < 0)
        postern_smtp_answer_default(s->engine, s->question.id);
    memory_free(NULL, replies);
}

static void commit_finish(struct serve_smtp *s, int err)
{
    struct postern_smtp_reply saved = {.code = 250, .enhanced = "2.0.0"};

    snprintf(s->saved, sizeof s->saved, "%s as %.*s", s->elsewhere ? "handed on" : "saved",
             SPAN_ARG(s->question.transaction));
    saved.text = postern_span_of(s->saved);
    smtp_log_end(s, err);
    if (s->verdict.code)
        smtp_say_verdict(s);
    else if (err)
        smtp_answer_with(s, err);
    else if (s->role == POSTERN_SMTP_LMTP)
        answer_each(s);
    else
        postern_smtp_answer(s->engine, s->question.id, &saved);
    smtp_drop(s);
}

const struct smtp_work smtp_commit = {commit_work, commit_finish, false, false},
                       smtp_commit_filtered = {commit_work, commit_finish, false, true};
