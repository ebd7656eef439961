/* SPDX-License-Identifier: MIT */
/* login - who a session is: named, counted in and out, and what is told of it. */
#include "serve/login.h"

#include "base/span.h"
#include <stdlib.h>

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

bool login_set_name(struct login *login, struct postern_span name)
{
    size_t most = LOGIN_NAME_BYTES - 1;
    char *copy = strndup(name.n ? name.p : "", name.n < most ? name.n : most);

    free(login->name);
    login->name = copy;
    return copy != NULL;
}

bool login_begin(struct login *login)
{
    login_proof_failed(login);
    login_out(login);
    login_name(login->method, sizeof login->method, postern_span_of(login->question.method));
    return login_set_name(login, login->question.user);
}

enum postern_verdict login_accept(struct login *login, struct postern_span user,
                                  struct postern_span *text_r)
{
    int r;

    login->proof_due = false;
    login_note_success(login);
    login_out(login);
    *text_r = (struct postern_span){NULL, 0};
    if (!login_set_name(login, user))
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
    login_forget_check(login);
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

void login_entered(struct login *login)
{
    login->ever_in = true;
    login_log(login, "login", "method", login->method, NULL, NULL);
}

void login_log_error(struct login *login, const char *what, int err)
{
    if (err != POSTERN_E_NOT_FOUND && err != POSTERN_E_IN_USE)
        login_log(login, "error", "what", what, "why", postern_err_text(err));
}
