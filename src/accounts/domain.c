/* SPDX-License-Identifier: MIT */
/* domain - IDNA over libidn2; ASCII is only put in lower case. */
#include "accounts/domain.h"

#include "base/span.h"
#include <idn2.h>

#define FLAGS (IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL)

static bool is_ascii(struct postern_span text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] > 127)
            return false;
    return true;
}

/* text_of - NUL-terminated; false: it cannot be. */
static bool text_of(struct postern_span domain, char text[DOMAIN_BYTES])
{
    if (domain.n >= DOMAIN_BYTES || span_find(domain, '\0') < domain.n)
        return false;
    memcpy(text, domain.p, domain.n);
    text[domain.n] = '\0';
    return true;
}

/* take - what the library gave. */
static size_t take(char *given, char *out, size_t size)
{
    size_t n = strlen(given);

    if (n <= size)
        memcpy(out, given, n);
    idn2_free(given);
    return n <= size ? n : 0;
}

size_t domain_normal(struct postern_span domain, char *out, size_t size)
{
    char text[DOMAIN_BYTES], *ascii = NULL;

    if (!is_ascii(domain) && text_of(domain, text) &&
        idn2_to_ascii_8z(text, &ascii, FLAGS) == IDN2_OK)
        return take(ascii, out, size);
    if (domain.n > size)
        return 0;
    for (size_t i = 0; i < domain.n; i++)
        out[i] = ascii_lower(domain.p[i]);
    return domain.n;
}

static bool has_a_label(struct postern_span domain)
{
    while (domain.n)
        if (span_begins(span_cut(&domain, '.'), SPAN("xn--")))
            return true;
    return false;
}

size_t domain_unicode(struct postern_span domain, char *out, size_t size)
{
    char text[DOMAIN_BYTES], *unicode = NULL;

    if (!has_a_label(domain) || !text_of(domain, text) ||
        idn2_to_unicode_8z8z(text, &unicode, 0) != IDN2_OK)
        return 0;
    return take(unicode, out, size);
}
