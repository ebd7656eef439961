/* SPDX-License-Identifier: MIT */
/* acl - who may do what with mailboxes (RFC 4314): records among the annotations of an account, one
 * for each mailbox and identifier, and what follows from them for a user. */
#ifndef STORE_ACL_H
#define STORE_ACL_H

#include "base/buffer.h"
#include <postern/store.h>

#define ACL_IDENTIFIER_MAX 255

/* acl_each, acl_change - as acl and set_acl of the store; acl_change appends all, changed, to
 * out. */
int acl_each(struct postern_span all, struct postern_span mailbox,
             int (*each)(void *ctx, const struct postern_acl *one), void *ctx);
int acl_change(struct postern_span all, struct postern_span mailbox,
               const struct postern_acl *change, enum postern_flags_how how, struct buffer *out);
/* acl_new - all, and a mailbox that is to be made, with the levels above it that are not there
 * either, has what the nearest that exists has, and nothing that was left behind. */
int acl_new(struct postern_span all, struct postern_span mailbox,
            bool (*exists)(void *ctx, struct postern_span name), void *ctx, struct buffer *out);
/* acl_names - does any mailbox give the user a right? Perhaps taken away again. */
bool acl_names(struct postern_span all, struct postern_span user);
/* acl_is_about - is it the user's name, with "-" before it or not? Of an owner's there can be none.
 */
bool acl_is_about(struct postern_span identifier, struct postern_span user);
/* acl_rights - what a user who is not its owner may do with a mailbox: what is given to him, or to
 * all, less what is taken from him or from all. Errors as acl of the store. */
int acl_rights(const struct postern_store *store, struct postern_account *account,
               struct postern_span mailbox, struct postern_span user, uint32_t *rights_r);

#endif
