/* SPDX-License-Identifier: MIT */
/* fuzz_uidlist - a file dovecot-uidlist: what is found in it lies in it, and is found again. */
#include <stdlib.h>

#include "base/span.h"
#include "store/folder/uidlist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct uidlist list;
    char *text = malloc(size + 1);

    if (!text)
        return 0;
    if (size)
        memcpy(text, data, size);
    if (uidlist_parse(&list, text, size) == 0)
        for (size_t i = 0; i < list.count; i++) {
            const struct uidlist_entry *entry = uidlist_find(&list, list.all[i].key);

            if (!entry || entry->uid == 0 || entry->uid >= list.uid_next ||
                entry->unique.n > POSTERN_UID_MAX || entry->key.p < text ||
                entry->key.p + entry->key.n > text + size)
                abort();
        }
    uidlist_done(&list);
    return 0;
}

#include "replay.h"
