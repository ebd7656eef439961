/* SPDX-License-Identifier: MIT */
/* fsck - `postern fsck [USER] [--repair] [--json]`: does each account's index fit its files? Exit
 * code 0 when all is well, or was mended; 1 (as fsck does) when something is wrong. */
#include "cli/cli.h"

#include "base/span.h"
#include "store/folder/check.h"
#include <string.h>
#include <sysexits.h>

struct fsck {
    struct postern_store *store;
    bool json, repair;
    struct postern_span user;
    size_t shown;
    int worst;
};

static int own_flag(void *ctx, const char *flag, const char *value, bool *value_used)
{
    struct fsck *fsck = ctx;

    (void)value, (void)value_used;
    if (strcmp(flag, "json") == 0)
        fsck->json = true;
    else if (strcmp(flag, "repair") == 0)
        fsck->repair = true;
    else
        return 0;
    return 1;
}

static void show_json(struct fsck *fsck, const struct fault *fault)
{
    fputs(fsck->shown++ ? ",\n {\"user\": " : "{\"user\": ", stdout);
    json_text(stdout, fsck->user);
    fputs(", \"mailbox\": ", stdout);
    json_text(stdout, fault->mailbox);
    printf(", \"uid\": %lu, \"file\": ", (unsigned long)fault->uid);
    json_text(stdout, fault->file);
    fputs(", \"fault\": ", stdout);
    json_text(stdout, postern_span_of(fault_text(fault->kind)));
    putchar('}');
}

static void show(void *ctx, const struct fault *fault)
{
    struct fsck *fsck = ctx;

    if (fsck->json) {
        show_json(fsck, fault);
        return;
    }
    printf("%.*s: %s", SPAN_ARG(fsck->user), fault_text(fault->kind));
    if (fault->mailbox.n)
        printf(", mailbox %.*s", SPAN_ARG(fault->mailbox));
    if (fault->uid)
        printf(", UID %lu", (unsigned long)fault->uid);
    if (fault->file.n)
        printf(", file %.*s", SPAN_ARG(fault->file));
    putchar('\n');
}

static int check_one(void *ctx, struct postern_span user)
{
    struct fsck *fsck = ctx;
    int faults;

    fsck->user = user;
    faults = folder_check(fsck->store, user, show, fsck);
    if (faults < 0) {
        char name[256];

        snprintf(name, sizeof name, "%.*s", SPAN_ARG(user));
        fsck->worst = cli_fail(name, faults);
        return 0;
    }
    if (faults && fsck->repair) {
        int err = folder_repair(fsck->store, user);

        if (!fsck->json)
            printf("%.*s: %s\n", SPAN_ARG(user), err ? postern_err_text(err) : "mended");
        if (err)
            fsck->worst = 1;
    } else if (faults && !fsck->worst) {
        fsck->worst = 1;
    }
    return 0;
}

static int check_all(struct fsck *fsck, const char *user)
{
    int err;

    if (fsck->json)
        putchar('[');
    err = user ? check_one(fsck, postern_span_of(user))
               : fsck->store->ops->list_users(fsck->store, check_one, fsck);
    if (fsck->json)
        puts("]");
    return err < 0 ? cli_fail("accounts", err) : fsck->worst;
}

int cli_fsck(int argc, char **argv)
{
    struct fsck fsck = {0};
    struct settings settings = {.own = own_flag, .ctx = &fsck};
    struct postern_store store;
    int code = settings_read(&settings, argc, argv);

    if (!code)
        code = cli_store(&settings.config, &store);
    if (!code) {
        fsck.store = &store;
        code = check_all(&fsck, settings.positional);
        postern_store_free(&store);
    }
    config_done(&settings.config);
    return code;
}
