/* SPDX-License-Identifier: MIT */
/* recipients - whose mail is it? One resolver for every way in: a recipient's address becomes the
 * accounts that get the message, and the mailbox each wants it in.
 *
 * In this order: the account, the alias, both again without the detail ("ann+lists" is "ann",
 * mailbox "lists"), the catch-all "@domain". An account "ann@example.org" has that address alone,
 * an account "ann" the name in each of the local domains. Local parts and domains count in any
 * case. All calls are thread-safe. */
#ifndef ACCOUNTS_RECIPIENTS_H
#define ACCOUNTS_RECIPIENTS_H

#include "accounts/accounts.h"

struct recipients_options {
    struct accounts *accounts;  /* lent until freed */
    const char *const *domains; /* local ones, NULL-terminated; NULL with anybody. lent */
    const char *aliases;        /* a file, read again when it changes; NULL or "": none. lent */
    const char *delimiters;     /* between name and detail: "+". lent */
    const char *postmaster;     /* account of postmaster and abuse where none has the name. lent */
    bool anybody;               /* every address is somebody's: of the account of its local part */
};

struct recipients;
/* recipients_new - recipients_r: given. POSTERN_E_NOMEM, _NOT_FOUND, _IO, _SYNTAX (a broken line, a
 * target that is in no local domain): accounts_error() says where. */
int recipients_new(struct recipients **recipients_r, const struct recipients_options *options);
void recipients_free(struct recipients **recipients);

#define ADDRESS_TARGETS_MAX 1000

struct address_target {
    char user[256];
    char detail[256]; /* the mailbox it is for, if there is such one; "": none was named */
};

struct address_targets {
    struct address_target *all; /* each user and detail once */
    size_t count, room;
};
void address_targets_free(struct address_targets *targets);

enum address_outcome {
    ADDRESS_FOUND = 1,
    ADDRESS_FOREIGN,  /* the domain is not one of ours */
    ADDRESS_UNKNOWN,  /* nobody has this name */
    ADDRESS_DISABLED, /* somebody had */
    ADDRESS_TANGLED   /* aliases that name each other, or too many */
};
/* recipients_find - local: unquoted; domain: absent: the first local one. targets_r: zero before,
 * free with address_targets_free(). Returns an outcome, or POSTERN_E_NOMEM. Reads no file but the
 * one of the aliases, and that only after it changed. */
int recipients_find(struct recipients *recipients, struct postern_span local,
                    struct postern_span domain, struct address_targets *targets_r);

#endif
