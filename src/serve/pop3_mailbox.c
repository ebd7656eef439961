/* SPDX-License-Identifier: MIT */
/* pop3_mailbox - OPEN, FIND and EXPUNGE.
 *
 * OPEN comes with each login and each WAKE: the session goes to the loop that owns the user, the
 * user is counted in, the mailbox is opened, locked and listed - at once when the store can, else
 * on a worker. EXPUNGE waits for the disk by its nature and always goes to a worker. Trap: an OPEN
 * that fails counts the user out again, unless he was only asleep. */
#include "serve/pop3_session.h"

#include "base/memory.h"
#include "base/span.h"

#define TIDY_AT_ONCE 64 /* messages; the files of more are removed after the answer */

static const struct postern_span absent;

/* open_steps - open, lock, list; all or nothing. */
static int open_steps(const struct serve_site *site, struct postern_span user, unsigned wait_flag,
                      struct pop3_opened *opened)
{
    const struct postern_store_ops *ops = site->store->ops;
    unsigned flags = wait_flag | (site->create_mailboxes ? POSTERN_STORE_CREATE : 0);
    int r = postern_store_inbox(site->store, user, flags, &opened->mailbox);

    if (r < 0)
        return r;
    r = ops->lock(opened->mailbox);
    if (r >= 0) {
        opened->locked = true;
        r = ops->snapshot(opened->mailbox, wait_flag, &opened->snapshot);
    }
    if (r < 0)
        pop3_opened_release(site, opened);
    return r < 0 ? r : 0;
}

static void open_refused(struct serve_pop3 *s, enum postern_verdict verdict,
                         struct postern_span text)
{
    if (!s->question.waking)
        login_out(&s->login);
    postern_pop3_answer_open(s->engine, s->question.id, verdict, NULL, text);
}

static struct postern_pop3_mailbox mailbox_facts(const struct serve_pop3 *s)
{
    const struct serve_site *site = s->site;
    bool knows = s->question.waking && s->seen;

    return (struct postern_pop3_mailbox){
        .list = s->opened.snapshot->list,
        .read_only = site->read_only,
        .knows_activity = knows, /* X12 */
        .new_since = knows && postern_snapshot_has_new(s->seen, s->opened.snapshot),
        .expire_days = -1,
        .login_delay_s = site->login_delay ? (int)(site->login_delay / POSTERN_SECOND) : -1,
    };
}

static void log_opened(struct serve_pop3 *s)
{
    const struct postern_list *list = &s->opened.snapshot->list;

    if (!s->question.waking)
        login_entered(&s->login);
    pop3_log_number(s, "mailbox", "messages", list->count, "octets", list->total_bytes);
}

static void open_finished(struct serve_pop3 *s, int err, struct pop3_opened *opened)
{
    struct postern_pop3_mailbox mailbox;

    if (err < 0) {
        login_log_error(&s->login, "open", err);
        open_refused(s, err == POSTERN_E_NOT_FOUND ? POSTERN_NO_PERMANENT : postern_verdict_of(err),
                     absent);
        return;
    }
    pop3_detach(s);
    s->opened = *opened;
    *opened = (struct pop3_opened){0};
    mailbox = mailbox_facts(s);
    postern_snapshot_unref(&s->seen);
    s->seen = postern_snapshot_ref(s->opened.snapshot);
    log_opened(s);
    postern_pop3_answer_open(s->engine, s->question.id, POSTERN_YES, &mailbox, absent);
}

static int open_work(struct pop3_job *job)
{
    return open_steps(job->site, job->user, 0, &job->opened);
}

static void open_finish(struct serve_pop3 *s, struct pop3_job *job)
{
    open_finished(s, job->err, &job->opened);
}

static void open_on_worker(struct serve_pop3 *s)
{
    struct pop3_job *job = pop3_job_new(s, s->question.user);

    if (job) {
        job->work = open_work;
        job->finish = open_finish;
    }
    pop3_job_run(s, job);
}

static void open_owned(void *arg)
{
    struct serve_pop3 *s = arg;
    struct pop3_opened opened = {0};
    int r = open_steps(s->site, s->question.user, POSTERN_STORE_NO_WAIT, &opened);

    if (r == POSTERN_E_AGAIN)
        open_on_worker(s);
    else
        open_finished(s, r, &opened);
}

