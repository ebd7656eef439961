/* SPDX-License-Identifier: MIT */
/* span - questions about spans, and ASCII case.
 * Locale-free on purpose: isalpha() and friends ask the environment what a letter is. */
#include "base/span.h"

#include "base/eight.h"

struct postern_span postern_span_of(const char *text)
{
    return text ? span_make(text, strlen(text)) : (struct postern_span){NULL, 0};
}

char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

char ascii_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

bool span_equal_nocase(struct postern_span a, struct postern_span b)
{
    return a.n == b.n && span_begins_nocase(a, b);
}

bool span_begins(struct postern_span s, struct postern_span prefix)
{
    return s.n >= prefix.n && span_equal(span_make(s.p, prefix.n), prefix);
}

bool span_begins_nocase(struct postern_span s, struct postern_span prefix)
{
    if (s.n < prefix.n)
        return false;
    for (size_t i = 0; i < prefix.n; i++)
        if (ascii_lower(s.p[i]) != ascii_lower(prefix.p[i]))
            return false;
    return true;
}

size_t span_find(struct postern_span s, char c)
{
    const char *found = s.n ? memchr(s.p, c, s.n) : NULL;
    return found ? (size_t)(found - s.p) : s.n;
}

/* octets - sixteen that stand behind each other, compared at once. */
typedef unsigned char octets __attribute__((vector_size(16)));
typedef uint64_t halves __attribute__((vector_size(16)));

/* struct octet - one that is looked for, in sixteen places. */
struct octet {
    octets fold, value; /* fold: 0x20 in each place if it is a letter */
};

static struct octet octet_of(char c)
{
    unsigned char lower = (unsigned char)ascii_lower(c),
                  fold = lower >= 'a' && lower <= 'z' ? 0x20 : 0;

    return (struct octet){.fold = (octets){0} + fold, .value = (octets){0} + lower};
}

/* differs - 0 in the places where the octet is. */
static octets differs(const char *p, const struct octet *octet)
{
    octets at;

    memcpy(&at, p, sizeof at);
    return (at | octet->fold) ^ octet->value;
}

static bool has_zero(octets some)
{
    halves zeros = (halves)(some == (octets){0});

    return zeros[0] | zeros[1];
}

/* Sixteen places a step: only where both the first and the last octet of the text fit, which is
 * seldom, the rest is compared. */
bool span_has_nocase(struct postern_span s, struct postern_span text)
{
    struct octet first, last;
    size_t i = 0;

    if (text.n == 0 || text.n > s.n)
        return text.n == 0;
    first = octet_of(text.p[0]);
    last = octet_of(text.p[text.n - 1]);
    for (; i + text.n - 1 + sizeof(octets) <= s.n; i += sizeof(octets)) {
        octets fits = differs(s.p + i, &first) | differs(s.p + i + text.n - 1, &last);

        if (!has_zero(fits))
            continue;
        for (size_t at = 0; at < sizeof fits; at++)
            if (fits[at] == 0 && span_begins_nocase(span_from(s, i + at), text))
                return true;
    }
    for (; i + text.n <= s.n; i++)
        if (span_begins_nocase(span_from(s, i), text))
            return true;
    return false;
}

/* Eight octets a step, of which the last may be seen twice. */
bool span_has_8bit(struct postern_span s)
{
    uint64_t all = 0;
    size_t i = 0;

    for (; i + 8 <= s.n; i += 8)
        all |= eight_at(s.p + i);
    if (i && i < s.n)
        all |= eight_at(s.p + s.n - 8);
    for (; i < s.n && s.n < 8; i++)
        all |= (unsigned char)s.p[i];
    return eight_has_8bit(all);
}

struct postern_span span_cut(struct postern_span *s, char c)
{
    size_t at = span_find(*s, c);
    struct postern_span head = span_make(s->p, at);

    *s = at < s->n ? span_make(s->p + at + 1, s->n - at - 1) : (struct postern_span){NULL, 0};
    return head;
}

struct postern_span span_trim(struct postern_span s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = span_make(s.p + 1, s.n - 1);
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

bool span_number(struct postern_span s, uint64_t max, uint64_t *number_r)
{
    uint64_t number = 0;

    if (s.n == 0 || s.n > 20)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned digit = (unsigned)(unsigned char)s.p[i] - '0';
        if (digit > 9 || number > (UINT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    if (number > max)
        return false;
    *number_r = number;
    return true;
}

bool span_same_secret(struct postern_span a, struct postern_span b)
{
    unsigned char difference = 0;

    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        difference |= (unsigned char)(a.p[i] ^ b.p[i]);
    return difference == 0;
}

void secret_wipe(void *p, size_t n)
{
    if (n == 0)
        return;
    memset(p, 0, n);
    __asm__ volatile(""
                     :
                     : "r"(p)
                     : "memory"); /* the compiler must believe that somebody reads it */
}

uint64_t span_hash(struct postern_span s)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < s.n; i++)
        hash = (hash ^ (unsigned char)s.p[i]) * UINT64_C(1099511628211);
    return hash;
}
