/* SPDX-License-Identifier: MIT */
/* message - what the files of `postern message` share. */
#ifndef CLI_MESSAGE_H
#define CLI_MESSAGE_H

#include "cli/cli.h"

#define MESSAGE_WORDS_MAX 64

struct message_verb {
    struct postern_store *store;
    struct postern_span user, mailbox;
    const char *words[MESSAGE_WORDS_MAX]; /* behind the mailbox */
    size_t count;
    bool json;
    size_t shown;
    struct postern_mailbox *box;
    int code;
};

/* each does what the verb says. 0, POSTERN_E_*, or 0 with verb->code, when it was told why not. */
/* message_show.c */
int message_list(struct message_verb *verb);
int message_get(struct message_verb *verb);
/* message_command.c */
int message_search(struct message_verb *verb);
int message_flag(struct message_verb *verb);
int message_move(struct message_verb *verb);
int message_delete(struct message_verb *verb);

#endif
