/* SPDX-License-Identifier: MIT */
/* pam - accounts through PAM (a build option). Passwords only: PAM stores nothing that SCRAM or
 * APOP need. */
#include "accounts/internal.h"

#ifdef POSTERN_WITH_PAM
#include "accounts/table.h"
#include "base/span.h"
#include <security/pam_appl.h>
#include <stdlib.h>

/* answer - give the password to every prompt without echo, the way of all mail servers. */
static int answer(int count, const struct pam_message **messages, struct pam_response **answers_r,
                  void *password)
{
    struct pam_response *answers = calloc((size_t)count, sizeof *answers);

    if (!answers)
        return PAM_BUF_ERR;
    for (int i = 0; i < count; i++)
        if (messages[i]->msg_style == PAM_PROMPT_ECHO_OFF)
            answers[i].resp = strdup(password);
    *answers_r = answers;
    return PAM_SUCCESS;
}

static enum postern_verdict pam_verdict(int result)
{
    switch (result) {
    case PAM_SUCCESS:
        return POSTERN_YES;
    case PAM_AUTH_ERR:
    case PAM_USER_UNKNOWN:
    case PAM_MAXTRIES:
        return POSTERN_NO_CREDENTIALS;
    case PAM_ACCT_EXPIRED:
    case PAM_PERM_DENIED:
    case PAM_NEW_AUTHTOK_REQD:
        return POSTERN_NO_POLICY;
    default:
        return POSTERN_NO_TEMPORARY;
    }
}

static enum postern_verdict pam_check(struct accounts *accounts, struct postern_span user,
                                      struct postern_span authorize, struct postern_span password)
{
    char name[256], phrase[512];
    struct pam_conv conversation = {.conv = answer, .appdata_ptr = phrase};
    pam_handle_t *pam = NULL;
    int result;

    if (!account_name_is_good(user) || password.n >= sizeof phrase ||
        span_find(password, '\0') < password.n || (authorize.n && !span_equal(user, authorize)))
        return POSTERN_NO_CREDENTIALS;
    memcpy(name, user.p, user.n);
    name[user.n] = '\0';
    memcpy(phrase, password.p ? password.p : "", password.n);
    phrase[password.n] = '\0';
    result = pam_start(accounts->self, name, &conversation, &pam);
    if (result == PAM_SUCCESS)
        result = pam_authenticate(pam, PAM_SILENT);
    if (result == PAM_SUCCESS)
        result = pam_acct_mgmt(pam, PAM_SILENT);
    pam_end(pam, result);
    secret_wipe(phrase, sizeof phrase);
    return pam_verdict(result);
}

static enum postern_verdict pam_token(struct accounts *accounts, struct postern_span user,
                                      struct postern_span token)
{
    (void)accounts, (void)user, (void)token;
    return POSTERN_NO_CREDENTIALS;
}

static enum postern_verdict pam_secrets(struct accounts *accounts, struct postern_span user,
                                        enum postern_hash hash, struct account_secrets *secrets_r)
{
    (void)accounts, (void)user, (void)hash, (void)secrets_r;
    return POSTERN_NO_CREDENTIALS;
}

/* pam_stamp - PAM cannot tell when a password changed: a constant, so the cache of successes would
 * never forget; 0 would refuse WAKE. The cache is therefore off for PAM: check() is always asked.
 */
static uint64_t pam_stamp(struct accounts *accounts, struct postern_span user)
{
    (void)accounts;
    return account_name_is_good(user);
}

static bool pam_value(struct accounts *accounts, struct postern_span user, const char *key,
                      char *out, size_t size)
{
    (void)accounts, (void)user, (void)key, (void)out, (void)size;
    return false;
}

static int pam_reload(struct accounts *accounts)
{
    (void)accounts;
    return 0;
}

static void pam_free(struct accounts *accounts)
{
    free(accounts->self);
}

int accounts_pam_new(struct accounts **accounts_r, const char *service)
{
    static const struct account_kind kind = {.check = pam_check,
                                             .token = pam_token,
                                             .secrets = pam_secrets,
                                             .stamp = pam_stamp,
                                             .value = pam_value,
                                             .reload = pam_reload,
                                             .free = pam_free,
                                             .uncached = true};
    char *copy = strdup(service);
    int err = copy ? accounts_new(accounts_r, &kind, copy) : POSTERN_E_NOMEM;

    if (err < 0)
        free(copy);
    return err;
}
#endif
