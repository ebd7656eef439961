/* SPDX-License-Identifier: MIT */
/* fields - the header of a message that waits in a spool, cut into its fields. */
#ifndef SERVE_FIELDS_H
#define SERVE_FIELDS_H

#include "serve/spool.h"

#define FIELDS_OCTETS_MAX (1u << 20)

/* struct fields - each span is a whole field with its line ends, lent until fields_done(). */
struct fields {
    struct buffer text;
    struct postern_span *all;
    size_t count, capacity;
    uint64_t octets; /* of the message that they take; what follows is its blank line, if any */
};

/* fields_read - 0, POSTERN_E_NOMEM, _IO, _TOO_LONG (more than FIELDS_OCTETS_MAX). */
int fields_read(struct fields *fields_r, const struct spool *message);
void fields_done(struct fields *fields);
/* fields_insert - before the one of this number; at the end where there are not so many. `field` is
 * lent. 0 or POSTERN_E_NOMEM. */
int fields_insert(struct fields *fields, size_t number, struct postern_span field);
void fields_remove(struct fields *fields, size_t number);
/* field_is - does it have this name? */
bool field_is(struct postern_span field, struct postern_span name);
/* fields_find - the first of this name from `from` on; fields->count: none. */
size_t fields_find(const struct fields *fields, size_t from, struct postern_span name);

#endif
