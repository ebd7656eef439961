/* SPDX-License-Identifier: MIT */
/* saslname - names in gs2 headers and SCRAM messages (RFC 5801 4, RFC 5802 5.1). */
#ifndef SASL_SASLNAME_H
#define SASL_SASLNAME_H

#include "sasl/exchange.h"

/* saslname_read - undo =2C and =3D, prepare, into the arena. 0, POSTERN_E_SYNTAX,
 * POSTERN_E_NOMEM. */
int saslname_read(struct postern_sasl *sasl, struct postern_span in,
                  struct postern_span *out_r) POSTERN_MUST_USE;

#endif
