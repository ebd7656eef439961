/* SPDX-License-Identifier: MIT */
/* cli - the commands of `postern`; each returns a sysexits(3) code. argv[0] is the command's
 * name. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "cli/settings.h"
#include <postern/store.h>
#include <stdio.h>

int cli_serve(int argc, char **argv);
int cli_dev(int argc, char **argv);
int cli_user(int argc, char **argv);
int cli_mailbox(int argc, char **argv);
/* cli_mailbox_change - the verbs that IMAP clients have too; -1: argv[1] is none of them. */
int cli_mailbox_change(int argc, char **argv);
int cli_message(int argc, char **argv);
int cli_fsck(int argc, char **argv);
int cli_index(int argc, char **argv);
/* index_text - all texts of a user, of all mailboxes. */
int index_text(struct postern_store *store, const char *user);
int cli_import(int argc, char **argv);
int cli_export(int argc, char **argv);
int cli_put(int argc, char **argv);
int cli_deliver(int argc, char **argv);
/* cli_sendmail - also by the names sendmail, mailq and newaliases, as argv[0]. */
int cli_sendmail(int argc, char **argv);
int cli_tlsa(int argc, char **argv);
int cli_explain(int argc, char **argv);
int cli_populate(int argc, char **argv);
int cli_config(int argc, char **argv);
int cli_version(int argc, char **argv);
int cli_sizes(int argc, char **argv);
int cli_help(int argc, char **argv);

/* cli_fail - "postern: WHAT: why" on stderr; the sysexits code that suits err. */
int cli_fail(const char *what, int err);
/* cli_complain - the same with a text; returns code. */
int cli_complain(int code, const char *what, const char *why);
/* cli_store - the store that the settings name. 0 or a sysexits code, told. */
int cli_store(const struct config *config, struct postern_store *store_r);
/* json_text - text as a JSON string; octets that are not UTF-8 become U+FFFD. */
void json_text(FILE *out, struct postern_span text);

#endif
