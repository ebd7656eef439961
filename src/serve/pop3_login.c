/* SPDX-License-Identifier: MIT */
/* pop3_login - credentials: checked from the cache at once, else on a worker; answers held back
 * after failures.
 *
 * Delays: an address that failed waits for every answer, right or wrong, so that the waiting tells
 * a guesser nothing; a user name that failed waits only for the wrong ones, so that nobody can be
 * locked out by others. A recent success with the very same credentials (the cache) waits for
 * nothing. Trap: of SCRAM and APOP only the engine knows how they ended; a lookup that is not
 * followed by an OPEN counts as failed when the next login, or the end, comes. */
#include "serve/pop3_session.h"

#include "base/span.h"

static void delays_guard(const struct serve_site *site, bool on)
{
    if (!site->delays_lock)
        return;
    if (on)
        pthread_mutex_lock(site->delays_lock);
    else
        pthread_mutex_unlock(site->delays_lock);
}

static struct postern_span address_of(const struct serve_pop3 *s)
{
    return span_make(s->peer, s->address_n);
}

static postern_time wait_for(struct serve_pop3 *s, bool good)
{
    struct delays *delays = s->site->delays;
    postern_time address, user = 0;

    if (!delays)
        return 0;
    delays_guard(s->site, true);
    address = delays_wait(delays, address_of(s), s->now);
    if (!good)
        user = delays_wait(delays, postern_span_of(s->tried), s->now);
    delays_guard(s->site, false);
    return address > user ? address : user;
}

static void note_failure(struct serve_pop3 *s)
{
    struct delays *delays = s->site->delays;

    s->failures++;
    if (delays) {
        delays_guard(s->site, true);
        delays_failed(delays, address_of(s), s->now);
        delays_failed(delays, postern_span_of(s->tried), s->now);
        delays_guard(s->site, false);
    }
    pop3_log(s, "login-failed", "method", s->method, NULL, NULL);
}

void pop3_delays_good(struct serve_pop3 *s)
{
    if (!s->site->delays)
        return;
    delays_guard(s->site, true);
    delays_succeeded(s->site->delays, postern_span_of(s->tried));
    delays_guard(s->site, false);
}

void pop3_proof_failed(struct serve_pop3 *s)
{
    if (!s->proof_due)
        return;
    s->proof_due = false;
    note_failure(s);
}

void pop3_logged_out(struct serve_pop3 *s)
{
    if (s->counted && s->site->user_out)
        s->site->user_out(s->site->ctx, postern_span_of(s->user));
    s->counted = false;
    s->user[0] = '\0';
}

static void login_begins(struct serve_pop3 *s)
{
    pop3_proof_failed(s);
    pop3_logged_out(s);
    pop3_name(s->tried, sizeof s->tried, s->question.login.user);
    pop3_name(s->method, sizeof s->method, postern_span_of(s->question.login.method));
}

static void answer_held(void *arg)
{
    struct serve_pop3 *s = arg;
    struct postern_span name = postern_span_of(s->held_name);

    if (s->held == POSTERN_NO_CREDENTIALS)
        note_failure(s);
    if (!name.n)
        name = (struct postern_span){NULL, 0};
    postern_pop3_answer_authenticate(s->engine, s->question.id, s->held, name,
                                     (struct postern_span){NULL, 0});
}

static void hold(struct serve_pop3 *s, enum postern_verdict verdict, const char *name)
{
    postern_time wait = wait_for(s, verdict == POSTERN_YES);

    s->held = verdict;
    pop3_name(s->held_name, sizeof s->held_name, postern_span_of(name));
    if (!wait || s->site->work->later(s->conn, wait, answer_held, s) < 0)
        answer_held(s);
}

static int check_work(struct pop3_job *job)
{
    struct accounts *accounts = job->site->accounts;

    if (job->token)
        job->verdict = accounts_token(accounts, job->user, job->secret, job->name);
    else
        job->verdict = accounts_check(accounts, job->user, job->authorize, job->secret, job->name);
    return 0;
}

static void check_finish(struct serve_pop3 *s, struct pop3_job *job)
{
    hold(s, job->verdict, job->verdict == POSTERN_YES ? job->name : "");
}

static void check(struct serve_pop3 *s, bool token)
{
    struct postern_span user = s->question.login.user, authorize = s->question.login.authorize;
    struct postern_span secret = s->question.login.secret;
    struct pop3_job *job = pop3_job_new(s, user.n + authorize.n + secret.n);

    if (job) {
        job->work = check_work;
        job->finish = check_finish;
        job->token = token;
        job->user = pop3_job_copy(job, user);
        job->authorize = pop3_job_copy(job, authorize);
        job->secret = pop3_job_copy(job, secret);
    }
    pop3_job_run(s, job);
}

