/* SPDX-License-Identifier: MIT */
/* accounts - what all kinds have in common: the door, and the cache of recent successes.
 * yescrypt costs 15 ms a login; a client that comes every minute should pay it once. The cache
 * keeps no password, only HMACs under a key of this process, and includes the account's stamp, so
 * that a changed password is forgotten with it. */
#include "accounts/internal.h"

#include "base/span.h"
#include "base/buffer.h"
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>

static _Thread_local char error_text[512];

const char *accounts_error(void)
{
    return error_text[0] ? error_text : "no error";
}

void accounts_set_error(const char *path, unsigned line, const char *why)
{
    if (line)
        snprintf(error_text, sizeof error_text, "%s:%u: %s", path, line, why);
    else
        snprintf(error_text, sizeof error_text, "%s: %s", path, why);
}

/* keyed_hash - ready for octets: looking the algorithm up by its name takes longer than a hash. */
static EVP_MAC_CTX *keyed_hash(void)
{
    char name[] = "SHA256";
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                           OSSL_PARAM_construct_end()};
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *hmac = mac ? EVP_MAC_CTX_new(mac) : NULL;
    unsigned char key[32];

    if (hmac && (RAND_bytes(key, sizeof key) != 1 || !EVP_MAC_init(hmac, key, sizeof key, params))) {
        EVP_MAC_CTX_free(hmac);
        hmac = NULL;
    }
    secret_wipe(key, sizeof key);
    EVP_MAC_free(mac);
    return hmac;
}

int accounts_new(struct accounts **accounts_r, const struct account_kind *kind, void *self)
{
    struct accounts *accounts = calloc(1, sizeof *accounts);

    if (!accounts)
        return POSTERN_E_NOMEM;
    accounts->hmac = keyed_hash();
    if (!accounts->hmac) {
        free(accounts);
        return POSTERN_E_IO;
    }
    accounts->kind = kind;
    accounts->self = self;
    pthread_mutex_init(&accounts->mutex, NULL);
    *accounts_r = accounts;
    return 0;
}

void accounts_free(struct accounts **accounts_p)
{
    struct accounts *accounts = accounts_p ? *accounts_p : NULL;

    if (!accounts)
        return;
    accounts->kind->free(accounts);
    pthread_mutex_destroy(&accounts->mutex);
    EVP_MAC_CTX_free(accounts->hmac);
    secret_wipe(accounts, sizeof *accounts);
    free(accounts);
    *accounts_p = NULL;
}

int accounts_reload(struct accounts *accounts)
{
    return accounts->kind->reload(accounts);
}

static void name_out(struct postern_span user, struct postern_span authorize, char *user_r)
{
    struct postern_span name = authorize.n ? authorize : user;

    memcpy(user_r, name.p, name.n < 255 ? name.n : 255);
    user_r[name.n < 255 ? name.n : 255] = '\0';
}

/* cache_mark - the keyed hash of one login; false when it cannot be made. */
static bool cache_mark(struct accounts *accounts, struct postern_span user,
                       struct postern_span authorize, struct postern_span password,
                       unsigned char mark[32])
{
    uint64_t stamp = accounts->kind->stamp(accounts, user);
    struct postern_span parts[] = {user, authorize, password,
                                   span_make((const char *)&stamp, sizeof stamp)};
    struct buffer all = {0};
    EVP_MAC_CTX *hmac = NULL;
    bool ok;

    for (size_t i = 0; i < 4; i++) {
        buffer_append_number(&all, parts[i].n); /* lengths keep the parts apart */
        buffer_append_char(&all, ':');
        buffer_append(&all, parts[i]);
    }
    ok = stamp && !accounts->kind->uncached && !all.error &&
         (hmac = EVP_MAC_CTX_dup(accounts->hmac)) &&
         EVP_MAC_update(hmac, (const unsigned char *)buffer_span(&all).p, buffer_length(&all)) &&
         EVP_MAC_final(hmac, mark, NULL, 32);
    EVP_MAC_CTX_free(hmac);
    buffer_done(&all);
    return ok;
}

static unsigned char *cache_row(struct accounts *accounts, const unsigned char mark[32])
{
    return accounts->cache[(mark[0] | mark[1] << 8) % CACHE_ROWS];
}

enum postern_verdict accounts_check_cached(struct accounts *accounts, struct postern_span user,
                                           struct postern_span authorize,
                                           struct postern_span password, char *user_r)
{
    unsigned char mark[32];
    bool known;

    if (!cache_mark(accounts, user, authorize, password, mark))
        return POSTERN_NO_TEMPORARY;
    pthread_mutex_lock(&accounts->mutex);
    known = span_same_secret(span_make((const char *)cache_row(accounts, mark), 32),
                             span_make((const char *)mark, 32));
    pthread_mutex_unlock(&accounts->mutex);
    if (!known)
        return POSTERN_NO_TEMPORARY;
    name_out(user, authorize, user_r);
    return POSTERN_YES;
}

enum postern_verdict accounts_check(struct accounts *accounts, struct postern_span user,
                                    struct postern_span authorize, struct postern_span password,
                                    char *user_r)
{
    enum postern_verdict verdict = accounts->kind->check(accounts, user, authorize, password);
    unsigned char mark[32];

    if (verdict != POSTERN_YES)
        return verdict;
    name_out(user, authorize, user_r);
    if (cache_mark(accounts, user, authorize, password, mark)) {
        pthread_mutex_lock(&accounts->mutex);
        memcpy(cache_row(accounts, mark), mark, sizeof mark);
        pthread_mutex_unlock(&accounts->mutex);
    }
    return verdict;
}

enum postern_verdict accounts_token(struct accounts *accounts, struct postern_span user,
                                    struct postern_span token, char *user_r)
{
    enum postern_verdict verdict = accounts->kind->token(accounts, user, token);

    if (verdict == POSTERN_YES)
        name_out(user, (struct postern_span){NULL, 0}, user_r);
    return verdict;
}

enum postern_verdict accounts_secrets(struct accounts *accounts, struct postern_span user,
                                      enum postern_hash hash, struct account_secrets *secrets_r)
{
    memset(secrets_r, 0, sizeof *secrets_r);
    name_out(user, (struct postern_span){NULL, 0}, secrets_r->user);
    return accounts->kind->secrets(accounts, user, hash, secrets_r);
}

uint64_t accounts_stamp(struct accounts *accounts, struct postern_span user)
{
    return accounts->kind->stamp(accounts, user);
}

bool accounts_value(struct accounts *accounts, struct postern_span user, const char *key, char *out,
                    size_t size)
{
    return accounts->kind->value(accounts, user, key, out, size);
}
