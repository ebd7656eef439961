/* SPDX-License-Identifier: MIT */
/* exchange - what the mechanism files share: one exchange and the table of mechanisms. */
#ifndef SASL_EXCHANGE_H
#define SASL_EXCHANGE_H

#include "base/buffer.h"
#include "base/memory.h"
#include "base/span.h"
#include <postern/sasl.h>

/* enum exchange_phase - which call the exchange waits for. */
enum exchange_phase { PHASE_STEP, PHASE_VERIFY, PHASE_LOOKUP, PHASE_END };

/* struct scram - spans lie in the arena of the exchange. */
struct scram {
    struct postern_span header;       /* gs2-header as sent */
    struct postern_span first_bare;   /* client-first-message-bare */
    struct postern_span nonce;        /* the client's part, then both */
    struct postern_span server_first; /* server-first-message */
    unsigned char stored_key[POSTERN_HASH_BYTES_MAX];
    unsigned char server_key[POSTERN_HASH_BYTES_MAX];
    bool decoy;
};

struct postern_sasl {
    struct postern_allocator allocator;
    struct postern_sasl_options options; /* spans copied into the arena */
    const struct mechanism *mechanism;
    enum exchange_phase phase;
    int round; /* how many responses were taken */
    struct arena arena;
    struct buffer challenge;
    struct postern_sasl_facts facts;
    struct scram scram;
};

/* mechanism_step - takes response number sasl->round, from 0; returns a state, POSTERN_E_SYNTAX
 * (which becomes FAILED) or POSTERN_E_NOMEM. */
typedef int mechanism_step(struct postern_sasl *sasl, struct postern_span response);

struct mechanism {
    unsigned id;
    const char *name;
    mechanism_step *step;
    enum postern_hash hash; /* SCRAM only */
    const char *prompt;     /* what is sent when the client has not begun */
    bool plaintext, server_first, plus;
};

mechanism_step plain_step, login_step, external_step, oauth_step, scram_step;
int oauth_refuse(struct postern_sasl *sasl);
int scram_challenge(struct postern_sasl *sasl, const struct postern_scram_keys *keys);

/* sasl_prepare - SASLprep into the arena; an empty result is POSTERN_E_SYNTAX (R79, R86). */
int sasl_prepare(struct postern_sasl *sasl, struct postern_span in,
                 struct postern_span *out_r) POSTERN_MUST_USE;

#endif
