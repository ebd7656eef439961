/* SPDX-License-Identifier: MIT */
/* rights - what the user may do with mailboxes (RFC 4314 4). Where the application keeps no access
 * control lists everything is permitted, and nothing is asked. */
#ifndef IMAP_RIGHTS_H
#define IMAP_RIGHTS_H

#include "proto/imap/session.h"

/* struct rights_needed - all of the first, and one of the second if there are any. */
struct rights_needed {
    uint32_t all, one;
};
#define RIGHTS_FLAGS (POSTERN_RIGHT_SEEN | POSTERN_RIGHT_WRITE | POSTERN_RIGHT_DELETED)
#define RIGHTS_TAKE_OUT (POSTERN_RIGHT_DELETED | POSTERN_RIGHT_EXPUNGE) /* MOVE, REPLACE */
extern const struct rights_needed rights_read, rights_insert, rights_create, rights_remove,
    rights_admin, rights_any, rights_annotate;

/* imap_ask_if - as imap_ask(), once it is known that the user may; else then() gets
 * POSTERN_E_DENIED, or POSTERN_E_NOT_FOUND of a mailbox that he may not look up. CREATE: by the
 * rights to what is above it; RENAME: to both. */
void imap_ask_if(struct postern_imap *s, enum postern_imap_question_kind kind,
                 struct rights_needed needed, imap_then *then);
bool rights_permit(const struct postern_imap *s, uint32_t rights, struct rights_needed needed);
/* rights_has - all of these, to the selected mailbox. */
bool rights_has(const struct postern_imap *s, uint32_t rights);
/* rights_flags - the system flags that may be changed. */
uint32_t rights_flags(uint32_t rights);
/* rights_keep - flags that they are not for stay as they are. */
void rights_keep(struct postern_imap_question *question, uint32_t rights);
/* rights_take - the rights to the mailbox that is selected. rights_renew - they may be others now:
 * tells what follows from that; false: it is no longer the user's to read, and that is said. */
void rights_take(struct postern_imap *s, uint32_t rights);
bool rights_renew(struct postern_imap *s, uint32_t rights);
/* rights_shows - is it a mailbox that is there for the user? */
bool rights_shows(const struct postern_imap *s, const struct postern_status *one);
/* rights_visible - the list as the user may see it; NULL: out of memory. */
const struct postern_status *rights_visible(struct postern_imap *s,
                                            const struct imap_answer *answer);
/* rights_asks_shared - may a pattern of LIST match a name that is not the user's own? */
bool rights_asks_shared(const struct postern_imap *s, struct postern_span pattern);
/* rights_is_personal - by its name: not another's, not public. */
bool rights_is_personal(const struct postern_imap *s, struct postern_span name);
/* rights_write - as a string; rights_write_mine - the MYRIGHTS line. */
void rights_write_string(struct postern_imap *s, uint32_t rights);
void rights_write_mine(struct postern_imap *s, struct postern_span name, uint32_t rights);
/* rights_parse_identifier - prepared as names are (RFC 4314 3); as_sent_r: as it came; NULL fine.
 */
struct postern_span rights_parse_identifier(struct postern_imap *s, struct postern_span *as_sent_r);

#endif
