/* SPDX-License-Identifier: MIT */
/* facts - what a session keeps of its TLS session. */
#ifndef WIRE_FACTS_H
#define WIRE_FACTS_H

#include <postern/engine.h>

/* facts_own - *identity and *binding, which are own memory (memory_own), become copies; facts NULL:
 * they are freed, which cannot fail. 0 or POSTERN_E_NOMEM. */
int facts_own(const struct postern_allocator *allocator, const struct postern_tls_facts *facts,
              struct postern_span *identity, struct postern_span *binding);

#endif
