/* SPDX-License-Identifier: MIT */
/* index - `postern index dump USER`: what is known of an account's mailboxes and messages, as JSON,
 * one object a line; and `index text` (index_text.c). */
#include "cli/cli.h"

#include "base/span.h"
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

struct dump {
    struct postern_store *store;
    struct postern_account *account;
    char **names;
    size_t count;
    struct postern_message_info *infos;
    size_t info_count;
};

static int own_flag(void *ctx, const char *flag, const char *value, bool *value_used)
{
    (void)ctx, (void)value, (void)value_used;
    return strcmp(flag, "json") == 0; /* it is never anything else */
}

static int dump_mailbox(void *ctx, const struct postern_status *status)
{
    struct dump *dump = ctx;
    char **names = realloc(dump->names, (dump->count + 1) * sizeof *names);

    if (!names)
        return POSTERN_E_NOMEM;
    dump->names = names;
    if (status->exists)
        dump->names[dump->count++] = strndup(status->name.p, status->name.n);
    fputs("{\"mailbox\": ", stdout);
    json_text(stdout, status->name);
    printf(
        ", \"id\": %llu, \"exists\": %s, \"subscribed\": %s, \"uid_validity\": %lu, \"uid_next\": "
        "%lu, \"modseq\": %llu, \"messages\": %lu, \"unseen\": %lu, \"deleted\": %lu, "
        "\"bytes\": %llu}\n",
        (unsigned long long)status->id, status->exists ? "true" : "false",
        status->subscribed ? "true" : "false", (unsigned long)status->uid_validity,
        (unsigned long)status->uid_next, (unsigned long long)status->modseq,
        (unsigned long)status->messages, (unsigned long)status->unseen,
        (unsigned long)status->deleted, (unsigned long long)status->size_bytes);
    return 0;
}

static void dump_keywords(const struct dump *dump, const char *name, uint64_t keywords)
{
    struct postern_mailbox *mailbox = NULL;
    bool any = false;

    fputs(", \"keywords\": [", stdout);
    if (keywords && dump->store->ops->open(dump->account, postern_span_of(name), 0, &mailbox) == 0)
        for (unsigned i = 0; i < POSTERN_KEYWORDS_MAX; i++) {
            struct postern_span keyword;

            if (!(keywords >> i & 1) || dump->store->ops->keyword_name(mailbox, i, &keyword) != 0)
                continue;
            fputs(any ? ", " : "", stdout);
            json_text(stdout, keyword);
            any = true;
        }
    dump->store->ops->close(&mailbox);
    putchar(']');
}

static int take_info(void *ctx, const struct postern_message_info *info)
{
    struct dump *dump = ctx;
    struct postern_message_info *infos =
        realloc(dump->infos, (dump->info_count + 1) * sizeof *infos);

    if (!infos)
        return POSTERN_E_NOMEM;
    dump->infos = infos;
    infos[dump->info_count++] = *info;
    return 0;
}

static void dump_message(const struct dump *dump, const char *name, const char *unique_id,
                         const struct postern_message_info *info)
{
    fputs("{\"mailbox\": ", stdout);
    json_text(stdout, postern_span_of(name));
    printf(
        ", \"uid\": %lu, \"flags\": \"%s%s%s%s%s\", \"modseq\": %llu, \"date\": %lld, \"bytes\": "
        "%llu, \"email_id\": \"%016llx\", \"unique_id\": ",
        (unsigned long)info->uid, info->flags & POSTERN_FLAG_SEEN ? "S" : "",
        info->flags & POSTERN_FLAG_ANSWERED ? "R" : "",
        info->flags & POSTERN_FLAG_FLAGGED ? "F" : "",
        info->flags & POSTERN_FLAG_DELETED ? "T" : "", info->flags & POSTERN_FLAG_DRAFT ? "D" : "",
        (unsigned long long)info->modseq, (long long)info->date_s,
        (unsigned long long)info->size_wire, (unsigned long long)info->email_id);
    json_text(stdout, postern_span_of(unique_id));
    dump_keywords(dump, name, info->keywords);
    puts("}");
}

static int dump_messages(struct dump *dump, const char *name)
{
    const struct postern_store_ops *ops = dump->store->ops;
    struct postern_mailbox *mailbox = NULL;
    char unique_id[POSTERN_UID_MAX + 1];
    int err = ops->open(dump->account, postern_span_of(name), 0, &mailbox);

    if (!err)
        err = ops->each(mailbox, (struct postern_uid_range){1, UINT32_MAX}, 0, take_info, dump);
    for (size_t i = 0; i < dump->info_count && !err; i++)
        if (ops->unique_id(mailbox, dump->infos[i].uid, unique_id) > 0)
            dump_message(dump, name, unique_id, &dump->infos[i]);
    ops->close(&mailbox);
    free(dump->infos);
    dump->infos = NULL;
    dump->info_count = 0;
    return err;
}

static int dump_account(struct dump *dump, const char *user)
{
    const struct postern_store_ops *ops = dump->store->ops;
    int err = ops->account_open(dump->store, postern_span_of(user), 0, &dump->account);

    if (!err)
        err = ops->list(dump->account, dump_mailbox, dump);
    for (size_t i = 0; i < dump->count; i++) {
        if (!err)
            err = dump_messages(dump, dump->names[i]);
        free(dump->names[i]);
    }
    free(dump->names);
    ops->account_close(&dump->account);
    return err;
}

int cli_index(int argc, char **argv)
{
    struct settings settings = {.own = own_flag};
    struct postern_store store;
    bool text = argc > 1 && strcmp(argv[1], "text") == 0;
    int code;

    if (argc < 2 || (!text && strcmp(argv[1], "dump") != 0))
        return cli_complain(EX_USAGE, "index", "want dump USER or text USER");
    code = settings_read(&settings, argc - 1, argv + 1);
    if (!code && !settings.positional)
        code = cli_complain(EX_USAGE, text ? "index text" : "index dump", "wants a user name");
    if (!code)
        code = cli_store(&settings.config, &store);
    if (!code) {
        struct dump dump = {.store = &store};
        int err = text ? index_text(&store, settings.positional)
                       : dump_account(&dump, settings.positional);

        postern_store_free(&store);
        code = err < 0 ? cli_fail(settings.positional, err) : 0;
    }
    config_done(&settings.config);
    return code;
}
