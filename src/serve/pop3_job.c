/* SPDX-License-Identifier: MIT */
/* pop3_job - work that blocks: sent to a worker, finished on the session's loop.
 *
 * Owns the jobs and the letting go of mailboxes.
 * Trap: run() may finish a job before it returns, so nothing is touched after it. */
#include "serve/pop3_session.h"

#include "base/memory.h"
#include "base/span.h"

struct pop3_job *pop3_job_new(struct serve_pop3 *s, struct postern_span user)
{
    /* UNSAFE: no wrap, user lies in memory */
    struct pop3_job *job = memory_new(NULL, sizeof *job + user.n);

    if (!job)
        return NULL;
    if (user.n)
        memcpy(job->bytes, user.p, user.n);
    job->user = span_make(job->bytes, user.n);
    job->session = s;
    job->site = s->site;
    job->id = s->question.id;
    return job;
}

static void job_free(struct pop3_job *job)
{
    pop3_content_free(job->site, job->content); /* before the mailbox that it belongs to */
    pop3_opened_release(job->site, &job->left);
    pop3_opened_release(job->site, &job->opened);
    secret_wipe(job->bytes, job->user.n);
    memory_free(NULL, job->uids);
    memory_free(NULL, job);
}

static void job_work(void *arg)
{
    struct pop3_job *job = arg;

    job->err = job->work(job);
}

static void job_done(void *arg)
{
    struct pop3_job *job = arg;
    struct serve_pop3 *s = job->session;

    if (s) {
        s->job = NULL;
        job->finish(s, job);
    }
    job_free(job);
}

void pop3_job_run(struct serve_pop3 *s, struct pop3_job *job)
{
    if (!job) {
        pop3_refuse(s);
        return;
    }
    s->job = job;
    if (s->site->work->run(s->conn, job_work, job_done, job) >= 0)
        return;
    s->job = NULL;
    job_free(job);
    pop3_refuse(s);
}

void pop3_job_run_alone(struct serve_pop3 *s, struct pop3_job *job)
{
    job->session = NULL;
    if (s->site->work->run(s->conn, job_work, job_done, job) < 0)
        job_free(job);
}

void pop3_content_free(const struct serve_site *site, struct pop3_content *content)
{
    if (!content)
        return;
    if (content->content)
        site->store->ops->content_close(&content->content);
    memory_free(NULL, content);
}

void pop3_opened_release(const struct serve_site *site, struct pop3_opened *opened)
{
    const struct postern_store_ops *ops = site->store->ops;

    while (opened->contents) {
        struct pop3_content *content = opened->contents;

        opened->contents = content->next;
        pop3_content_free(site, content);
    }
    postern_snapshot_unref(&opened->snapshot);
    if (opened->locked)
        ops->unlock(opened->mailbox);
    if (opened->mailbox)
        ops->close(&opened->mailbox);
    *opened = (struct pop3_opened){0};
}

void pop3_detach(struct serve_pop3 *s)
{
    struct pop3_opened opened = s->opened;

    s->opened = (struct pop3_opened){0};
    if (s->job && s->job->mailbox)
        s->job->left = opened;
    else
        pop3_opened_release(s->site, &opened);
}
