/* SPDX-License-Identifier: MIT */
/* uidlist - what Dovecot called the messages. */
#ifndef STORE_FOLDER_UIDLIST_H
#define STORE_FOLDER_UIDLIST_H

#include "store/folder/folder.h"

struct uidlist_entry {
    struct postern_span key, unique;
    uint32_t uid;
};

struct uidlist {
    uint32_t uid_validity, uid_next; /* 0: there is none */
    struct uidlist_entry *all;       /* by key */
    size_t count;
    char *text;
};

int uidlist_read(struct uidlist *list, struct place *place);
/* uidlist_parse - text: taken. POSTERN_E_NOMEM; what is not understood is skipped. */
int uidlist_parse(struct uidlist *list, char *text, size_t n);
const struct uidlist_entry *uidlist_find(const struct uidlist *list, struct postern_span key);
void uidlist_done(struct uidlist *list);

#endif
