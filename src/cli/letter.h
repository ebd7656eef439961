/* SPDX-License-Identifier: MIT */
/* letter - a message as a program writes it to sendmail's standard input: who gets it by its
 * header, and what is missing there. */
#ifndef CLI_LETTER_H
#define CLI_LETTER_H

#include "serve/spool.h"
#include <stdio.h>

/* struct letter - set body.folder, the rest zero; end with letter_done(). */
struct letter {
    struct buffer header; /* with its line ends, without the empty line */
    struct spool body;
    bool is_8bit;
};

/* struct letter_facts - what is put in where the header does not have it; lent. */
struct letter_facts {
    struct postern_span sender; /* of From */
    const char *name;           /* in it; NULL: none */
    const char *host;           /* of the Message-ID */
};

/* letter_read - all of a file. dot_ends: so does a line of a dot alone. POSTERN_E_IO, _FULL,
 * _NOMEM, _TOO_LONG (a header above 1 MiB). */
int letter_read(struct letter *letter, FILE *in, bool dot_ends);
/* letter_recipients - of To, Cc and Bcc, or if there are such of Resent-To and so on; each with its
 * LF behind *out. domain: of who has none. POSTERN_E_NOMEM, _SYNTAX (one with a control character). */
int letter_recipients(const struct letter *letter, const char *domain, struct buffer *out);
/* letter_addresses - likewise, of one list of addresses; what is none is passed over. The error is
 * out's. */
void letter_addresses(struct postern_span list, const char *domain, struct buffer *out);
/* letter_complete - Bcc and Resent-Bcc are taken out; Date, From and Message-ID put before it if
 * they are not there. POSTERN_E_NOMEM. */
int letter_complete(struct letter *letter, const struct letter_facts *facts);
void letter_done(struct letter *letter);

#endif