/* R64 R97: per user, and said before the credentials are looked at. */
static bool refused_in_the_clear(struct serve_pop3 *s)
{
    char value[8];

    if (s->question.login.tls)
        return false;
    return accounts_value(s->site->accounts, s->question.login.user, "plaintext", value,
                          sizeof value) &&
           strcmp(value, "no") == 0;
}

/* R98: the certificate proved the name; all that is left is whether we know it. */
static void check_external(struct serve_pop3 *s)
{
    struct postern_span user = s->question.login.user, authorize = s->question.login.authorize;
    bool same = !authorize.n || span_equal(user, authorize);
    bool good = user.n && same && accounts_stamp(s->site->accounts, user) != 0;

    hold(s, good ? POSTERN_YES : POSTERN_NO_CREDENTIALS, "");
}

void pop3_authenticate(struct serve_pop3 *s)
{
    const struct postern_pop3_question *q = &s->question;
    bool token = q->login.mechanism & (POSTERN_SASL_OAUTHBEARER | POSTERN_SASL_XOAUTH2);
    char name[POP3_NAME_BYTES];

    login_begins(s);
    if (refused_in_the_clear(s)) {
        hold(s, POSTERN_NO_POLICY, "");
    } else if (q->login.mechanism == POSTERN_SASL_EXTERNAL) {
        check_external(s);
    } else if (!token && accounts_check_cached(s->site->accounts, q->login.user, q->login.authorize,
                                               q->login.secret, name) == POSTERN_YES) {
        postern_pop3_answer_authenticate(s->engine, q->id, POSTERN_YES, postern_span_of(name),
                                         (struct postern_span){NULL, 0});
    } else {
        check(s, token);
    }
}

/* ---- SCRAM and APOP -------------------------------------------------------------------------- */

static int lookup_work(struct pop3_job *job)
{
    job->verdict = accounts_secrets(job->site->accounts, job->user, job->hash, &job->secrets);
    return 0;
}

static void lookup_finish(struct serve_pop3 *s, struct pop3_job *job)
{
    const struct account_secrets *found = &job->secrets;
    struct postern_pop3_keys keys = {
        .scram = {.salt = span_make((const char *)found->salt, found->salt_bytes),
                  .iterations = found->iterations,
                  .stored_key = span_make((const char *)found->stored_key, found->key_bytes),
                  .server_key = span_make((const char *)found->server_key, found->key_bytes)},
        .apop_secret = span_make(found->apop, found->apop_bytes),
        .user = postern_span_of(found->user),
    };
    struct postern_span none = {NULL, 0};

    s->proof_due = job->verdict == POSTERN_YES || job->verdict == POSTERN_NO_CREDENTIALS;
    if (job->verdict == POSTERN_YES)
        postern_pop3_answer_keys(s->engine, s->question.id, POSTERN_YES, &keys, none);
    else if (job->verdict == POSTERN_NO_CREDENTIALS) /* decoys: as long as for a known user */
        postern_pop3_answer_keys(s->engine, s->question.id, POSTERN_YES, NULL, none);
    else
        postern_pop3_answer_keys(s->engine, s->question.id, job->verdict, NULL, none);
}

static enum postern_hash hash_of(unsigned mechanism)
{
    if (mechanism & (POSTERN_SASL_SCRAM_SHA_256 | POSTERN_SASL_SCRAM_SHA_256_PLUS))
        return POSTERN_HASH_SHA256;
    return mechanism ? POSTERN_HASH_SHA1 : POSTERN_HASH_MD5;
}

static void lookup_now(void *arg)
{
    struct serve_pop3 *s = arg;
    struct pop3_job *job = pop3_job_new(s, s->question.login.user.n);

    if (job) {
        job->work = lookup_work;
        job->finish = lookup_finish;
        job->hash = hash_of(s->question.login.mechanism);
        job->user = pop3_job_copy(job, s->question.login.user);
    }
    pop3_job_run(s, job);
}

void pop3_lookup(struct serve_pop3 *s)
{
    postern_time wait;

    login_begins(s);
    wait = wait_for(s, true);
    if (!wait || s->site->work->later(s->conn, wait, lookup_now, s) < 0)
        lookup_now(s);
}
