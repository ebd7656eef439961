/* SPDX-License-Identifier: MIT */
/* coded - base64 is taken off, and the mechanism asked. "=" is a response that is empty (RFC 4954
 * 4). */
#include "sasl/coded.h"

#include "base/buffer.h"
#include "base/span.h"
#include "codec/base64.h"

int sasl_coded_step(struct postern_sasl *sasl, const struct postern_allocator *allocator,
                    struct postern_span encoded)
{
    struct buffer decoded = {.allocator = allocator};
    int r = encoded.n ? base64_decode(encoded, &decoded) : 0;

    if (decoded.error)
        r = decoded.error;
    if (!r)
        r = postern_sasl_step(sasl, encoded.p != NULL,
                              decoded.data ? buffer_span(&decoded) : SPAN(""));
    buffer_done(&decoded);
    return r;
}

int sasl_coded_begin(struct postern_sasl **sasl_r, unsigned mechanism,
                     const struct sasl_offer *offer, struct postern_span initial)
{
    int err = sasl_begin(sasl_r, mechanism, offer);

    if (err < 0)
        return err;
    if (initial.n && postern_sasl_is_server_first(mechanism) &&
        postern_sasl_step(*sasl_r, false, initial) != POSTERN_SASL_CHALLENGE)
        return POSTERN_E_NOMEM;
    return sasl_coded_step(*sasl_r, offer->options.allocator,
                           span_equal(initial, SPAN("=")) ? SPAN("") : initial);
}
