/* SPDX-License-Identifier: MIT */
/* mailbox - `postern mailbox list|status [USER]`, `rebuild USER`, `import-uidl USER [--format
 * TEXT]`; all with [--mail PATH] [--store KIND], the first two with [--json]. */
#include "cli/cli.h"

#include "base/span.h"
#include "store/folder/check.h"
#include <string.h>
#include <sysexits.h>

struct mailbox_walk {
    struct postern_store *store;
    bool json, status;
    const char *format;
    size_t shown;
};

static int own_flag(void *ctx, const char *flag, const char *value, bool *value_used)
{
    struct mailbox_walk *walk = ctx;

    if (strcmp(flag, "format") == 0 && value) {
        walk->format = value;
        *value_used = true;
        return 1;
    }
    if (strcmp(flag, "json") != 0)
        return 0;
    walk->json = true;
    return 1;
}

static int show_status(struct mailbox_walk *walk, struct postern_span user)
{
    struct postern_mailbox *mailbox = NULL;
    struct postern_snapshot *snapshot = NULL;
    int err = postern_store_inbox(walk->store, user, 0, &mailbox);

    if (!err)
        err = walk->store->ops->snapshot(mailbox, 0, &snapshot);
    if (!err && walk->json) {
        fputs(walk->shown++ ? ",\n {\"user\": " : "{\"user\": ", stdout);
        json_text(stdout, user);
        printf(", \"messages\": %zu, \"bytes\": %llu}", snapshot->list.count,
               (unsigned long long)snapshot->list.total_bytes);
    } else if (!err) {
        printf("%.*s: %zu messages, %llu bytes\n", SPAN_ARG(user), snapshot->list.count,
               (unsigned long long)snapshot->list.total_bytes);
    }
    postern_snapshot_unref(&snapshot);
    walk->store->ops->close(&mailbox);
    return err;
}

static int show_one(void *ctx, struct postern_span user)
{
    struct mailbox_walk *walk = ctx;

    if (walk->status)
        return show_status(walk, user);
    if (walk->json) {
        fputs(walk->shown++ ? ", " : "", stdout);
        json_text(stdout, user);
    } else {
        printf("%.*s\n", SPAN_ARG(user));
    }
    return 0;
}

static int walk_all(struct mailbox_walk *walk, const char *user)
{
    int err;

    if (walk->json)
        putchar('[');
    err = user ? show_one(walk, postern_span_of(user))
               : walk->store->ops->list_users(walk->store, show_one, walk);
    if (walk->json)
        puts("]");
    return err < 0 ? cli_fail(user ? user : "mailboxes", err) : 0;
}

/* change_one - rebuild or import-uidl. */
static int change_one(const struct mailbox_walk *walk, const char *what, const char *user)
{
    int r;

    if (!user)
        return cli_complain(EX_USAGE, what, "wants a user name");
    if (strcmp(what, "rebuild") == 0) {
        r = folder_rebuild(walk->store, postern_span_of(user));
    } else {
        r = folder_import_uidl(walk->store, postern_span_of(user),
                               postern_span_of(walk->format ? walk->format : "%08Xu%08Xv"));
        if (r >= 0)
            printf("%d unique-ids taken over\n", r);
    }
    return r < 0 ? cli_fail(user, r) : 0;
}

int cli_mailbox(int argc, char **argv)
{
    static const char *const known[] = {"list", "status", "rebuild", "import-uidl"};
    struct mailbox_walk walk = {0};
    struct settings settings = {.own = own_flag, .ctx = &walk};
    struct postern_store store;
    size_t what = 0;
    int code;

    while (what < 4 && (argc < 2 || strcmp(argv[1], known[what]) != 0))
        what++;
    if (what == 4) {
        code = argc < 2 ? -1 : cli_mailbox_change(argc, argv);
        return code >= 0 ? code
                         : cli_complain(
                               EX_USAGE, "mailbox",
                               "want list, status, rebuild, import-uidl, folders, quota, create, "
                               "delete, rename, subscribe, unsubscribe, metadata, annotate, acl, "
                               "acl-set or acl-delete");
    }
    walk.status = what == 1;
    code = settings_read(&settings, argc - 1, argv + 1);
    if (!code)
        code = cli_store(&settings.config, &store);
    if (!code) {
        walk.store = &store;
        code = what < 2 ? walk_all(&walk, settings.positional)
                        : change_one(&walk, known[what], settings.positional);
        postern_store_free(&store);
    }
    config_done(&settings.config);
    return code;
}
