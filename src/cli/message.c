/* SPDX-License-Identifier: MIT */
/* message - `postern message list|search|get|flag|move|delete USER MAILBOX ...`. */
#include "cli/message.h"

#include "base/span.h"
#include <string.h>
#include <sysexits.h>

static const struct verb {
    const char *name;
    size_t least; /* words behind the mailbox */
    size_t most;
    int (*work)(struct message_verb *verb);
    const char *wants;
} verbs[] = {{"list", 0, 0, message_list, "wants a user and a mailbox"},
             {"search", 0, MESSAGE_WORDS_MAX, message_search,
              "wants a user, a mailbox and what SEARCH takes"},
             {"get", 1, 1, message_get, "wants a user, a mailbox and a UID"},
             {"flag", 2, MESSAGE_WORDS_MAX, message_flag,
              "wants a user, a mailbox, UIDs and +flags or -flags"},
             {"move", 2, 2, message_move, "wants a user, a mailbox, UIDs and another mailbox"},
             {"delete", 1, 1, message_delete, "wants a user, a mailbox and UIDs"}};

static int own_flag(void *ctx, const char *flag_name, const char *value, bool *value_used)
{
    (void)value, (void)value_used;
    if (strcmp(flag_name, "json") != 0)
        return 0;
    ((struct message_verb *)ctx)->json = true;
    return 1;
}

static int work(struct message_verb *verb, int (*of_verb)(struct message_verb *verb))
{
    struct postern_account *account = NULL;
    int err = verb->store->ops->account_open(verb->store, verb->user, 0, &account);

    if (!err)
        err = verb->store->ops->open(account, verb->mailbox, 0, &verb->box);
    if (!err)
        err = of_verb(verb);
    verb->store->ops->close(&verb->box);
    verb->store->ops->account_close(&account);
    return err;
}

static const struct verb *verb_named(const char *name)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

/* take_words - those behind the mailbox, up to the flags. 0, or the code to end with. */
static int take_words(struct message_verb *verb, int argc, char **argv, int *at_r)
{
    int at = 4;

    for (; at < argc && strncmp(argv[at], "--", 2) != 0; at++) {
        if (verb->count == MESSAGE_WORDS_MAX)
            return cli_complain(EX_USAGE, argv[1], "too many words");
        if (strpbrk(argv[at], "\r\n")) /* it would begin another command */
            return cli_complain(EX_USAGE, argv[1], "an argument is one line");
        verb->words[verb->count++] = argv[at];
    }
    *at_r = at;
    return 0;
}

int cli_message(int argc, char **argv)
{
    const struct verb *which = argc > 1 ? verb_named(argv[1]) : NULL;
    struct message_verb verb = {.code = 0};
    struct settings settings = {.own = own_flag, .ctx = &verb};
    struct postern_store store;
    int at = argc, err, code;

    if (!which)
        return cli_complain(EX_USAGE, "message", "want list, search, get, flag, move or delete");
    code = take_words(&verb, argc, argv, &at);
    if (code)
        return code;
    if (argc < 4 || strncmp(argv[2], "--", 2) == 0 || strncmp(argv[3], "--", 2) == 0 ||
        verb.count < which->least || verb.count > which->most)
        return cli_complain(EX_USAGE, which->name, which->wants);
    verb.user = postern_span_of(argv[2]);
    verb.mailbox = postern_span_of(argv[3]);
    argv[at - 1] = argv[0]; /* what is left is flags */
    code = settings_read(&settings, argc - at + 1, argv + at - 1);
    if (!code)
        code = cli_store(&settings.config, &store);
    if (!code) {
        verb.store = &store;
        err = work(&verb, which->work);
        postern_store_free(&store);
        code = err < 0 ? cli_fail(argv[3], err) : verb.code;
    }
    config_done(&settings.config);
    return code;
}
