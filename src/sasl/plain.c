/* SPDX-License-Identifier: MIT */
/* plain - PLAIN (RFC 4616), LOGIN and EXTERNAL (RFC 4422 A): mechanisms without computation.
 * Owns nothing; credentials go into the arena of the exchange. */
#include "sasl/exchange.h"

/* R79, R86: all three parts are prepared; a part that vanishes in that refuses the login. */
int plain_step(struct postern_sasl *sasl, struct postern_span response)
{
    struct postern_sasl_facts *facts = &sasl->facts;
    struct postern_span authzid = span_cut(&response, '\0');
    if (!response.p)
        return POSTERN_E_SYNTAX;
    struct postern_span authcid = span_cut(&response, '\0');
    if (!response.p || span_find(response, '\0') != response.n)
        return POSTERN_E_SYNTAX;
    int err = sasl_prepare(sasl, authcid, &facts->authcid);
    if (!err)
        err = sasl_prepare(sasl, response, &facts->password);
    if (!err && authzid.n > 0)
        err = sasl_prepare(sasl, authzid, &facts->authzid);
    return err ? err : POSTERN_SASL_VERIFY;
}

int login_step(struct postern_sasl *sasl, struct postern_span response)
{
    struct postern_sasl_facts *facts = &sasl->facts;
    int err;
    if (sasl->round > 0) {
        err = sasl_prepare(sasl, response, &facts->password);
        return err ? err : POSTERN_SASL_VERIFY;
    }
    err = sasl_prepare(sasl, response, &facts->authcid);
    buffer_append_text(&sasl->challenge, "Password:");
    return err ? err : POSTERN_SASL_CHALLENGE;
}

int external_step(struct postern_sasl *sasl, struct postern_span response)
{
    sasl->facts.authcid = sasl->options.tls_identity;
    if (response.n == 0)
        return POSTERN_SASL_VERIFY;
    if (span_find(response, '\0') != response.n)
        return POSTERN_E_SYNTAX;
    int err = sasl_prepare(sasl, response, &sasl->facts.authzid);
    return err ? err : POSTERN_SASL_VERIFY;
}
