/* SPDX-License-Identifier: MIT */
/* accounts - who may log in. A password file, PAM (build option), or "anybody" (postern dev).
 * Calls block (hashing, file reading): make them on a worker thread. All are thread-safe. */
#ifndef ACCOUNTS_ACCOUNTS_H
#define ACCOUNTS_ACCOUNTS_H

#include <postern/engine.h>
#include <postern/sasl.h>

struct accounts;

/* accounts_file_new - a password file, one `user:hash:key=value...` a line, read again when it
 * changes. POSTERN_E_NOT_FOUND, _IO, _SYNTAX (see accounts_error()). given. */
int accounts_file_new(struct accounts **accounts_r, const char *path);
/* accounts_dev_new - any user with the password `password` (NULL: any password); SCRAM and APOP
 * work too. given. */
int accounts_dev_new(struct accounts **accounts_r, const char *password);
#ifdef POSTERN_WITH_PAM
int accounts_pam_new(struct accounts **accounts_r, const char *service);
#endif
void accounts_free(struct accounts **accounts);
/* accounts_reload - read the file again now; on failure the old content stays. */
int accounts_reload(struct accounts *accounts);
/* accounts_error - "FILE:LINE: why" of the last failure on this thread; never NULL. */
const char *accounts_error(void);

/* accounts_check - is this the user's password? As slow for an unknown user as for a known one.
 * Returns POSTERN_YES, _NO_CREDENTIALS, _NO_TEMPORARY, _NO_POLICY (disabled). user_r: at least 256
 * bytes, the canonical name. authorize absent = same as user; acting for another needs the key
 * `master=yes`. */
enum postern_verdict accounts_check(struct accounts *accounts, struct postern_span user,
                                    struct postern_span authorize,
                                    struct postern_span password, char *user_r);
/* accounts_check_cached - the same from a cache of recent successes (keyed hash; never blocks):
 * YES, or NO_TEMPORARY when it does not know, and accounts_check() must be called. */
enum postern_verdict accounts_check_cached(struct accounts *accounts, struct postern_span user,
                                           struct postern_span authorize, struct postern_span password, char *user_r);
/* accounts_token - a bearer token: file key `token=HASH`(crypt) ; NO_CREDENTIALS when none. */
enum postern_verdict accounts_token(struct accounts *accounts, struct postern_span user,
                                    struct postern_span token,
                                    char *user_r);
/* struct account_secrets - what is stored for SCRAM and APOP; absent where not stored. */
struct account_secrets {
    char user[256];
    unsigned char salt[64], stored_key[32], server_key[32];
    size_t salt_bytes, key_bytes;
    uint32_t iterations;
    char apop[256];
    size_t apop_bytes;
};
/* accounts_secrets - for SCRAM (mechanism's hash) or APOP (hash MD5). YES, NO_CREDENTIALS (unknown
 * or nothing stored), NO_TEMPORARY, NO_POLICY. Wipe secrets_r after use. */
enum postern_verdict accounts_secrets(struct accounts *accounts, struct postern_span user,
                                      enum postern_hash hash,
                                      struct account_secrets *secrets_r);
/* accounts_stamp - a number that changes when the user's password or enabledness changes; 0 when
 * there is no such user or it is disabled. Does not block. (WAKE compares it.) */
uint64_t accounts_stamp(struct accounts *accounts, struct postern_span user);
/* accounts_value - the value of key in the user's line, e.g. "plaintext"; false when not there. out
 * NUL-terminated. */
bool accounts_value(struct accounts *accounts, struct postern_span user, const char *key,
                    char *out, size_t size);

/* ---- editing the file (postern user ...): each replaces the file atomically and durably ---- */
struct account_change {
    struct postern_span user, password; /* password absent: unchanged (set) */
    const char *hash_prefix;            /* crypt(3) prefix; NULL = "$y$" */
    bool scram, apop;                   /* also store SCRAM-SHA-256 keys / the APOP secret (in the
                                         * clear: R34) */
    bool disabled;
};
int accounts_file_add(const char *path, const struct account_change *change);  /* POSTERN_E_EXISTS,
                                                                                * _SYNTAX (bad
                                                                                * name) */
/* POSTERN_E_NOT_FOUND */
int accounts_file_set(const char *path, const struct account_change *change);
/* POSTERN_E_NOT_FOUND */
int accounts_file_del(const char *path, struct postern_span user);
int accounts_file_each(const char *path, int (*each)(void *ctx, struct postern_span user,
                       bool disabled, bool scram,
                                                     bool apop), void *ctx);

/* ---- growing delays (pure bookkeeping; time comes in) ---- */
struct delays;
int delays_new(struct delays **delays_r, size_t entries_max);
void delays_free(struct delays **delays);
/* delays_failed / delays_succeeded - note the outcome for an address or a user name key. */
void delays_failed(struct delays *delays, struct postern_span key, postern_time now);
void delays_succeeded(struct delays *delays, struct postern_span key);
/* delays_wait - how long an answer for this key must be held back now (0..15 s, doubling). */
postern_time delays_wait(struct delays *delays, struct postern_span key, postern_time now);

#endif
