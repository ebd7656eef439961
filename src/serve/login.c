/* SPDX-License-Identifier: MIT */
/* login - credentials: checked from the cache at once, else on a worker; answers held back
 * after failures.
 *
 * Delays: an address that failed waits for every answer, right or wrong, so that the waiting tells
 * a guesser nothing; a user name that failed waits only for the wrong ones, so that nobody can be
 * locked out by others. A recent success with the very same credentials (the cache) waits for
 * nothing. Trap: of SCRAM and APOP only the engine knows how they ended; a lookup that is not
 * followed by an opening counts as failed when the next login, or the end, comes. */
#include "serve/login.h"

#include "base/memory.h"
#include "base/span.h"
#include <stdlib.h>

static void delays_guard(const struct serve_site *site, bool on)
{
    if (!site->delays_lock)
        return;
    if (on)
        pthread_mutex_lock(site->delays_lock);
    else
        pthread_mutex_unlock(site->delays_lock);
}

static struct postern_span address_of(const struct login *login)
{
    return span_make(login->peer, login->address_n);
}

static postern_time wait_for(struct login *login, bool good)
{
    struct delays *delays = login->site->delays;
    postern_time address, user = 0;

    if (!delays)
        return 0;
    delays_guard(login->site, true);
    address = delays_wait(delays, address_of(login), login->now);
    if (!good)
        user = delays_wait(delays, postern_span_of(login->name), login->now);
    delays_guard(login->site, false);
    return address > user ? address : user;
}

/* I 11.7-5 */
static void note_failure(struct login *login)
{
    struct delays *delays = login->site->delays;

    login->failures++;
    if (delays) {
        delays_guard(login->site, true);
        delays_failed(delays, address_of(login), login->now);
        delays_failed(delays, postern_span_of(login->name), login->now);
        delays_guard(login->site, false);
    }
    login_log(login, "login-failed", "method", login->method, NULL, NULL);
}

static void delays_good(struct login *login)
{
    if (!login->site->delays)
        return;
    delays_guard(login->site, true);
    delays_succeeded(login->site->delays, postern_span_of(login->name));
    delays_guard(login->site, false);
}

void login_proof_failed(struct login *login)
{
    if (!login->proof_due)
        return;
    login->proof_due = false;
    note_failure(login);
}

const char *login_user(const struct login *login)
{
    return login->is_in ? login->name : "";
}

void login_out(struct login *login)
{
    if (login->counted && login->site->user_out)
        login->site->user_out(login->site->ctx, postern_span_of(login->name));
    login->counted = login->is_in = false;
}

/* set_name - false: out of memory; it is none then. */
static bool set_name(struct login *login, struct postern_span name)
{
    size_t most = LOGIN_NAME_BYTES - 1;
    char *copy = strndup(name.n ? name.p : "", name.n < most ? name.n : most);

    free(login->name);
    login->name = copy;
    return copy != NULL;
}

static bool login_begins(struct login *login)
{
    login_proof_failed(login);
    login_out(login);
    login_name(login->method, sizeof login->method, postern_span_of(login->question.method));
    return set_name(login, login->question.user);
}

static void answer_held(void *arg)
{
    struct login *login = arg;
    char *held = login->held_name;
    struct postern_span name = postern_span_of(held);

    login->held_name = NULL;
    if (login->held == POSTERN_NO_CREDENTIALS)
        note_failure(login);
    if (!name.n)
        name = (struct postern_span){NULL, 0};
    login->answer(login->session, login->held, name);
    free(held);
}

/* I 11.7-4 */
static void hold(struct login *login, enum postern_verdict verdict, const char *name)
{
    postern_time wait = wait_for(login, verdict == POSTERN_YES);

    free(login->held_name);
    login->held_name = strndup(name ? name : "", LOGIN_NAME_BYTES - 1);
    login->held = login->held_name ? verdict : POSTERN_NO_TEMPORARY;
    if (!wait || login->site->work->later(login->conn, wait, answer_held, login) < 0)
        answer_held(login);
}

/* ---- work that blocks ------------------------------------------------------------------------ */

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
    hold(login, job->verdict, job->verdict == POSTERN_YES ? job->name : "");
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

    hold(login, good ? POSTERN_YES : POSTERN_NO_CREDENTIALS, "");
}

