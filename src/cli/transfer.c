/* SPDX-License-Identifier: MIT */
/* transfer - the frame of import and export. */
#include "cli/transfer.h"

#include "base/span.h"
#include <string.h>
#include <sysexits.h>

static int own_flag(void *ctx, const char *flag, const char *value, bool *value_used)
{
    struct transfer *transfer = ctx;

    if (!value || (strcmp(flag, "mailbox") != 0 && strcmp(flag, "format") != 0))
        return 0;
    *(strcmp(flag, "mailbox") == 0 ? &transfer->name : &transfer->format) = value;
    *value_used = true;
    return 1;
}

static int run(struct transfer *transfer, const char *user, unsigned flags, const char *path,
               int (*work)(struct transfer *transfer, const char *path))
{
    const struct postern_store_ops *ops = transfer->store->ops;
    struct postern_span name = postern_span_of(transfer->name ? transfer->name : "INBOX");
    int err = ops->account_open(transfer->store, postern_span_of(user), flags, &transfer->account);

    if (!err)
        err = ops->open(transfer->account, name, flags, &transfer->mailbox);
    if (!err)
        err = work(transfer, path);
    ops->close(&transfer->mailbox);
    ops->account_close(&transfer->account);
    return err;
}

int transfer_command(int argc, char **argv, unsigned open_flags,
                     int (*work)(struct transfer *transfer, const char *path), const char *done)
{
    struct transfer transfer = {0};
    struct settings settings = {.own = own_flag, .ctx = &transfer};
    const char *path = argc > 2 && strncmp(argv[2], "--", 2) != 0 ? argv[2] : NULL;
    struct postern_store store;
    int code;

    if (!path || strncmp(argv[1], "--", 2) == 0)
        return cli_complain(EX_USAGE, argv[0], "wants a user name and a path first");
    argv[2] = argv[1]; /* the settings know of one argument */
    code = settings_read(&settings, argc - 1, argv + 1);
    if (!code)
        code = cli_store(&settings.config, &store);
    if (!code) {
        int err;

        transfer.store = &store;
        err = run(&transfer, settings.positional, open_flags, path, work);
        postern_store_free(&store);
        printf("%lu messages %s\n", transfer.count, done);
        code = err < 0 ? cli_fail(path, err) : 0;
    }
    config_done(&settings.config);
    return code;
}
