/* SPDX-License-Identifier: MIT */
/* postern/sasl.h - server side of SASL mechanisms as a pure step machine (RFC 4422).
 *
 * Mechanisms: PLAIN (RFC 4616), LOGIN, EXTERNAL (RFC 4422 A), OAUTHBEARER (RFC 7628), XOAUTH2,
 * SCRAM-SHA-1, SCRAM-SHA-256 and their -PLUS forms (RFC 5802, 7677; tls-exporter of RFC 9266).
 * Data go in and out decoded; base64 is the protocol's business. */
#ifndef POSTERN_SASL_H
#define POSTERN_SASL_H

#include <postern/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* enum postern_sasl_mechanism - a mask, so that a set of them is an unsigned. */
enum postern_sasl_mechanism {
    POSTERN_SASL_PLAIN = 1,
    POSTERN_SASL_LOGIN = 2,
    POSTERN_SASL_EXTERNAL = 4,
    POSTERN_SASL_OAUTHBEARER = 8,
    POSTERN_SASL_XOAUTH2 = 16,
    POSTERN_SASL_SCRAM_SHA_1 = 32,
    POSTERN_SASL_SCRAM_SHA_1_PLUS = 64,
    POSTERN_SASL_SCRAM_SHA_256 = 128,
    POSTERN_SASL_SCRAM_SHA_256_PLUS = 256,
    POSTERN_SASL_ALL = 511
};

/* postern_sasl_find - the mechanism of that name (any case), or 0. name: borrowed. */
POSTERN_API unsigned postern_sasl_find(struct postern_span name);
/* postern_sasl_name - the registered name of one mechanism; "" for anything else. */
POSTERN_API const char *postern_sasl_name(unsigned mechanism);
/* postern_sasl_is_plaintext - whether the mechanism shows a reusable secret to a listener. */
POSTERN_API bool postern_sasl_is_plaintext(unsigned mechanism);
/* postern_sasl_is_server_first - whether the server speaks first, so that an initial response is an
 * error. */
POSTERN_API bool postern_sasl_is_server_first(unsigned mechanism);

/* enum postern_sasl_state - what a step left. */
enum postern_sasl_state {
    POSTERN_SASL_CHALLENGE = 1, /* send `challenge` (may be empty), then step() with the response */
    POSTERN_SASL_VERIFY,        /* the application decides: postern_sasl_verified() */
    POSTERN_SASL_LOOKUP,        /* the application supplies SCRAM keys: postern_sasl_keys() */
    POSTERN_SASL_DONE,          /* authenticated as `authorized` */
    POSTERN_SASL_FAILED         /* refused */
};

/* struct postern_sasl_facts - the credentials, as far as known. Spans lent until the exchange is
 * freed. */
struct postern_sasl_facts {
    unsigned mechanism;
    struct postern_span authcid;  /* who proves an identity */
    struct postern_span authzid;  /* who it wants to act as; absent = same */
    struct postern_span password; /* PLAIN, LOGIN */
    struct postern_span token;    /* OAUTHBEARER, XOAUTH2: the bearer token; EXTERNAL: absent */
};

/* struct postern_scram_keys - what is stored of a password (RFC 5802 3). borrowed. */
struct postern_scram_keys {
    struct postern_span salt;
    uint32_t iterations;
    struct postern_span stored_key; /* 20 or 32 bytes */
    struct postern_span server_key; /* 20 or 32 bytes */
};

struct postern_sasl_options {
    const struct postern_allocator *allocator; /* NULL = malloc; lent until freed */
    const struct postern_crypto *crypto;       /* NULL = no SCRAM; lent until freed */
    const struct postern_random *random;       /* for SCRAM nonces; lent until freed */
    struct postern_span tls_identity;          /* for EXTERNAL; copied */
    struct postern_span binding_exporter;      /* for -PLUS; copied */
    struct postern_span decoy_key; /* secret from which salts of unknown users are derived;
                                    * copied */
    bool plus_offered;             /* whether -PLUS is advertised (detects downgrades, RFC 5802
                                    * 6) */
};

struct postern_sasl;

/* postern_sasl_new - begin an exchange. sasl_r: given, free with postern_sasl_free().
 * Returns 0, POSTERN_E_NOMEM, POSTERN_E_UNSUPPORTED (mechanism not possible with these options). */
POSTERN_API int postern_sasl_new(struct postern_sasl **sasl_r, unsigned mechanism,
                                 const struct postern_sasl_options *options) POSTERN_MUST_USE;
/* postern_sasl_free - wipe and free; NULL and *NULL are fine. */
POSTERN_API void postern_sasl_free(struct postern_sasl **sasl);
/* postern_sasl_step - give the client's response. has_response false at the start when the client
 * sent no initial response. response: borrowed. Returns an enum postern_sasl_state (>0), or
 * POSTERN_E_NOMEM, POSTERN_E_USAGE (an answer is awaited). A malformed response gives FAILED. */
POSTERN_API int postern_sasl_step(struct postern_sasl *sasl, bool has_response,
                                  struct postern_span response) POSTERN_MUST_USE;
/* postern_sasl_challenge - bytes to send after CHALLENGE; lent until the next call. */
POSTERN_API struct postern_span postern_sasl_challenge(const struct postern_sasl *sasl);
/* postern_sasl_facts - the credentials after VERIFY, LOOKUP or DONE. Lent until freed. */
POSTERN_API const struct postern_sasl_facts *postern_sasl_facts(const struct postern_sasl *sasl);
/* postern_sasl_verified - answer VERIFY. Returns DONE, FAILED, or CHALLENGE (OAUTHBEARER and
 * XOAUTH2 send an error object first), or POSTERN_E_USAGE. */
POSTERN_API int postern_sasl_verified(struct postern_sasl *sasl, bool ok) POSTERN_MUST_USE;
/* postern_sasl_keys - answer LOOKUP; keys borrowed, NULL = unknown user or no keys (the exchange
 * goes on with decoy values and fails at its end). Returns CHALLENGE or FAILED, or <0 as step(). */
POSTERN_API int postern_sasl_keys(struct postern_sasl *sasl,
                                  const struct postern_scram_keys *keys) POSTERN_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
