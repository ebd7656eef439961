/* SPDX-License-Identifier: MIT */
/* sqlite - what the files of the text index share. A text's row is numbered slot << 32 | UID: the
 * texts of a mailbox stand together, in the order of their UIDs. */
#ifndef STORE_TEXT_SQLITE_H
#define STORE_TEXT_SQLITE_H

#include "store/text/text_index.h"
#include <sqlite3.h>

struct text_index {
    sqlite3 *db;
    char path[4096];
    int64_t added; /* since begin */
    bool broken;   /* it is removed when it is closed */
};

/* sqlite_error - of a result code, 0 for those that are none; one that tells of damage breaks the
 * index. */
int sqlite_error(struct text_index *index, int code);
int sqlite_do(struct text_index *index, const char *sql) POSTERN_MUST_USE;
/* struct sqlite_box - a mailbox's row; slot 0: it has none yet. */
struct sqlite_box {
    int64_t slot;
    uint32_t upto;
    uint64_t added;
};
int sqlite_slot(struct text_index *index, const struct text_box *box,
                struct sqlite_box *box_r) POSTERN_MUST_USE;

#endif