void login_check(struct login *login)
{
    const struct login_question *q = &login->question;
    bool token = q->mechanism & (POSTERN_SASL_OAUTHBEARER | POSTERN_SASL_XOAUTH2);
    char name[LOGIN_NAME_BYTES];

    if (!login_begins(login))
        hold(login, POSTERN_NO_TEMPORARY, "");
    else if (refused_in_the_clear(login))
        hold(login, POSTERN_NO_POLICY, "");
    else if (q->mechanism == POSTERN_SASL_EXTERNAL)
        check_external(login);
    else if (!token && accounts_check_cached(login->site->accounts, q->user, q->authorize,
                                             q->secret, name) == POSTERN_YES)
        login->answer(login->session, POSTERN_YES, postern_span_of(name));
    else
        check(login, token);
}

/* ---- SCRAM and APOP -------------------------------------------------------------------------- */

static void lookup_work(struct login_job *job)
{
    job->verdict = accounts_secrets(job->accounts, job->user, job->hash, &job->secrets);
}

/* lookup_finish - an unknown user gets decoys: it takes as long as for a known one. */
static void lookup_finish(struct login *login, struct login_job *job)
{
    bool decoys = job->verdict == POSTERN_NO_CREDENTIALS;

    login->proof_due = job->verdict == POSTERN_YES || decoys;
    login->keys(login->session, decoys ? POSTERN_YES : job->verdict,
                job->verdict == POSTERN_YES ? &job->secrets : NULL);
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

    if (!login_begins(login)) {
        login->keys(login->session, POSTERN_NO_TEMPORARY, NULL);
        return;
    }
    wait = wait_for(login, true);
    if (!wait || login->site->work->later(login->conn, wait, lookup_now, login) < 0)
        lookup_now(login);
}

struct postern_scram_keys login_scram_keys(const struct account_secrets *found)
{
    return (struct postern_scram_keys){
        .salt = span_make((const char *)found->salt, found->salt_bytes),
        .iterations = found->iterations,
        .stored_key = span_make((const char *)found->stored_key, found->key_bytes),
        .server_key = span_make((const char *)found->server_key, found->key_bytes)};
}

/* ---- in and out ------------------------------------------------------------------------------ */

enum postern_verdict login_accept(struct login *login, struct postern_span user,
                                  struct postern_span *text_r)
{
    int r;

    login->proof_due = false;
    delays_good(login);
    login_out(login);
    *text_r = (struct postern_span){NULL, 0};
    if (!set_name(login, user))
        return POSTERN_NO_TEMPORARY;
    r = login->site->user_in ? login->site->user_in(login->site->ctx, user) : 0;
    if (r == POSTERN_E_AGAIN)
        return POSTERN_NO_LOGIN_DELAY; /* R46 */
    if (r < 0) {
        *text_r = SPAN("too many connections of this user");
        return POSTERN_NO_TEMPORARY;
    }
    login->counted = login->site->user_in != NULL;
    login->is_in = true;
    login->stamp = accounts_stamp(login->site->accounts, user);
    return POSTERN_YES;
}

/* address_length - "192.0.2.1:4711" and "[2001:db8::1]:4711": all up to the last colon */
static size_t address_length(const char *peer)
{
    const char *colon = strrchr(peer, ':');

    return colon ? (size_t)(colon - peer) : strlen(peer);
}

void login_init(struct login *login, const struct serve_site *site, void *conn,
                struct postern_span peer, postern_time now)
{
    login->site = site;
    login->conn = conn;
    login->now = now;
    login_name(login->peer, sizeof login->peer, peer);
    login->address_n = address_length(login->peer);
}

void login_done(struct login *login)
{
    login_proof_failed(login);
    if (login->failures && !login->ever_in && login->site->struck)
        login->site->struck(login->site->ctx, login->conn);
    login_out(login);
    free(login->held_name);
    free(login->name);
    login->held_name = login->name = NULL;
    if (login->job)
        login->job->login = NULL;
}

void login_name(char *out, size_t size, struct postern_span name)
{
    size_t n = name.n < size ? name.n : size - 1;

    if (n)
        memcpy(out, name.p, n);
    out[n] = '\0';
}

void login_log(struct login *login, const char *event, const char *key1, const char *value1,
               const char *key2, const char *value2)
{
    const char *pairs[] = {"user", login->name ? login->name : "", key1, value1, key2, value2,
                           NULL};

    if (login->site->work->log)
        login->site->work->log(login->conn, event, pairs);
}

void login_log_error(struct login *login, const char *what, int err)
{
    if (err != POSTERN_E_NOT_FOUND && err != POSTERN_E_IN_USE)
        login_log(login, "error", "what", what, "why", postern_err_text(err));
}
