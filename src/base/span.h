/* SPDX-License-Identifier: MIT */
/* span - questions about spans, and ASCII case. Pure. */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <postern/base.h>
#include <string.h>

#define SPAN(literal) ((struct postern_span){(literal), sizeof(literal) - 1})
#define SPAN_ARG(s) (int)(s).n, (s).p

static inline struct postern_span span_make(const char *p, size_t n)
{
    return (struct postern_span){p, n};
}

/* span_from - the rest of s from offset on; empty past its end. */
static inline struct postern_span span_from(struct postern_span s, size_t offset)
{
    return offset >= s.n ? (struct postern_span){s.n ? s.p + s.n : s.p, 0}
                         : (struct postern_span){s.p + offset, s.n - offset};
}

static inline bool span_equal(struct postern_span a, struct postern_span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

char ascii_lower(char c);
char ascii_upper(char c);
/* span_equal_nocase - equal but for ASCII case. */
bool span_equal_nocase(struct postern_span a, struct postern_span b);
bool span_begins(struct postern_span s, struct postern_span prefix);
bool span_begins_nocase(struct postern_span s, struct postern_span prefix);
/* span_find - offset of the first c, or s.n when there is none. */
size_t span_find(struct postern_span s, char c);
/* span_has_nocase - does text occur in s, but for ASCII case? An empty one does. */
bool span_has_nocase(struct postern_span s, struct postern_span text);
/* span_has_8bit - does it have an octet above 127? */
bool span_has_8bit(struct postern_span s);
/* span_cut - the part before the first c; *s becomes the part behind it (absent when there was no
 * c). */
struct postern_span span_cut(struct postern_span *s, char c);
/* span_trim - without leading and trailing space and tab. */
struct postern_span span_trim(struct postern_span s);
/* span_number - a decimal of digits only, at most 20 of them, not above max. false otherwise. */
bool span_number(struct postern_span s, uint64_t max, uint64_t *number_r);
/* span_same_secret - equality in time that depends on the lengths alone. */
bool span_same_secret(struct postern_span a, struct postern_span b);
/* span_hash - FNV-1a, 64 bits: for tables and checksums, where nobody chooses the octets to do
 * harm. */
uint64_t span_hash(struct postern_span s);
/* secret_wipe - overwrite with zeros in a way the compiler keeps. NULL for n 0 is fine. */
void secret_wipe(void *p, size_t n);

#endif
