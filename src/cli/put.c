/* SPDX-License-Identifier: MIT */
/* put - `postern put USER [FILE] [--mail PATH]`: a message from a file or standard input into a
 * mailbox, by the store's own delivery: when its UID is printed the message is on disk.
 *
 * --stream: many of them, each with a line before it that tells its octets in decimal; each is
 * answered by its UID before the next is read. */
#include "cli/cli.h"

#include "base/span.h"
#include <string.h>
#include <sysexits.h>

/* put_octets - exactly n of them. */
static int put_octets(struct postern_store *store, struct postern_delivery *delivery, FILE *in,
                      unsigned long long n)
{
    char bytes[65536];
    int err = 0;

    while (n && !err) {
        size_t got = fread(bytes, 1, n < sizeof bytes ? (size_t)n : sizeof bytes, in);

        err = got ? store->ops->write(delivery, span_make(bytes, got)) : POSTERN_E_SYNTAX;
        n -= got;
    }
    return err;
}

static int put_stream(struct postern_store *store, struct postern_mailbox *mailbox, FILE *in)
{
    char line[32];
    int err = 0;

    while (!err && fgets(line, sizeof line, in)) {
        struct postern_delivery *delivery = NULL;
        struct postern_span number = span_make(line, strcspn(line, "\n"));
        uint64_t n;
        uint32_t uid;

        if (!span_number(number, UINT64_MAX / 2, &n))
            return POSTERN_E_SYNTAX;
        err = store->ops->begin(mailbox, NULL, &delivery);
        if (!err)
            err = put_octets(store, delivery, in, n);
        if (err) {
            store->ops->abort(&delivery);
            return err;
        }
        err = store->ops->commit(&delivery, 1, &uid);
        if (!err && (printf("%lu\n", (unsigned long)uid) < 0 || fflush(stdout) != 0))
            err = POSTERN_E_IO;
    }
    return err;
}

static int own_flag(void *ctx, const char *flag, const char *value, bool *value_used)
{
    bool *stream = ctx;

    (void)value, (void)value_used;
    if (strcmp(flag, "stream") != 0)
        return 0;
    *stream = true;
    return 1;
}

static int put_all(struct postern_store *store, struct postern_mailbox *mailbox, FILE *in)
{
    struct postern_delivery *delivery;
    char bytes[65536];
    uint32_t uid = 0;
    size_t n;
    int err = store->ops->begin(mailbox, NULL, &delivery);

    if (err < 0)
        return err;
    while (!err && (n = fread(bytes, 1, sizeof bytes, in)) > 0)
        err = store->ops->write(delivery, span_make(bytes, n));
    if (!err && ferror(in))
        err = POSTERN_E_IO;
    if (err) {
        store->ops->abort(&delivery);
        return err;
    }
    err = store->ops->commit(&delivery, 1, &uid);
    if (!err)
        printf("%lu\n", (unsigned long)uid);
    return err;
}

static int put_into(const struct config *config, const char *user, const char *file, bool stream)
{
    struct postern_store store;
    struct postern_mailbox *mailbox;
    FILE *in = file && strcmp(file, "-") != 0 ? fopen(file, "re") : stdin;
    int code, err;

    if (!in)
        return cli_complain(EX_NOINPUT, file, "cannot be read");
    code = cli_store(config, &store);
    if (!code) {
        err = postern_store_inbox(&store, postern_span_of(user), POSTERN_STORE_CREATE, &mailbox);
        if (!err) {
            err = stream ? put_stream(&store, mailbox, in) : put_all(&store, mailbox, in);
            store.ops->close(&mailbox);
        }
        postern_store_free(&store);
        code = err < 0 ? cli_fail(user, err) : 0;
    }
    if (in != stdin)
        fclose(in);
    return code;
}

int cli_put(int argc, char **argv)
{
    const char *file = NULL;
    bool stream = false;
    struct settings settings = {.own = own_flag, .ctx = &stream};
    int code;

    /* the second argument is the file; the settings know of one */
    if (argc > 2 && strncmp(argv[2], "--", 2) != 0) {
        file = argv[2];
        argv[2] = argv[1];
        argv++;
        argc--;
    }
    code = settings_read(&settings, argc, argv);
    if (!code && !settings.positional)
        code = cli_complain(EX_USAGE, "put", "wants a user name");
    if (!code)
        code = put_into(&settings.config, settings.positional, file, stream);
    config_done(&settings.config);
    return code;
}
