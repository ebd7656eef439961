/* SPDX-License-Identifier: MIT */
/* mailbox_change - `postern mailbox folders USER`, `quota USER [--storage KIB] [--messages N]
 * [--mailboxes N] [--default]`, `create USER NAME [--use trash]`,
 * `delete|subscribe|unsubscribe USER NAME`, `rename USER NAME NEW`, `metadata USER NAME`, `annotate
 * USER NAME ENTRY[=VALUE]`, `acl USER NAME`, `acl-set USER NAME IDENTIFIER=[+-]RIGHTS`, `acl-delete
 * USER NAME IDENTIFIER`: what an IMAP client can do, by the same calls of the store. */
#include "cli/cli.h"

#include "base/span.h"
#include "codec/rights.h"
#include "store/acl.h"
#include <string.h>
#include <sysexits.h>

struct change {
    struct postern_store *store;
    struct postern_span user;
    struct postern_account *account;
    struct postern_span name, to;
    const char *use, *kib, *messages, *mailboxes;
    bool json, as_configured;
    size_t shown;
};

static int own_flag(void *ctx, const char *flag, const char *value, bool *value_used)
{
    struct change *change = ctx;

    if (strcmp(flag, "json") == 0) {
        change->json = true;
        return 1;
    }
    if (strcmp(flag, "default") == 0) {
        change->as_configured = true;
        return 1;
    }
    if (!value)
        return 0;
    if (strcmp(flag, "use") == 0)
        change->use = value;
    else if (strcmp(flag, "storage") == 0)
        change->kib = value;
    else if (strcmp(flag, "messages") == 0)
        change->messages = value;
    else if (strcmp(flag, "mailboxes") == 0)
        change->mailboxes = value;
    else
        return 0;
    *value_used = true;
    return 1;
}

static int create(struct change *change)
{
    enum postern_special_use special = POSTERN_SPECIAL_NONE;
    struct postern_span word;

    if (change->use && (strchr(change->use, '=') || !config_special(change->use, &word, &special)))
        return POSTERN_E_SYNTAX;
    return change->store->ops->create(change->account, change->name, special);
}

static int delete_(struct change *change)
{
    return change->store->ops->remove(change->account, change->name);
}

static int rename_(struct change *change)
{
    return change->store->ops->rename(change->account, change->name, change->to);
}

static int subscribe(struct change *change)
{
    return change->store->ops->subscribe(change->account, change->name, true);
}

static int unsubscribe(struct change *change)
{
    return change->store->ops->subscribe(change->account, change->name, false);
}

static void show_json(struct change *change, const struct postern_status *status)
{
    fputs(change->shown++ ? ",\n {\"name\": " : "{\"name\": ", stdout);
    json_text(stdout, status->name);
    printf(
        ", \"messages\": %u, \"unseen\": %u, \"bytes\": %llu, \"uid_validity\": %u, \"uid_next\": "
        "%u, \"subscribed\": %s",
        status->messages, status->unseen, (unsigned long long)status->size_bytes,
        status->uid_validity, status->uid_next, status->subscribed ? "true" : "false");
    if (status->special)
        printf(", \"use\": \"%s\"", config_special_word(status->special));
    putchar('}');
}

static int show(void *ctx, const struct postern_status *status)
{
    struct change *change = ctx;

    if (!status->exists)
        return 0;
    if (change->json)
        show_json(change, status);
    else
        printf("%.*s: %u messages, %u unseen, %llu bytes\n", SPAN_ARG(status->name),
               status->messages, status->unseen, (unsigned long long)status->size_bytes);
    return 0;
}

static int folders(struct change *change)
{
    int err;

    if (change->json)
        putchar('[');
    err = change->store->ops->list(change->account, show, change);
    if (change->json)
        puts("]");
    return err;
}

/* set_quota - what is not named has no limit, as with IMAP's SETQUOTA. */
static int set_quota(struct change *change)
{
    struct postern_quota limits = {0};

    if (change->as_configured)
        return change->kib || change->messages || change->mailboxes
                   ? POSTERN_E_USAGE
                   : postern_store_set_quota(change->store, change->account, NULL);
    if ((change->kib &&
         !span_number(postern_span_of(change->kib), UINT64_MAX / 1024, &limits.bytes_max)) ||
        (change->messages &&
         !span_number(postern_span_of(change->messages), UINT64_MAX, &limits.messages_max)) ||
        (change->mailboxes &&
         !span_number(postern_span_of(change->mailboxes), UINT64_MAX, &limits.mailboxes_max)))
        return POSTERN_E_SYNTAX;
    limits.bytes_max *= 1024;
    return postern_store_set_quota(change->store, change->account, &limits);
}

static int quota(struct change *change)
{
    struct postern_quota quota;
    bool changes = change->kib || change->messages || change->mailboxes || change->as_configured;
    int err = changes ? set_quota(change) : 0;

    if (!err)
        err = change->store->ops->quota(change->account, &quota);

    if (err)
        return err;
    printf(change->json
               ? "{\"bytes\": %llu, \"bytes_max\": %llu, \"messages\": %llu, "
                 "\"messages_max\": %llu, \"mailboxes\": %llu, \"mailboxes_max\": %llu}\n"
               : "%llu of %llu bytes, %llu of %llu messages, %llu of %llu mailboxes (0: no "
                 "limit)\n",
           (unsigned long long)quota.bytes, (unsigned long long)quota.bytes_max,
           (unsigned long long)quota.messages, (unsigned long long)quota.messages_max,
           (unsigned long long)quota.mailboxes, (unsigned long long)quota.mailboxes_max);
    return 0;
}

