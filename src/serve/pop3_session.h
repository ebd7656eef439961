/* SPDX-License-Identifier: MIT */
/* pop3_session - what the files of the POP3 joint share: the session and the jobs it sends out.
 *
 * A session has at most one question open, so at most one job. A job owns copies of all it works
 * on. When the session is freed under it, the job inherits the open mailbox (it may be at work in
 * it) and gives back, in done(), that mailbox and whatever it opened itself. */
#ifndef SERVE_POP3_SESSION_H
#define SERVE_POP3_SESSION_H

#include "serve/login.h"

/* struct pop3_content - an open message. Several, since pieces of one may wait while the next is
 * asked for. */
struct pop3_content {
    struct pop3_content *next;
    uint64_t id;
    struct postern_content *content;
    struct postern_facts facts;
};

/* struct pop3_opened - an attached mailbox; all zero when there is none. */
struct pop3_opened {
    struct postern_mailbox *mailbox;
    bool locked;
    struct postern_snapshot *snapshot;
    struct pop3_content *contents;
};

struct pop3_job {
    struct serve_pop3 *session; /* NULL: freed while the work was under way */
    const struct serve_site *site;
    uint64_t id;
    int (*work)(struct pop3_job *job);                          /* on a worker; its result is err */
    void (*finish)(struct serve_pop3 *s, struct pop3_job *job); /* on the loop; answers */
    int err;
    struct pop3_opened left;  /* the freed session's mailbox */
    struct postern_span user; /* a copy, in bytes */
    /* store */
    struct postern_mailbox *mailbox; /* borrowed of the session */
    struct pop3_opened opened;       /* what the job opened; taken by finish() */
    struct pop3_content *content;
    uint32_t uid;
    uint32_t *uids;
    size_t count;
    char bytes[];
};

struct serve_pop3 {
    const struct serve_site *site;
    void *conn;
    struct postern_pop3 *engine;
    struct postern_pop3_options options;
    struct postern_pop3_question
        question; /* the open one; its spans are lent until it is answered */
    struct pop3_job *job;
    struct pop3_opened opened;
    struct postern_snapshot *seen; /* the previous listing, for WAKE */
    uint64_t content_last;
    struct login login;
    uint64_t retrieved, octets, expunged;
};

void pop3_log_number(struct serve_pop3 *s, const char *event, const char *key1, uint64_t value1,
                     const char *key2, uint64_t value2);

/* jobs. pop3_job_new - user: copied; absent: the job needs none. */
struct pop3_job *pop3_job_new(struct serve_pop3 *s, struct postern_span user);
/* pop3_job_run - send it out; job is taken. <0: it could not be, and the question is refused for
 * now. */
void pop3_job_run(struct serve_pop3 *s, struct pop3_job *job);
/* pop3_job_run_alone - send out a job that nobody waits for; job is taken. */
void pop3_job_run_alone(struct serve_pop3 *s, struct pop3_job *job);
/* pop3_refuse - the open question: temporarily unavailable. */
void pop3_refuse(struct serve_pop3 *s);
/* pop3_detach - let go of the mailbox; to the job, when one is at work in it. */
void pop3_detach(struct serve_pop3 *s);
void pop3_opened_release(const struct serve_site *site, struct pop3_opened *opened);
void pop3_content_free(const struct serve_site *site, struct pop3_content *content);

/* mailbox */
void pop3_open(struct serve_pop3 *s);
void pop3_find(struct serve_pop3 *s);
void pop3_expunge(struct serve_pop3 *s);
/* pop3_ref_uid - the UID of a message in a question: by its number in the listing, else looked up.
 */
int pop3_ref_uid(struct serve_pop3 *s, const struct postern_pop3_ref *ref, uint32_t *uid_r);
/* message */
void pop3_message(struct serve_pop3 *s);
void pop3_read(struct serve_pop3 *s);
void pop3_message_done(struct serve_pop3 *s, uint64_t content);
int pop3_file(void *session, uint64_t content, uint64_t offset, uint64_t *file_offset_r);

#endif
