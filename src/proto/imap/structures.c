/* SPDX-License-Identifier: MIT */
/* structures - the parsed forms that FETCH and SEARCH go by, several of which come at once. */
#include "proto/imap/session.h"

bool structures_have(struct imap_structures *structures, uint32_t uid)
{
    while (structures->count && structures->lent->uid < uid) {
        structures->lent++;
        structures->count--;
    }
    if (structures->count == 0 || structures->lent->uid != uid)
        return false;
    structures->block = structures->lent->block;
    return true;
}

bool structures_take(struct postern_imap *s, struct imap_structures *structures,
                     const struct imap_answer *answer)
{
    structures->lent = answer->structures;
    structures->count = answer->structures ? answer->count : 0;
    structures->block = answer->text;
    if (answer->structures)
        return true;
    buffer_take(&structures->own, buffer_length(&structures->own));
    buffer_append(&structures->own, answer->text);
    structures->block = buffer_span(&structures->own);
    if (!structures->own.error)
        return true;
    imap_no_memory(s);
    return false;
}
