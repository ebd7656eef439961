/* SPDX-License-Identifier: MIT */
/* facts - copies of what the TLS session said: its own texts do not live as long. */
#include "proto/wire/facts.h"

#include "base/memory.h"

int facts_own(const struct postern_allocator *allocator, const struct postern_tls_facts *facts,
              struct postern_span *identity, struct postern_span *binding)
{
    static const struct postern_tls_facts none;

    if (!facts)
        facts = &none;
    if (memory_own(allocator, identity, facts->identity) < 0)
        return POSTERN_E_NOMEM;
    return memory_own(allocator, binding, facts->binding_exporter);
}
