/* SPDX-License-Identifier: MIT */
/* name - an address as accounts and aliases are looked up by it: in lower case, its domain in the
 * form in which domains are compared. */
#ifndef ACCOUNTS_NAME_H
#define ACCOUNTS_NAME_H

#include <postern/base.h>

#define NAME_BYTES 512

struct name {
    char text[NAME_BYTES]; /* "local@domain", or "local" */
    struct postern_span local, domain;
    struct postern_span written; /* the local part with its case; lent by who made it */
    struct postern_span detail;  /* with its case as well: it names a mailbox; absent: none */
};

/* name_make - false: it is too long to be anybody's. */
bool name_make(struct name *name_r, struct postern_span local, struct postern_span domain);
struct postern_span name_whole(const struct name *name);
/* name_without_detail - the name before the first of the delimiters; false: it has none. */
bool name_without_detail(const struct name *name, const char *delimiters, struct name *bare_r);
/* name_split - "local@domain" at its last "@". */
void name_split(struct postern_span text, struct postern_span *local_r,
                struct postern_span *domain_r);
/* name_unicode - "local@domain" with U-labels, in text (E2); absent: there are none in it. */
struct postern_span name_unicode(struct postern_span whole, char text[NAME_BYTES]);

#endif
