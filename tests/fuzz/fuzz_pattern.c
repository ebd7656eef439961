/* SPDX-License-Identifier: MIT */
/* fuzz_pattern - a mailbox name, a LF and a LIST pattern: matched as a table of all prefixes says,
 * which is slow and simple. */
#include <stdlib.h>
#include <string.h>

#include "base/span.h"
#include "codec/pattern.h"

#define LIMIT 200

/* table_says - fits[i]: the first i octets of the name match the pattern so far. */
static bool table_says(struct postern_span name, struct postern_span pattern)
{
    bool fits[LIMIT + 1] = {true}, next[LIMIT + 1];

    for (size_t p = 0; p < pattern.n; p++) {
        char c = pattern.p[p];
        bool is_star = c == '*' || c == '%';

        next[0] = is_star && fits[0];
        for (size_t i = 0; i < name.n; i++)
            next[i + 1] = is_star ? fits[i + 1] || (next[i] && (c == '*' || name.p[i] != '/'))
                                  : fits[i] && name.p[i] == c;
        memcpy(fits, next, sizeof fits);
    }
    return fits[name.n];
}

/* begins_with_inbox - its first level is INBOX, which is so in any case. */
static bool begins_with_inbox(struct postern_span name)
{
    return span_equal_nocase(span_cut(&name, '/'), SPAN("INBOX"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct postern_span pattern = span_make((const char *)data, size);
    struct postern_span name = span_cut(&pattern, '\n');
    bool inbox = begins_with_inbox(name) && begins_with_inbox(pattern);
    bool fits;

    if (name.n > LIMIT || pattern.n > LIMIT)
        return 0;
    fits =
        inbox ? table_says(span_from(name, 5), span_from(pattern, 5)) : table_says(name, pattern);
    if (pattern_matches(name, pattern) != fits)
        abort();
    return 0;
}

#include "replay.h"
