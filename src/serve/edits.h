/* SPDX-License-Identifier: MIT */
/* edits - what a filter wants to be changed in a message: fields of its header, and its body.
 *
 * Fields are counted from 0 where one is put before another, among those of a name from 1. Texts
 * are made fit to be fields: CR goes, a LF is followed by a tab where nothing else of that kind
 * stands there, so that no text becomes two fields; what is not printable becomes '?'. */
#ifndef SERVE_EDITS_H
#define SERVE_EDITS_H

#include "serve/spool.h"

#define EDITS_MAX 1000
#define EDITS_OCTETS_MAX 262144

/* struct edits - set body.folder and body_max; the rest zero. */
struct edits {
    bool raw_values;    /* they begin with the octet behind the colon */
    bool without_ours;  /* those who count the fields of a name do not see our Received */
    struct buffer rows; /* of struct edit */
    struct buffer text;
    struct spool body; /* where has_body */
    bool has_body, after_cr;
    uint64_t body_max; /* octets */
};

/* The wishes, done in their order. POSTERN_E_SYNTAX (what is no name of a field), _TOO_LONG,
 * _NOMEM. */
int edits_add(struct edits *edits, struct postern_span name, struct postern_span value);
/* edits_insert - before the field of this number among all. */
int edits_insert(struct edits *edits, size_t number, struct postern_span name,
                 struct postern_span value);
/* edits_change - the number-th of this name, which is added if it is not there; to an empty value:
 * it is taken out. */
int edits_change(struct edits *edits, size_t number, struct postern_span name,
                 struct postern_span value);
/* edits_remove - the number-th of this name; 0: all; less: counted from the end. */
int edits_remove(struct edits *edits, long number, struct postern_span name);
/* edits_body - octets of a new body, after those that were said before. Its line ends become CRLF,
 * NUL '?'. POSTERN_E_NOMEM, _IO, _FULL, _TOO_LONG. */
int edits_body(struct edits *edits, struct postern_span bytes);

/* edits_apply - to the message; which stays as it was if that fails: POSTERN_E_NOMEM, _IO, _FULL,
 * _TOO_LONG. */
int edits_apply(const struct edits *edits, struct spool *message);
void edits_done(struct edits *edits);

#endif