static int show_annotation(void *ctx, const struct postern_metadata *one)
{
    struct change *change = ctx;

    if (change->json) {
        fputs(change->shown++ ? ",\n {\"entry\": " : "{\"entry\": ", stdout);
        json_text(stdout, one->entry);
        fputs(", \"value\": ", stdout);
        json_text(stdout, one->value);
        putchar('}');
    } else {
        printf("%.*s\t%.*s\n", SPAN_ARG(one->entry), SPAN_ARG(one->value));
    }
    return 0;
}

/* account_or - a mailbox's name; "." is the account itself. */
static struct postern_span account_or(struct postern_span name)
{
    return span_equal(name, SPAN(".")) ? SPAN("") : name;
}

static int metadata(struct change *change)
{
    int err;

    if (change->json)
        putchar('[');
    err = change->store->ops->metadata(change->account, account_or(change->name), show_annotation,
                                       change);
    if (change->json)
        puts("]");
    return err;
}

/* annotate - "ENTRY=VALUE", or "ENTRY" to remove it. */
static int annotate(struct change *change)
{
    struct postern_span value = change->to;
    struct postern_metadata one = {.entry = span_cut(&value, '=')};

    one.value = value;
    if (!span_begins_nocase(one.entry, SPAN("/private/")) &&
        !span_begins_nocase(one.entry, SPAN("/shared/")))
        return POSTERN_E_SYNTAX;
    return change->store->ops->set_metadata(change->account, account_or(change->name), &one, 1);
}

static int show_rights(void *ctx, const struct postern_acl *one)
{
    struct change *change = ctx;
    struct buffer rights = {0};
    int err;

    rights_write(&rights, one->rights, false);
    err = rights.error;
    if (!err && change->json) {
        fputs(change->shown++ ? ",\n {\"identifier\": " : "{\"identifier\": ", stdout);
        json_text(stdout, one->identifier);
        printf(", \"rights\": \"%.*s\"}", SPAN_ARG(buffer_span(&rights)));
    } else if (!err) {
        printf("%.*s\t%.*s\n", SPAN_ARG(one->identifier), SPAN_ARG(buffer_span(&rights)));
    }
    buffer_done(&rights);
    return err;
}

static int acl(struct change *change)
{
    int err;

    if (change->json)
        putchar('[');
    err = change->store->ops->acl(change->account, change->name, show_rights, change);
    if (change->json)
        puts("]");
    return err;
}

/* acl_set - "bob=lrs"; "bob=+i" and "bob=-i" add and remove. */
static int acl_set(struct change *change)
{
    struct postern_span rights = change->to;
    struct postern_acl one = {.identifier = span_cut(&rights, '=')};
    enum postern_flags_how how = span_begins(rights, SPAN("+"))   ? POSTERN_FLAGS_ADD
                                 : span_begins(rights, SPAN("-")) ? POSTERN_FLAGS_REMOVE
                                                                  : POSTERN_FLAGS_SET;

    if (acl_is_about(one.identifier, change->user))
        return POSTERN_E_DENIED; /* the owner may do everything */
    if (!rights.p || rights_parse(span_from(rights, how != POSTERN_FLAGS_SET), &one.rights) < 0)
        return POSTERN_E_SYNTAX;
    return change->store->ops->set_acl(change->account, change->name, &one, how);
}

static int acl_delete(struct change *change)
{
    struct postern_acl one = {.identifier = change->to};

    return change->store->ops->set_acl(change->account, change->name, &one, POSTERN_FLAGS_SET);
}

static const struct verb {
    const char *name;
    int names; /* behind the user */
    int (*work)(struct change *change);
} verbs[] = {{"folders", 0, folders},         {"quota", 0, quota},
             {"create", 1, create},           {"delete", 1, delete_},
             {"rename", 2, rename_},          {"subscribe", 1, subscribe},
             {"unsubscribe", 1, unsubscribe}, {"metadata", 1, metadata},
             {"annotate", 2, annotate},       {"acl", 1, acl},
             {"acl-set", 2, acl_set},         {"acl-delete", 2, acl_delete}};

static int run(struct change *change, const struct verb *verb, const char *user)
{
    const struct postern_store_ops *ops = change->store->ops;
    int err = ops->account_open(change->store, postern_span_of(user), 0, &change->account);

    if (!err)
        err = verb->work(change);
    ops->account_close(&change->account);
    return err;
}

int cli_mailbox_change(int argc, char **argv)
{
    const struct verb *verb = verbs;
    struct change change = {0};
    struct settings settings = {.own = own_flag, .ctx = &change};
    struct postern_store store;
    int code;

    while (verb < verbs + sizeof verbs / sizeof *verbs && strcmp(argv[1], verb->name) != 0)
        verb++;
    if (verb == verbs + sizeof verbs / sizeof *verbs)
        return -1;
    for (int i = 2; i < 3 + verb->names; i++)
        if (i >= argc || strncmp(argv[i], "--", 2) == 0)
            return cli_complain(EX_USAGE, verb->name,
                                verb->names ? "wants a user name and a mailbox's name first"
                                            : "wants a user name first");
    change.name = verb->names ? postern_span_of(argv[3]) : change.name;
    change.to = verb->names > 1 ? postern_span_of(argv[4]) : change.to;
    argv[2 + verb->names] = argv[2]; /* the settings know of one argument */
    code = settings_read(&settings, argc - 1 - verb->names, argv + 1 + verb->names);
    if (!code)
        code = cli_store(&settings.config, &store);
    if (!code) {
        int err;

        change.store = &store;
        change.user = postern_span_of(settings.positional);
        err = run(&change, verb, settings.positional);
        postern_store_free(&store);
        code = err < 0 ? cli_fail(settings.positional, err) : 0;
    }
    config_done(&settings.config);
    return code;
}
