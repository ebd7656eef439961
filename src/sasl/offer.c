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

void sasl_write_names(unsigned mechanisms, const char *prefix, struct buffer *out)
{
    for (unsigned bit = 1; bit < POSTERN_SASL_ALL; bit <<= 1)
        if (mechanisms & bit) {
            buffer_append_text(out, prefix);
            buffer_append_text(out, postern_sasl_name(bit));
        }
}

int sasl_admits(const struct sasl_offer *offer, unsigned mechanism)
{
    if (mechanism & offer->mechanisms && !offer->plaintext && postern_sasl_is_plaintext(mechanism))
        return POSTERN_E_DENIED;
    return mechanism & sasl_offered(offer) ? 0 : POSTERN_E_UNSUPPORTED;
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

struct postern_span sasl_account(const struct postern_sasl_facts *facts)
{
    return facts->authzid.n ? facts->authzid : facts->authcid;
}

struct postern_span sasl_secret(const struct postern_sasl_facts *facts)
{
    return facts->token.n ? facts->token : facts->password;
}
