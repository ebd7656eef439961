/* SPDX-License-Identifier: MIT */
/* login_delay - answers held back after failures.
 *
 * An address that failed waits for every answer, right or wrong, so that the waiting tells a
 * guesser nothing; a user name that failed waits only for the wrong ones, so that nobody can be
 * locked out by others. A recent success with the very same credentials (the cache) waits for
 * nothing. Trap: of SCRAM and APOP only the engine knows how they ended; a lookup that is not
 * followed by an opening counts as failed when the next login, or the end, comes. */
#include "serve/login.h"

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

postern_time login_wait(struct login *login, bool good)
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
void login_note_failure(struct login *login)
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

void login_note_success(struct login *login)
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
    login_note_failure(login);
}

static void answer_held(void *arg)
{
    struct login *login = arg;
    char *held = login->held_name;
    struct postern_span name = postern_span_of(held);

    login->held_name = NULL;
    if (login->held == POSTERN_NO_CREDENTIALS)
        login_note_failure(login);
    if (!name.n)
        name = (struct postern_span){NULL, 0};
    login->answer(login->session, login->held, name);
    free(held);
}

/* I 11.7-4 */
void login_hold(struct login *login, enum postern_verdict verdict, const char *name)
{
    postern_time wait = login_wait(login, verdict == POSTERN_YES);

    free(login->held_name);
    login->held_name = strndup(name ? name : "", LOGIN_NAME_BYTES - 1);
    login->held = login->held_name ? verdict : POSTERN_NO_TEMPORARY;
    if (!wait || login->site->work->later(login->conn, wait, answer_held, login) < 0)
        answer_held(login);
}
