/* SPDX-License-Identifier: MIT */
/* transfer - what import and export share: USER PATH [--mailbox NAME] [--format KIND]. */
#ifndef CLI_TRANSFER_H
#define CLI_TRANSFER_H

#include "cli/cli.h"

struct transfer {
    struct postern_store *store;
    struct postern_account *account;
    struct postern_mailbox *mailbox;
    const char *name, *format; /* as given; NULL: INBOX, and none */
    unsigned long count;       /* of messages done */
};

/* transfer_command - read the arguments, open the mailbox, call work(transfer, PATH), say how many
 * messages were `done`. */
int transfer_command(int argc, char **argv, unsigned open_flags,
                     int (*work)(struct transfer *transfer, const char *path), const char *done);

#endif
