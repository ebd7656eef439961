/* SPDX-License-Identifier: MIT */
/* commands - the handlers of the command table. Each parses its words and ends the command, or asks
 * a question first. */
#ifndef IMAP_COMMANDS_H
#define IMAP_COMMANDS_H

#include "proto/imap/session.h"

void imap_cmd_append(struct postern_imap *s);
void imap_cmd_authenticate(struct postern_imap *s);
void imap_cmd_cancelupdate(struct postern_imap *s);
void imap_cmd_capability(struct postern_imap *s);
void imap_cmd_close(struct postern_imap *s);
void imap_cmd_compress(struct postern_imap *s);
void imap_cmd_copy(struct postern_imap *s);
void imap_cmd_create(struct postern_imap *s);
void imap_cmd_delete(struct postern_imap *s);
void imap_cmd_deleteacl(struct postern_imap *s);
void imap_cmd_enable(struct postern_imap *s);
void imap_cmd_esearch(struct postern_imap *s);
void imap_cmd_examine(struct postern_imap *s);
void imap_cmd_expunge(struct postern_imap *s);
void imap_cmd_fetch(struct postern_imap *s);
void imap_cmd_getacl(struct postern_imap *s);
void imap_cmd_getmetadata(struct postern_imap *s);
void imap_cmd_getquota(struct postern_imap *s);
void imap_cmd_getquotaroot(struct postern_imap *s);
void imap_cmd_id(struct postern_imap *s);
void imap_cmd_idle(struct postern_imap *s);
void imap_cmd_language(struct postern_imap *s);
void imap_cmd_list(struct postern_imap *s);
void imap_cmd_listrights(struct postern_imap *s);
void imap_cmd_login(struct postern_imap *s);
void imap_cmd_logout(struct postern_imap *s);
void imap_cmd_lsub(struct postern_imap *s);
void imap_cmd_move(struct postern_imap *s);
void imap_cmd_myrights(struct postern_imap *s);
void imap_cmd_namespace(struct postern_imap *s);
void imap_cmd_noop(struct postern_imap *s);
void imap_cmd_notify(struct postern_imap *s);
void imap_cmd_rename(struct postern_imap *s);
void imap_cmd_replace(struct postern_imap *s);
void imap_cmd_search(struct postern_imap *s);
void imap_cmd_select(struct postern_imap *s);
void imap_cmd_setacl(struct postern_imap *s);
void imap_cmd_setmetadata(struct postern_imap *s);
void imap_cmd_setquota(struct postern_imap *s);
void imap_cmd_sort(struct postern_imap *s);
void imap_cmd_starttls(struct postern_imap *s);
void imap_cmd_status(struct postern_imap *s);
void imap_cmd_store(struct postern_imap *s);
void imap_cmd_subscribe(struct postern_imap *s);
void imap_cmd_thread(struct postern_imap *s);
void imap_cmd_uidbatches(struct postern_imap *s);
void imap_cmd_unauthenticate(struct postern_imap *s);
void imap_cmd_unselect(struct postern_imap *s);
void imap_cmd_unsubscribe(struct postern_imap *s);
void imap_cmd_xlist(struct postern_imap *s);

#endif
