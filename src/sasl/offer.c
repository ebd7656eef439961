/* SPDX-License-Identifier: MIT */
/* offer - what every protocol decides in the same way about SASL. */
#include "sasl/offer.h"

#include "base/span.h"

#define SCRAM_PLUS (POSTERN_SASL_SCRAM_SHA_1_PLUS | POSTERN_SASL_SCRAM_SHA_256_PLUS)
#define SCRAM (POSTERN_SASL_SCRAM_SHA_1 | POSTERN_SASL_SCRAM_SHA_256 | SCRAM_PLUS)

unsigned sasl_offered(const struct sasl_offer *offer)
{
    unsigned offered = offer->mechanisms & POSTERN_SASL_ALL;

    if (!offer->options.crypto || !offer->options.random)
        offered &= ~(unsigned)SCRAM;
    if (!offer->tls || !offer->options.binding_exporter.n)
        offered &= ~(unsigned)SCRAM_PLUS;
    if (!offer->tls || !offer->options.tls_identity.n)
        offered &= ~(unsigned)POSTERN_SASL_EXTERNAL;
    for (unsigned bit = 1; bit < POSTERN_SASL_ALL && !offer->plaintext; bit <<= 1)
        if (postern_sasl_is_plaintext(bit))
            offered &= ~bit;
    return offered;
}

int sasl_begin(struct postern_sasl **sasl_r, unsigned mechanism, const struct sasl_offer *offer)
{
    struct postern_sasl_options options = offer->options;
    char key[16];

    options.plus_offered = sasl_offered(offer) & SCRAM_PLUS;
    if (!options.decoy_key.n && options.random) {
        if (options.random->fill(options.random->ctx, key, sizeof key) < 0)
            return POSTERN_E_UNSUPPORTED;
        options.decoy_key = span_make(key, sizeof key);
    }
    return postern_sasl_new(sasl_r, mechanism, &options);
}
