/* SPDX-License-Identifier: MIT */
/* offer - which mechanisms a session may offer now, and the beginning of an exchange. Pure. */
#ifndef SASL_OFFER_H
#define SASL_OFFER_H

#include "base/buffer.h"
#include <postern/sasl.h>

/* struct sasl_offer - what decides: the configuration, and the connection as it is. */
struct sasl_offer {
    unsigned mechanisms; /* configured */
    bool tls;
    bool plaintext; /* secrets may be shown: there is TLS, or it is allowed without */
    /* as in struct postern_sasl_options; decoy_key absent: made from random */
    struct postern_sasl_options options;
};

/* sasl_offered - mask: no plaintext in the clear, -PLUS only with a channel binding, SCRAM only
 * with hash functions and random bytes, EXTERNAL only with a name (R64 R78 R98). */
unsigned sasl_offered(const struct sasl_offer *offer);
/* sasl_write_names - those of a mask, each behind prefix. */
void sasl_write_names(unsigned mechanisms, const char *prefix, struct buffer *out);
/* sasl_admits - may an exchange begin? 0, POSTERN_E_DENIED (not without TLS), _UNSUPPORTED (not on
 * offer). */
int sasl_admits(const struct sasl_offer *offer, unsigned mechanism) POSTERN_MUST_USE;
/* sasl_begin - sasl_r: given. POSTERN_E_NOMEM, _UNSUPPORTED. */
int sasl_begin(struct postern_sasl **sasl_r, unsigned mechanism,
               const struct sasl_offer *offer) POSTERN_MUST_USE;
/* sasl_account - whom it is for: who is to be acted as, or else who proves himself. */
struct postern_span sasl_account(const struct postern_sasl_facts *facts);
/* sasl_secret - what proves it: the token or the password. */
struct postern_span sasl_secret(const struct postern_sasl_facts *facts);

#endif
