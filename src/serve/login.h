/* SPDX-License-Identifier: MIT */
/* login - who a session is, for every protocol: credentials checked, answers held back after
 * failures, users counted in and out. */
#ifndef SERVE_LOGIN_H
#define SERVE_LOGIN_H

#include "serve/serve.h"

#define LOGIN_NAME_BYTES 256

/* struct login_question - credentials; spans lent until the answer. */
struct login_question {
    const char *method;
    unsigned mechanism; /* enum postern_sasl_mechanism; 0: none */
    struct postern_span user, authorize, secret;
    bool tls;
};

/* struct login_keys - what is stored of a user, as the engines want it. borrowed. */
struct login_keys {
    struct postern_scram_keys scram;
    struct postern_span apop, user;
};

struct login_job;
struct login {
    const struct serve_site *site;
    void *conn;
    void *session; /* handed to the two that follow */
    /* answer - of login_check(): user is the account's name, absent: as sent. */
    void (*answer)(void *session, enum postern_verdict verdict, struct postern_span user);
    /* keys - of login_lookup(): found NULL with YES: decoys. */
    void (*keys)(void *session, enum postern_verdict verdict, const struct login_keys *found);
    struct login_question question; /* the open one */
    struct login_job *job;
    postern_time now; /* the session's clock, kept up by its pump */
    char peer[64];
    size_t address_n; /* the peer's address without its port, for delays */
    char *name;       /* owned: logged in as, or the login under way is for; NULL: none yet */
    bool is_in;       /* logged in */
    char method[24];
    uint64_t stamp; /* of the account at login */
    bool counted;   /* user_in was called */
    bool ever_in;
    bool proof_due; /* keys were given out, the engine has not said how it ended */
    unsigned failures;
    /* the verdict held back until the delay is over */
    enum postern_verdict held;
    char *held_name; /* with it; NULL: none */
};

/* login_init - the rest of *login zero or set already. peer: copied. */
void login_init(struct login *login, const struct serve_site *site, void *conn,
                struct postern_span peer, postern_time now);
/* login_proof_failed - an exchange that was under way did not end in a login. */
void login_proof_failed(struct login *login);
/* login_done - the session ends: what is under way finishes into nothing. */
void login_done(struct login *login);
/* login_check, login_lookup - decide about login->question. */
void login_check(struct login *login);
void login_lookup(struct login *login);
/* login_accept - the credentials were good, the account is to be opened: count the user in. YES, or
 * why not, with text_r. */
enum postern_verdict login_accept(struct login *login, struct postern_span user,
                                  struct postern_span *text_r);
/* login_entered - the account is open: say so. */
void login_entered(struct login *login);
/* login_user - logged in as; "" when not. Lent until the next login. */
const char *login_user(const struct login *login);
/* login_out - count the user out. */
void login_out(struct login *login);
/* login_log - an event with the user and up to two pairs; NULL key: none. */
void login_log(struct login *login, const char *event, const char *key1, const char *value1,
               const char *key2, const char *value2);
void login_log_error(struct login *login, const char *what, int err);
/* login_name - a name as a C string, cut at the buffer's size. */
void login_name(char *out, size_t size, struct postern_span name);

/* between the files of login */
/* login_begin - another login is tried. false: out of memory. */
bool login_begin(struct login *login);
/* login_set_name - false: out of memory; it is none then. */
bool login_set_name(struct login *login, struct postern_span name);
/* login_hold - the answer, at once or when the delay is over. name: the account's; "": as sent. */
void login_hold(struct login *login, enum postern_verdict verdict, const char *name);
/* login_wait - how long an answer is to be held back; 0: not. */
postern_time login_wait(struct login *login, bool good);
/* login_forget_check - one that is under way finishes into nothing. */
void login_forget_check(struct login *login);
void login_note_failure(struct login *login);
void login_note_success(struct login *login);

#endif
