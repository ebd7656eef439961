/* SPDX-License-Identifier: MIT */
/* internal - what the kinds of accounts share: a table of functions, a cache, an error text. */
#ifndef ACCOUNTS_INTERNAL_H
#define ACCOUNTS_INTERNAL_H

#include "accounts/accounts.h"
#include <pthread.h>

#define CACHE_ROWS 4096

struct account_kind {
    enum postern_verdict (*check)(struct accounts *, struct postern_span user,
                          struct postern_span authorize,
                                  struct postern_span password);
    enum postern_verdict (*token)(struct accounts *, struct postern_span user,
                          struct postern_span token);
    enum postern_verdict (*secrets)(struct accounts *, struct postern_span user,
                          enum postern_hash hash,
                                    struct account_secrets *secrets_r);
    uint64_t (*stamp)(struct accounts *, struct postern_span user);
    bool (*value)(struct accounts *, struct postern_span user, const char *key, char *out,
          size_t size);
    int (*reload)(struct accounts *);
    void (*free)(struct accounts *);
    bool uncached; /* successes must not be remembered: the stamp does not tell of a changed
                    * password */
};

struct accounts {
    const struct account_kind *kind;
    void *self;
    pthread_mutex_t mutex; /* guards the cache and self */
    void *hmac; /* EVP_MAC_CTX under a key of this process, never used itself but copied */
    unsigned char cache[CACHE_ROWS][32]; /* keyed hashes of recent successes */
};

/* accounts_new - with a fresh cache key. given. */
int accounts_new(struct accounts **accounts_r, const struct account_kind *kind, void *self);
/* accounts_set_error - "PATH:LINE: why" for accounts_error(); line 0 leaves it out. */
void accounts_set_error(const char *path, unsigned line, const char *why);

/* crypt.c */
/* crypt_matches - does password give this crypt(3) hash? */
bool crypt_matches(struct postern_span password, struct postern_span hash);
/* crypt_dummy - spend as long as a check takes, for users that do not exist. */
void crypt_dummy(struct postern_span password, struct postern_span like);
/* crypt_make - a new hash; prefix NULL = yescrypt. out: CRYPT_OUTPUT_SIZE (384) octets. 0,
 * POSTERN_E_UNSUPPORTED. */
int crypt_make(struct postern_span password, const char *prefix, char out[384]);
/* read_whole - a small file's text. given: free(). POSTERN_E_NOT_FOUND, _IO, _NOMEM, _TOO_LONG. */
int read_whole(const char *path, char **text_r, size_t *n_r);

#endif
