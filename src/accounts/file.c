/* SPDX-License-Identifier: MIT */
/* file - accounts from a password file, read again when it changes (looked at once a second at
 * most). A file that cannot be read or is broken leaves the old content in force: a typing error
 * must not lock everybody out. Trap: what is taken from a line is copied under the mutex, since a
 * reload frees it. */
#include "accounts/internal.h"

#include "accounts/escape.h"
#include "accounts/keys.h"
#include "accounts/table.h"
#include "accounts/watched.h"
#include "base/span.h"
#include <stdio.h>
#include <stdlib.h>

struct password_file {
    char *path;
    struct account_table *table;
    struct watched watched;
};

static int file_read(struct password_file *file)
{
    struct account_table *table = NULL;
    struct stat facts;
    const char *why = "cannot be read";
    unsigned line = 0;
    char *text;
    size_t n;
    int err =
        stat(file->path, &facts) < 0 ? POSTERN_E_NOT_FOUND : read_whole(file->path, &text, &n);

    if (err < 0) {
        accounts_set_error(file->path, 0, postern_err_text(err));
        return err;
    }
    err = table_parse(span_make(text, n), &table, &line, &why);
    secret_wipe(text, n);
    free(text);
    file->watched.seen = facts; /* also of a broken file: it is not read again until it changes */
    if (err < 0) {
        accounts_set_error(file->path, line, why);
        return err;
    }
    table_free(&file->table);
    file->table = table;
    return 0;
}

/* file_look - read it again if it has changed. With the mutex held. */
static struct password_file *file_look(struct accounts *accounts)
{
    struct password_file *file = accounts->self;

    if (watched_has_changed(&file->watched, file->path))
        (void)!file_read(file);
    return file;
}

static size_t copy_out(struct postern_span value, char *out, size_t size)
{
    size_t n = value.n < size ? value.n : 0;

    memcpy(out, value.p ? value.p : "", n);
    out[n] = '\0';
    return n;
}

static enum postern_verdict file_check(struct accounts *accounts, struct postern_span user,
                                       struct postern_span authorize, struct postern_span password)
{
    char hash[512];
    size_t hash_bytes = 0;
    bool known, disabled = false, master = false, target = true;
    const struct account *account;
    struct password_file *file;

    pthread_mutex_lock(&accounts->mutex);
    file = file_look(accounts);
    account = table_find(file->table, user);
    known = account != NULL;
    if (known) {
        hash_bytes = copy_out(account->hash, hash, sizeof hash);
        disabled = account_is_disabled(account);
        master = span_equal(account_value(account, "master"), SPAN("yes"));
    }
    if (authorize.n && !span_equal(authorize, user))
        target = master && table_find(file->table, authorize);
    /* an unknown user costs what the first known one does (R56, and the trap of timing) */
    if (!known && table_at(file->table, 0))
        hash_bytes = copy_out(table_at(file->table, 0)->hash, hash, sizeof hash);
    pthread_mutex_unlock(&accounts->mutex);
    if (!known) {
        crypt_dummy(password, span_make(hash, hash_bytes));
        return POSTERN_NO_CREDENTIALS;
    }
    if (!crypt_matches(password, span_make(hash, hash_bytes)) || !target)
        return POSTERN_NO_CREDENTIALS;
    return disabled ? POSTERN_NO_POLICY : POSTERN_YES;
}

static bool file_value(struct accounts *accounts, struct postern_span user, const char *key,
                       char *out, size_t size)
{
    const struct account *account;
    struct postern_span value = {NULL, 0};

    pthread_mutex_lock(&accounts->mutex);
    account = table_find(file_look(accounts)->table, user);
    if (account)
        value = account_value(account, key);
    if (value.p)
        copy_out(value, out, size);
    pthread_mutex_unlock(&accounts->mutex);
    return value.p != NULL;
}

static uint64_t file_stamp(struct accounts *accounts, struct postern_span user)
{
    const struct account *account;
    uint64_t stamp;

    pthread_mutex_lock(&accounts->mutex);
    account = table_find(file_look(accounts)->table, user);
    stamp = account && !account_is_disabled(account) ? account->stamp : 0;
    pthread_mutex_unlock(&accounts->mutex);
    return stamp;
}

static enum postern_verdict file_token(struct accounts *accounts, struct postern_span user,
                                       struct postern_span token)
{
    char hash[512];
    bool known = file_value(accounts, user, "token", hash, sizeof hash);

    if (!known) {
        crypt_dummy(token, (struct postern_span){NULL, 0});
        return POSTERN_NO_CREDENTIALS;
    }
    if (!crypt_matches(token, postern_span_of(hash)))
        return POSTERN_NO_CREDENTIALS;
    return file_stamp(accounts, user) ? POSTERN_YES : POSTERN_NO_POLICY;
}

static enum postern_verdict file_secrets(struct accounts *accounts, struct postern_span user,
                                         enum postern_hash hash, struct account_secrets *secrets_r)
{
    const char *key = hash == POSTERN_HASH_MD5    ? "apop"
                      : hash == POSTERN_HASH_SHA1 ? "scram1"
                                                  : "scram256";
    char value[1024];
    int n;

    if (!file_value(accounts, user, key, value, sizeof value))
        return POSTERN_NO_CREDENTIALS;
    if (!file_stamp(accounts, user))
        return POSTERN_NO_POLICY;
    if (hash != POSTERN_HASH_MD5)
        return keys_parse(hash, postern_span_of(value), secrets_r) < 0 ? POSTERN_NO_PERMANENT
                                                                       : POSTERN_YES;
    n = escape_decode(postern_span_of(value), secrets_r->apop, sizeof secrets_r->apop);
    secret_wipe(value, sizeof value);
    secrets_r->apop_bytes = n > 0 ? (size_t)n : 0;
    return n > 0 ? POSTERN_YES : POSTERN_NO_PERMANENT;
}

static int file_reload(struct accounts *accounts)
{
    int err;

    pthread_mutex_lock(&accounts->mutex);
    err = file_read(accounts->self);
    pthread_mutex_unlock(&accounts->mutex);
    return err;
}

static void password_file_free(struct password_file *file)
{
    table_free(&file->table);
    free(file->path);
    free(file);
}

static void file_free(struct accounts *accounts)
{
    password_file_free(accounts->self);
}

int accounts_file_new(struct accounts **accounts_r, const char *path)
{
    static const struct account_kind kind = {.check = file_check,
                                             .token = file_token,
                                             .secrets = file_secrets,
                                             .stamp = file_stamp,
                                             .value = file_value,
                                             .reload = file_reload,
                                             .free = file_free};
    struct password_file *file = calloc(1, sizeof *file);
    int err;

    if (!file || !(file->path = strdup(path))) {
        free(file);
        return POSTERN_E_NOMEM;
    }
    err = file_read(file);
    if (!err)
        err = accounts_new(accounts_r, &kind, file);
    if (err < 0)
        password_file_free(file);
    return err;
}
