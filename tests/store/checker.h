/* SPDX-License-Identifier: MIT */
/* checker - looks at an account again and again and tells when a promise of store.h was broken:
 * what it saw once it holds against all it sees later. It knows nothing of how the account came to
 * be. */
#ifndef TESTS_STORE_CHECKER_H
#define TESTS_STORE_CHECKER_H

#include <postern/store.h>

struct checker;

/* checker_new / checker_free - given. */
struct checker *checker_new(void);
void checker_free(struct checker *checker);
/* checker_look - NULL, or what is wrong; the text is lent until the next look. */
const char *checker_look(struct checker *checker, struct postern_store *store,
                         struct postern_span user);
/* content_sum - of the octets of a message; false: it cannot be read, *err_r says why. */
bool content_sum(struct postern_store *store, struct postern_mailbox *box, uint32_t uid,
                 uint64_t *sum_r, uint64_t *size_r, int *err_r);

#endif
