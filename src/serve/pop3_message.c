/* SPDX-License-Identifier: MIT */
/* pop3_message - MESSAGE and READ, and the file behind a piece of output.
 *
 * Owns the list of open messages in struct pop3_opened. Each has a number that is never used again
 * in the session, so that a late piece cannot name the wrong file. */
#include "serve/pop3_session.h"

#include "base/memory.h"
#include "base/span.h"

#define READ_BYTES 16384

static const struct postern_span absent;

static int message_open(const struct serve_site *site, struct postern_mailbox *mailbox,
                        uint32_t uid, unsigned flags, struct pop3_content **content_r)
{
    struct pop3_content *content = memory_new(NULL, sizeof *content);
    int r;

    if (!content)
        return POSTERN_E_NOMEM;
    content->facts.fd = -1;
    r = site->store->ops->message(mailbox, uid, flags, &content->content, &content->facts);
    if (r < 0) {
        memory_free(NULL, content);
        return r;
    }
    *content_r = content;
    return 0;
}

static void message_opened(struct serve_pop3 *s, int err, struct pop3_content *content)
{
    struct postern_pop3_message message;

    if (err < 0) {
        login_log_error(&s->login, "message", err);
        postern_pop3_answer_message(s->engine, s->question.id, postern_verdict_of(err), NULL,
                                    absent);
        return;
    }
    content->id = ++s->content_last;
    content->next = s->opened.contents;
    s->opened.contents = content;
    message = (struct postern_pop3_message){
        .content = content->id,
        .size_raw = content->facts.size_raw,
        .wire_clean = content->facts.wire_clean,
        .file_range = content->facts.fd >= 0 && content->facts.wire_clean,
    };
    if (!s->question.headers_only) {
        s->retrieved++;
        s->octets += content->facts.size_raw;
    }
    postern_pop3_answer_message(s->engine, s->question.id, POSTERN_YES, &message, absent);
}

static int message_work(struct pop3_job *job)
{
    return message_open(job->site, job->mailbox, job->uid, 0, &job->content);
}

static void message_finish(struct serve_pop3 *s, struct pop3_job *job)
{
    struct pop3_content *content = job->content;

    job->content = NULL;
    message_opened(s, job->err, content);
}

int pop3_ref_uid(struct serve_pop3 *s, const struct postern_pop3_ref *ref, uint32_t *uid_r)
{
    const struct postern_snapshot *snapshot = s->opened.snapshot;
    struct postern_entry entry;

    if (ref->number == 0 || ref->number > snapshot->list.count)
        return s->site->store->ops->find(s->opened.mailbox, ref->uid, &entry, uid_r);
    *uid_r = snapshot->numbers[ref->number - 1];
    return 0;
}

static void message_on_worker(struct serve_pop3 *s, uint32_t uid)
{
    struct pop3_job *job = pop3_job_new(s, absent);

    if (job) {
        job->work = message_work;
        job->finish = message_finish;
        job->mailbox = s->opened.mailbox;
        job->uid = uid;
    }
    pop3_job_run(s, job);
}

void pop3_message(struct serve_pop3 *s)
{
    struct pop3_content *content = NULL;
    uint32_t uid;
    int r = pop3_ref_uid(s, &s->question.message, &uid);

    if (r == 0)
        r = message_open(s->site, s->opened.mailbox, uid, POSTERN_STORE_NO_WAIT, &content);
    if (r == POSTERN_E_AGAIN)
        message_on_worker(s, uid);
    else
        message_opened(s, r, content);
}

static struct pop3_content *content_of(const struct serve_pop3 *s, uint64_t id)
{
    struct pop3_content *content = s->opened.contents;

    while (content && content->id != id)
        content = content->next;
    return content;
}

void pop3_read(struct serve_pop3 *s)
{
    const struct postern_pop3_question *q = &s->question;
    struct pop3_content *content = content_of(s, q->content);
    char bytes[READ_BYTES];
    int n = POSTERN_E_NOT_FOUND;

    if (content)
        n = s->site->store->ops->read(content->content, q->offset, bytes,
                                      q->length < sizeof bytes ? q->length : sizeof bytes);
    if (n < 0)
        login_log_error(&s->login, "read", n);
    postern_pop3_answer_read(s->engine, q->id, n < 0 ? n : 0,
                             span_make(bytes, n < 0 ? 0 : (size_t)n));
}

void pop3_message_done(struct serve_pop3 *s, uint64_t id)
{
    struct pop3_content **at = &s->opened.contents, *content;

    while (*at && (*at)->id != id)
        at = &(*at)->next;
    content = *at;
    if (!content)
        return;
    *at = content->next;
    pop3_content_free(s->site, content);
}

int pop3_file(void *session, uint64_t content, uint64_t offset, uint64_t *file_offset_r)
{
    const struct pop3_content *open = content_of(session, content);

    if (!open || open->facts.fd < 0)
        return -1;
    *file_offset_r = open->facts.fd_offset + offset;
    return open->facts.fd;
}
