/* SPDX-License-Identifier: MIT */
/* offer - which mechanisms a session may offer now, and the beginning of an exchange. Pure. */
#ifndef SASL_OFFER_H
#define SASL_OFFER_H

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
/* sasl_begin - sasl_r: given. POSTERN_E_NOMEM, _UNSUPPORTED. */
int sasl_begin(struct postern_sasl **sasl_r, unsigned mechanism,
               const struct sasl_offer *offer) POSTERN_MUST_USE;

#endif
