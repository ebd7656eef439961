/* SPDX-License-Identifier: MIT */
/* check - an administrator's look at an account that is a folder, and the mending of it. */
#ifndef STORE_FOLDER_CHECK_H
#define STORE_FOLDER_CHECK_H

#include <postern/store.h>

enum fault_kind {
    FAULT_INDEX_LOST,      /* there is none, or it cannot be read */
    FAULT_LOG_TORN,        /* its last change was cut off */
    FAULT_RECORD_DAMAGED,  /* fails its checksum */
    FAULT_NO_FILE,         /* a record without a file */
    FAULT_NO_RECORD,       /* a file without a record */
    FAULT_UID_TWICE,       /* two files bring the same UID */
    FAULT_FILE_LEFT,       /* deleted, and its file is still to be removed */
    FAULT_FILE_UNREADABLE, /* a link, a folder, another's file, or of another size */
    FAULT_KINDS
};

struct fault {
    enum fault_kind kind;
    struct postern_span mailbox, file; /* absent where there is none; lent for the call */
    uint32_t uid;
};

/* fault_text - English; static. */
const char *fault_text(enum fault_kind kind);
/* folder_check - call each for every fault; nothing is changed. store: maildir or eml, else
 * POSTERN_E_UNSUPPORTED. The number of faults, POSTERN_E_NOT_FOUND (no such account), _IO. */
int folder_check(struct postern_store *store, struct postern_span user,
                 void (*each)(void *ctx, const struct fault *fault), void *ctx);
/* folder_repair - make index and files agree: damaged records are dropped and their files asked,
 * files get records, what is deleted is removed. No message is lost by it. */
int folder_repair(struct postern_store *store, struct postern_span user);
/* folder_rebuild - put the index aside and make it anew from the files. UIDs that names tell stay;
 * keywords and mod-sequences begin anew. */
int folder_rebuild(struct postern_store *store, struct postern_span user);
/* folder_import_uidl - give the messages of INBOX the POP3 unique-ids that Dovecot gave, by its
 * list: its own word for one (P), else `format`: %u the UID, %v the uid validity, with 08X or 08x
 * between for eight hexadecimal digits (Dovecot's default is "%08Xu%08Xv"). How many were given
 * one; POSTERN_E_NOT_FOUND (no list), _SYNTAX (format). */
int folder_import_uidl(struct postern_store *store, struct postern_span user,
                       struct postern_span format);

#endif
