/* SPDX-License-Identifier: MIT */
/* login_check - credentials: checked from the cache at once, else on a worker; and what SCRAM and
 * APOP need of them. */
#include "serve/login.h"

#include "base/memory.h"
#include "base/span.h"

/* struct login_job - owns copies of all it works on; login is NULL once the session was freed. */
struct login_job {
    struct login *login;
    struct accounts *accounts;
    void (*work)(struct login_job *job);
    void (*finish)(struct login *login, struct login_job *job);
    bool token;
    enum postern_hash hash;
    enum postern_verdict verdict;
    char name[LOGIN_NAME_BYTES];
    struct account_secrets secrets;
    struct postern_span user, authorize, secret;
    size_t bytes_size;
    char bytes[]; /* the copies behind the spans */
};

static struct postern_span job_copy(struct login_job *job, struct postern_span text)
{
    char *copy = job->bytes + job->bytes_size;

    if (!text.p)
        return text;
    if (text.n)
        memcpy(copy, text.p, text.n);
    job->bytes_size += text.n;
    return span_make(copy, text.n);
}

static struct login_job *job_new(struct login *login)
{
    const struct login_question *q = &login->question;
    size_t n = q->user.n + q->authorize.n + q->secret.n;
    struct login_job *job;

    if (n > SIZE_MAX / 2)
        return NULL;
    job = memory_new(NULL, sizeof *job + n); /* UNSAFE: no wrap, see above */
    if (!job)
        return NULL;
    job->login = login;
    job->accounts = login->site->accounts;
    job->user = job_copy(job, q->user);
    job->authorize = job_copy(job, q->authorize);
    job->secret = job_copy(job, q->secret);
    return job;
}

static void job_free(struct login_job *job)
{
    secret_wipe(job->bytes, job->bytes_size);
    secret_wipe(&job->secrets, sizeof job->secrets);
    memory_free(NULL, job);
}

static void job_work(void *arg)
{
    struct login_job *job = arg;

    job->work(job);
}

static void job_done(void *arg)
{
    struct login_job *job = arg;
    struct login *login = job->login;

    if (login) {
        login->job = NULL;
        job->finish(login, job);
    }
    job_free(job);
}

/* job_run - job is taken; when it cannot be sent out, the login is refused for now. */
static void job_run(struct login *login, struct login_job *job)
{
    login->job = job;
    if (job && login->site->work->run(login->conn, job_work, job_done, job) >= 0)
        return;
    login->job = NULL;
    if (job)
        job_free(job);
    login->answer(login->session, POSTERN_NO_TEMPORARY, (struct postern_span){NULL, 0});
}

void login_forget_check(struct login *login)
{
    if (login->job)
        login->job->login = NULL;
}

static void check_work(struct login_job *job)
{
    if (job->token)
        job->verdict = accounts_token(job->accounts, job->user, job->secret, job->name);
    else
        job->verdict =
            accounts_check(job->accounts, job->user, job->authorize, job->secret, job->name);
}

static void check_finish(struct login *login, struct login_job *job)
{
    login_hold(login, job->verdict, job->verdict == POSTERN_YES ? job->name : "");
}

static void check(struct login *login, bool token)
{
    struct login_job *job = job_new(login);

    if (job) {
        job->work = check_work;
        job->finish = check_finish;
        job->token = token;
    }
    job_run(login, job);
}

/* R64 R97: per user, and said before the credentials are looked at. */
static bool refused_in_the_clear(struct login *login)
{
    char value[8];

    if (login->question.tls)
        return false;
    return accounts_value(login->site->accounts, login->question.user, "plaintext", value,
                          sizeof value) &&
           strcmp(value, "no") == 0;
}

/* R98: the certificate proved the name; all that is left is whether we know it. */
static void check_external(struct login *login)
{
    struct postern_span user = login->question.user, authorize = login->question.authorize;
    bool same = !authorize.n || span_equal(user, authorize);
    bool good = user.n && same && accounts_stamp(login->site->accounts, user) != 0;

    login_hold(login, good ? POSTERN_YES : POSTERN_NO_CREDENTIALS, "");
}

void login_check(struct login *login)
{
    const struct login_question *q = &login->question;
    bool token = q->mechanism & (POSTERN_SASL_OAUTHBEARER | POSTERN_SASL_XOAUTH2);
    char name[LOGIN_NAME_BYTES];

    if (!login_begin(login))
        login_hold(login, POSTERN_NO_TEMPORARY, "");
    else if (refused_in_the_clear(login))
        login_hold(login, POSTERN_NO_POLICY, "");
    else if (q->mechanism == POSTERN_SASL_EXTERNAL)
        check_external(login);
    else if (!token && accounts_check_cached(login->site->accounts, q->user, q->authorize,
                                             q->secret, name) == POSTERN_YES)
        login->answer(login->session, POSTERN_YES, postern_span_of(name));
    else
        check(login, token);
}

static void lookup_work(struct login_job *job)
{
    job->verdict = accounts_secrets(job->accounts, job->user, job->hash, &job->secrets);
}

static struct login_keys keys_of(const struct account_secrets *found)
{
    return (struct login_keys){
        .scram = {.salt = span_make((const char *)found->salt, found->salt_bytes),
                  .iterations = found->iterations,
                  .stored_key = span_make((const char *)found->stored_key, found->key_bytes),
                  .server_key = span_make((const char *)found->server_key, found->key_bytes)},
        .apop = span_make(found->apop, found->apop_bytes),
        .user = postern_span_of(found->user)};
}

/* lookup_finish - an unknown user gets decoys: it takes as long as for a known one. */
static void lookup_finish(struct login *login, struct login_job *job)
{
    bool found = job->verdict == POSTERN_YES, decoys = job->verdict == POSTERN_NO_CREDENTIALS;
    struct login_keys keys = keys_of(&job->secrets);

    login->proof_due = found || decoys;
    login->keys(login->session, decoys ? POSTERN_YES : job->verdict, found ? &keys : NULL);
}

static enum postern_hash hash_of(unsigned mechanism)
{
    if (mechanism & (POSTERN_SASL_SCRAM_SHA_256 | POSTERN_SASL_SCRAM_SHA_256_PLUS))
        return POSTERN_HASH_SHA256;
    return mechanism ? POSTERN_HASH_SHA1 : POSTERN_HASH_MD5;
}

static void lookup_now(void *arg)
{
    struct login *login = arg;
    struct login_job *job = job_new(login);

    if (job) {
        job->work = lookup_work;
        job->finish = lookup_finish;
        job->hash = hash_of(login->question.mechanism);
    }
    job_run(login, job);
}

void login_lookup(struct login *login)
{
    postern_time wait;

    if (!login_begin(login)) {
        login->keys(login->session, POSTERN_NO_TEMPORARY, NULL);
        return;
    }
    wait = login_wait(login, true);
    if (!wait || login->site->work->later(login->conn, wait, lookup_now, login) < 0)
        lookup_now(login);
}
