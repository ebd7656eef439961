/* SPDX-License-Identifier: MIT */
/* coded - steps of an exchange whose responses come as lines of base64, as in POP3, IMAP and SMTP.
 */
#ifndef SASL_CODED_H
#define SASL_CODED_H

#include "sasl/offer.h"

/* sasl_coded_begin - begin an exchange; initial: the response that came with the command, "=" is an
 * empty one. LOGIN begins with the server; what clients send with the command nevertheless is the
 * answer to that. Returns as sasl_coded_step(), or POSTERN_E_UNSUPPORTED. */
int sasl_coded_begin(struct postern_sasl **sasl_r, unsigned mechanism,
                     const struct sasl_offer *offer, struct postern_span initial);
/* sasl_coded_step - a response; absent: none came with the command. Returns an enum
 * postern_sasl_state, POSTERN_E_SYNTAX (this is not base64; the exchange is where it was),
 * POSTERN_E_NOMEM. */
int sasl_coded_step(struct postern_sasl *sasl, const struct postern_allocator *allocator,
                    struct postern_span encoded);

#endif
