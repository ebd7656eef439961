/* SPDX-License-Identifier: MIT */
/* dev - accounts of a disposable server: every name exists, with one password or with any. */
#include "accounts/internal.h"

#include "accounts/keys.h"
#include "accounts/table.h"
#include "base/span.h"
#include <stdlib.h>

static enum postern_verdict dev_check(struct accounts *accounts, struct postern_span user,
                                      struct postern_span authorize, struct postern_span password)
{
    const char *wanted = accounts->self;

    if (!account_name_is_good(user) || (authorize.n && !account_name_is_good(authorize)))
        return POSTERN_NO_CREDENTIALS;
    return !wanted || span_same_secret(password, postern_span_of(wanted)) ? POSTERN_YES
                                                                          : POSTERN_NO_CREDENTIALS;
}

static enum postern_verdict dev_token(struct accounts *accounts, struct postern_span user,
                                      struct postern_span token)
{
    return dev_check(accounts, user, (struct postern_span){NULL, 0}, token);
}

static enum postern_verdict dev_secrets(struct accounts *accounts, struct postern_span user,
                                        enum postern_hash hash, struct account_secrets *secrets_r)
{
    const char *wanted = accounts->self;

    if (!wanted || !account_name_is_good(user))
        return POSTERN_NO_CREDENTIALS;
    if (hash == POSTERN_HASH_MD5) {
        secrets_r->apop_bytes = strlen(wanted) < sizeof secrets_r->apop ? strlen(wanted) : 0;
        memcpy(secrets_r->apop, wanted, secrets_r->apop_bytes);
        return POSTERN_YES;
    }
    /* one salt for all: these keys guard nothing */
    memset(secrets_r->salt, 'x', KEYS_SALT_BYTES);
    secrets_r->salt_bytes = KEYS_SALT_BYTES;
    return keys_make(hash, postern_span_of(wanted), secrets_r) < 0 ? POSTERN_NO_TEMPORARY
                                                                   : POSTERN_YES;
}

static uint64_t dev_stamp(struct accounts *accounts, struct postern_span user)
{
    (void)accounts;
    return account_name_is_good(user);
}

static bool dev_value(struct accounts *accounts, struct postern_span user, const char *key,
                      char *out, size_t size)
{
    (void)accounts, (void)user, (void)key, (void)out, (void)size;
    return false;
}

static int dev_reload(struct accounts *accounts)
{
    (void)accounts;
    return 0;
}

static void dev_free(struct accounts *accounts)
{
    free(accounts->self);
}

int accounts_dev_new(struct accounts **accounts_r, const char *password)
{
    static const struct account_kind kind = {.check = dev_check,
                                             .token = dev_token,
                                             .secrets = dev_secrets,
                                             .stamp = dev_stamp,
                                             .value = dev_value,
                                             .reload = dev_reload,
                                             .free = dev_free};
    char *copy = password ? strdup(password) : NULL;
    int err = password && !copy ? POSTERN_E_NOMEM : accounts_new(accounts_r, &kind, copy);

    if (err < 0)
        free(copy);
    return err;
}
