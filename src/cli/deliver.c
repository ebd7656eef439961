/* SPDX-License-Identifier: MIT */
/* deliver - `postern deliver -d USER`: what an MTA runs to hand over a message on a pipe, with the
 * options that dovecot-lda has. Its exit code is all that the MTA hears: 0 delivered, 67 no such
 * user, 69 the message can never be taken, 77 refused (-e), 75 for all else, so that a mistake of
 * ours makes mail wait and not bounce. The first line of output has the enhanced code. */
#include "cli/cli.h"

#include "base/span.h"
#include "daemon/parts.h"
#include "serve/deliver.h"
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#define ARGUMENTS_MAX 64

struct flags {
    const char *user, *sender, *original, *final, *mailbox, *file;
    bool tells; /* -e */
    char *settings[ARGUMENTS_MAX];
    int settings_count;
};

/* one_setting - "-o key=value" is "--key=value". */
static bool one_setting(struct flags *flags, const char *prefix, const char *text)
{
    size_t size = strlen(prefix) + strlen(text) + 1;
    char *copy = flags->settings_count < ARGUMENTS_MAX ? malloc(size) : NULL;

    if (!copy)
        return false;
    snprintf(copy, size, "%s%s", prefix, text);
    flags->settings[flags->settings_count++] = copy;
    return true;
}

static bool one_flag(struct flags *flags, int letter)
{
    switch (letter) {
    case 'd':
        flags->user = optarg;
        return true;
    case 'f':
        flags->sender = optarg;
        return true;
    case 'a':
        flags->original = optarg;
        return true;
    case 'r':
        flags->final = optarg;
        return true;
    case 'm':
        flags->mailbox = optarg;
        return true;
    case 'p':
        flags->file = optarg;
        return true;
    case 'e':
        return flags->tells = true;
    case 'k': /* of dovecot-lda: the environment is kept anyway */
        return true;
    case 'c':
        return one_setting(flags, "--config=", optarg);
    case 'o':
        return one_setting(flags, "--", optarg);
    default:
        return false;
    }
}

static bool has_control(const char *text)
{
    for (; text && *text; text++)
        if ((unsigned char)*text < ' ' || *text == 127)
            return true;
    return false;
}

static bool read_flags(struct flags *flags, int argc, char **argv)
{
    int letter;

    flags->settings[flags->settings_count++] = argv[0];
    opterr = 0;
    while ((letter = getopt(argc, argv, "d:f:a:r:m:p:c:o:ek")) != -1)
        if (!one_flag(flags, letter))
            return false;
    return flags->user && optind == argc && !has_control(flags->original) &&
           !has_control(flags->sender) && !has_control(flags->user);
}

static int read_file(void *ctx, char *out, size_t n)
{
    FILE *in = ctx;
    size_t got = fread(out, 1, n, in);

    return got == 0 && ferror(in) ? -1 : (int)got;
}

/* exit_code - (T3) as MTAs read it; see above. */
static int exit_code(const struct deliver_result *result, bool tells)
{
    if (result->code / 100 == 2)
        return 0;
    if (strcmp(result->enhanced, "5.1.1") == 0)
        return EX_NOUSER;
    if (result->code / 100 != 5)
        return EX_TEMPFAIL;
    return tells ? EX_NOPERM : EX_UNAVAILABLE;
}

static struct postern_span address_of(const char *text)
{
    struct postern_span address = text ? postern_span_of(text) : SPAN("");

    if (address.n >= 2 && address.p[0] == '<' && address.p[address.n - 1] == '>')
        address = span_make(address.p + 1, address.n - 2);
    return address;
}

/* sender_of - "MAILER-DAEMON" is what Postfix's pipe makes of the empty sender. */
static struct postern_span sender_of(const char *text)
{
    struct postern_span address = address_of(text);

    return span_equal(address, SPAN("MAILER-DAEMON")) ? SPAN("") : address;
}

static int run(const struct config *config, const struct flags *flags, struct deliver *deliver,
               FILE *in)
{
    struct deliver_result result = {.code = 451, .enhanced = "4.3.0"};
    struct postern_smtp_options smtp;
    char host[256];
    int err, code;

    parts_smtp(config, &smtp);
    parts_host(config, host, sizeof host);
    smtp.hostname = postern_span_of(host);
    deliver->smtp = &smtp;
    deliver->detail_create = config->detail_create;
    deliver->sender = sender_of(flags->sender);
    deliver->recipient = address_of(flags->final ? flags->final : flags->user);
    deliver->mailbox = flags->mailbox && *flags->mailbox ? flags->mailbox : NULL;
    deliver->original = flags->original;
    err = deliver_message(deliver, read_file, in, &result);
    code = err ? EX_TEMPFAIL : exit_code(&result, flags->tells);
    if (code)
        fprintf(flags->tells ? stderr : stdout, "%s\n",
                err ? "4.3.0 the message could not be read" : result.text);
    return code;
}

static int deliver_with(const struct config *config, const struct flags *flags)
{
    struct postern_store store = {0};
    struct deliver deliver = {.store = &store};
    FILE *in = flags->file ? fopen(flags->file, "re") : stdin;
    int code = EX_TEMPFAIL;

    if (!in || parts_space(config, &deliver.space) < 0 ||
        parts_accounts(config, &deliver.accounts) < 0 ||
        parts_recipients(config, deliver.accounts, &deliver.recipients) < 0) {
        printf("4.3.5 %s\n", in ? accounts_error() : "the message cannot be read");
    } else if (cli_store(config, &store) == 0) {
        code = run(config, flags, &deliver, in);
        postern_store_free(&store);
    }
    space_free(&deliver.space);
    recipients_free(&deliver.recipients);
    accounts_free(&deliver.accounts);
    if (in && in != stdin)
        fclose(in);
    return code;
}

int cli_deliver(int argc, char **argv)
{
    struct flags flags = {0};
    struct settings settings = {.complaint = "4.3.5"};
    int code = EX_TEMPFAIL;

    if (!read_flags(&flags, argc, argv))
        printf("4.3.5 usage: postern deliver -d USER [-f SENDER] [-a ADDRESS] [-r ADDRESS] "
               "[-m MAILBOX] [-p FILE] [-c CONFIG] [-o KEY=VALUE] [-e]\n");
    else if (settings_read(&settings, flags.settings_count, flags.settings) != 0)
        printf("4.3.5 the configuration cannot be read\n");
    else
        code = deliver_with(&settings.config, &flags);
    config_done(&settings.config);
    for (int i = 1; i < flags.settings_count; i++)
        free(flags.settings[i]);
    return code;
}