static void open_after_login(struct serve_pop3 *s)
{
    struct postern_span text;
    enum postern_verdict verdict = login_accept(&s->login, s->question.user, &text);

    postern_snapshot_unref(&s->seen);
    if (verdict != POSTERN_YES)
        open_refused(s, verdict, text);
    else if (s->site->work->own(s->conn, s->question.user, open_owned, s) < 0)
        open_refused(s, POSTERN_NO_TEMPORARY, absent);
}

void pop3_open(struct serve_pop3 *s)
{
    uint64_t stamp;

    if (!s->question.waking) {
        open_after_login(s);
        return;
    }
    stamp = accounts_stamp(s->site->accounts, s->question.user);
    if (!stamp || stamp != s->login.stamp) /* X13 */
        open_refused(s, POSTERN_NO_CREDENTIALS, absent);
    else
        open_owned(s);
}

void pop3_find(struct serve_pop3 *s)
{
    struct postern_entry entry;
    uint32_t uid;
    int r = s->site->store->ops->find(s->opened.mailbox, s->question.message.uid, &entry, &uid);

    if (r < 0) {
        login_log_error(&s->login, "find", r);
        postern_pop3_answer_find(s->engine, s->question.id, postern_verdict_of(r), 0, 0, absent);
        return;
    }
    postern_pop3_answer_find(s->engine, s->question.id, POSTERN_YES, entry.size_bytes, entry.flags,
                             absent);
}

/* ---- deleting -------------------------------------------------------------------------------- */

static struct pop3_job *expunge_job(struct serve_pop3 *s)
{
    struct pop3_job *job = pop3_job_new(s, absent);
    struct postern_pop3_ref ref;
    size_t cursor = 0;

    if (!job)
        return NULL;
    job->mailbox = s->opened.mailbox;
    /* UNSAFE: no wrap, count messages of 16 bytes each are in memory already */
    job->uids = memory_new(NULL, s->question.count * sizeof *job->uids);
    if (!job->uids) {
        memory_free(NULL, job);
        return NULL;
    }
    while (job->count < s->question.count &&
           postern_pop3_expunge_next(s->engine, &cursor, &ref) == 1)
        if (pop3_ref_uid(s, &ref, &job->uids[job->count]) == 0)
            job->count++; /* one that is not found is gone already */
    return job;
}

/* expunge_work - the files of a small set go at once: whoever puts one of the same name there right
 * after the answer must not lose it. */
static int expunge_work(struct pop3_job *job)
{
    int r = job->site->store->ops->expunge(job->mailbox, job->uids, job->count);

    if (r == 0 && job->count <= TIDY_AT_ONCE)
        job->site->store->ops->tidy(job->mailbox);
    return r;
}

static int tidy_work(struct pop3_job *job)
{
    int r = postern_store_inbox(job->site->store, job->user, 0, &job->opened.mailbox);

    if (r == 0)
        job->site->store->ops->tidy(job->opened.mailbox);
    return r;
}

/* tidy_later - the files of what was expunged are removed after the answer. */
static void tidy_later(struct serve_pop3 *s)
{
    struct pop3_job *job = pop3_job_new(s, postern_span_of(login_user(&s->login)));

    if (!job)
        return;
    job->work = tidy_work;
    pop3_job_run_alone(s, job);
}

static void expunge_finish(struct serve_pop3 *s, struct pop3_job *job)
{
    if (job->err < 0) {
        login_log_error(&s->login, "expunge", job->err);
        postern_pop3_answer_expunge(s->engine, s->question.id, postern_verdict_of(job->err),
                                    absent);
        return;
    }
    s->expunged += job->count;
    pop3_log_number(s, "expunged", "messages", job->count, NULL, 0);
    postern_pop3_answer_expunge(s->engine, s->question.id, POSTERN_YES, absent);
    if (job->count > TIDY_AT_ONCE)
        tidy_later(s);
}

void pop3_expunge(struct serve_pop3 *s)
{
    struct pop3_job *job;

    if (s->site->read_only) {
        postern_pop3_answer_expunge(s->engine, s->question.id, POSTERN_NO_READ_ONLY, absent);
        return;
    }
    if (!s->question.count) {
        postern_pop3_answer_expunge(s->engine, s->question.id, POSTERN_YES, absent);
        return;
    }
    job = expunge_job(s);
    if (job) {
        job->work = expunge_work;
        job->finish = expunge_finish;
    }
    pop3_job_run(s, job);
}
