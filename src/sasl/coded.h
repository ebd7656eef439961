/* SPDX-License-Identifier: MIT */
/* coded - steps of an exchange whose responses come as lines of base64, as in POP3, IMAP and SMTP.
 */
#ifndef SASL_CODED_H
#define SASL_CODED_H

#include <postern/sasl.h>

/* sasl_coded_step - a response; absent: none came with the command. Returns an enum
 * postern_sasl_state, POSTERN_E_SYNTAX (this is not base64; the exchange is where it was),
 * POSTERN_E_NOMEM. */
int sasl_coded_step(struct postern_sasl *sasl, const struct postern_allocator *allocator,
                    struct postern_span encoded);
/* sasl_coded_first - the response that came with the command: "=" is an empty one. LOGIN begins
 * with the server; what clients send with the command nevertheless is the answer to that. */
int sasl_coded_first(struct postern_sasl *sasl, unsigned mechanism,
                     const struct postern_allocator *allocator, struct postern_span initial);

#endif
