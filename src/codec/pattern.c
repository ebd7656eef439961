/* SPDX-License-Identifier: MIT */
/* pattern - "*" and "%" over names of mailboxes. Pure. */
#include "codec/pattern.h"

#include "base/span.h"

/* is_inbox - the first level, or all of it. */
static bool is_inbox(struct postern_span name)
{
    return span_equal_nocase(span_cut(&name, '/'), SPAN("INBOX"));
}

/* matches - with one place to come back to per kind of star: linear in name times pattern. */
static bool matches(struct postern_span name, struct postern_span pattern)
{
    size_t at = 0, p = 0, star = SIZE_MAX, star_at = 0, percent = SIZE_MAX, percent_at = 0;

    while (at < name.n || p < pattern.n) {
        char c = p < pattern.n ? pattern.p[p] : '\0';

        if (c == '*') {
            star = p++;
            star_at = at;
            percent = SIZE_MAX;
        } else if (c == '%') {
            percent = p++;
            percent_at = at;
        } else if (p < pattern.n && at < name.n && c == name.p[at]) {
            p++;
            at++;
        } else if (percent != SIZE_MAX && percent_at < name.n && name.p[percent_at] != '/') {
            at = ++percent_at;
            p = percent + 1;
        } else if (star != SIZE_MAX && star_at < name.n) {
            at = ++star_at;
            p = star + 1;
            percent = SIZE_MAX;
        } else {
            return false;
        }
    }
    return true;
}

bool pattern_matches(struct postern_span name, struct postern_span pattern)
{
    if (is_inbox(name) && is_inbox(pattern))
        return matches(span_from(name, 5), span_from(pattern, 5));
    return matches(name, pattern);
}
