/* SPDX-License-Identifier: MIT */
/* fuzz_proxy - PROXY headers: a header that was taken is taken the same with anything behind it,
 * and every shorter beginning of it asks for more. */
#include <stdlib.h>

#include "base/span.h"
#include "net/proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct postern_span in = span_make((const char *)data, size);
    union net_address address, again;
    int n = proxy_parse(in, &address);

    if (n > (int)size || n > PROXY_HEADER_MAX)
        abort();
    if (n <= 0)
        return 0;
    if (address.family != AF_UNSPEC && address.family != AF_INET &&
        address.family != AF_INET6)
        abort();
    if (proxy_parse(span_make(in.p, (size_t)n), &again) != n ||
        again.family != address.family)
        abort();
    for (int shorter = 0; shorter < n; shorter++)
        if (proxy_parse(span_make(in.p, (size_t)shorter), &again) != 0)
            abort();
    return 0;
}

#include "replay.h"
