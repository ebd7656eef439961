/* SPDX-License-Identifier: MIT */
/* text - decoded octets of a header on their way to UTF-8. Pure. */
#ifndef MIME_TEXT_H
#define MIME_TEXT_H

#include <postern/base.h>

enum charset { CHARSET_OTHER, CHARSET_UTF8, CHARSET_LATIN1 };

/* struct text - zero it but for out and size. */
struct text {
    char *out;
    size_t size, n; /* n: of all of it; may be above size */
    enum charset charset;
    unsigned char pending[4]; /* octets of a character that is not whole */
    unsigned pending_n;
};

/* charset_of - US-ASCII is UTF-8 as well; absent: OTHER. */
enum charset charset_of(struct postern_span name);
/* text_octet - of the charset that is set; of OTHER ones it stays as it is. */
void text_octet(struct text *text, char octet);
/* text_flush - what is still not whole never will be. */
void text_flush(struct text *text);
/* hex_value - of a digit, or -1. */
int hex_value(char c);

#endif
