/* SPDX-License-Identifier: MIT */
/* dev - `postern dev`: a disposable server on the loopback. */
#include "cli/cli.h"

#include "base/span.h"
#include "cli/settings.h"
#include "daemon/daemon.h"
#include <stdio.h>
#include <sysexits.h>

struct dev_flags {
    struct daemon_dev_options options;
    bool help, bad;
};

static int port_of(struct dev_flags *flags, const char *value)
{
    uint64_t port = 0;

    if (!value || !span_number(postern_span_of(value), 65535, &port))
        flags->bad = true;
    return (int)port;
}

/* A flag without a value. */
static bool plain_flag(struct dev_flags *flags, const char *flag)
{
    bool *target = strcmp(flag, "help") == 0           ? &flags->help
                   : strcmp(flag, "any-password") == 0 ? &flags->options.any_password
                   : strcmp(flag, "shared") == 0       ? &flags->options.shared
                                                       : NULL;

    if (target)
        *target = true;
    return target != NULL;
}

static int own_flag(void *ctx, const char *flag, const char *value, bool *value_used)
{
    struct dev_flags *flags = ctx;

    if (plain_flag(flags, flag))
        return 1;
    if (strcmp(flag, "mail") == 0)
        flags->options.mail = value;
    else if (strcmp(flag, "password") == 0)
        flags->options.password = value;
    else if (strcmp(flag, "port") == 0)
        flags->options.port = port_of(flags, value);
    else if (strcmp(flag, "port-tls") == 0)
        flags->options.port_tls = port_of(flags, value);
    else if (strcmp(flag, "imap-port") == 0)
        flags->options.imap_port = port_of(flags, value);
    else if (strcmp(flag, "imap-port-tls") == 0)
        flags->options.imap_port_tls = port_of(flags, value);
    else if (strcmp(flag, "smtp-port") == 0)
        flags->options.smtp_port = port_of(flags, value);
    else if (strcmp(flag, "lmtp-port") == 0)
        flags->options.lmtp_port = port_of(flags, value);
    else
        return 0;
    flags->bad = flags->bad || !value;
    return *value_used = true;
}

static void help(FILE *out)
{
    fprintf(out,
            "usage: postern dev [--mail DIR] [--port N] [--port-tls N] [--imap-port N] "
            "[--imap-port-tls N] [--smtp-port N]\n"
            "                   [--lmtp-port N] [--password WORD] [--any-password] [--shared] "
            "[--KEY VALUE]...\n\n"
            "A disposable mail server on 127.0.0.1: POP3 with STLS on 1110, POP3S on 1995, IMAP\n"
            "with STARTTLS on 1143, IMAPS on 1993. It takes all mail by SMTP on 1025 and LMTP on\n"
            "1024: what is for ann@example.org is ann's, who may log in to read it.\n"
            "  --mail DIR      the .eml files of DIR are user demo's mail\n"
            "  --port N        POP3 port; 0: any free one, and for the others that are not given\n"
            "  --port-tls N    POP3S port\n"
            "  --imap-port N   IMAP port\n"
            "  --imap-port-tls N  IMAPS port\n"
            "  --smtp-port N   SMTP port\n"
            "  --lmtp-port N   LMTP port\n"
            "  --password WORD everybody's password (default: postern)\n"
            "  --any-password  take every password\n"
            "  --shared        every user sees the mail, not demo alone\n"
            "KEY: see postern serve --help.\n");
}

int cli_dev(int argc, char **argv)
{
    struct dev_flags flags = {.options = {.port = -1,
                                          .port_tls = -1,
                                          .imap_port = -1,
                                          .imap_port_tls = -1,
                                          .smtp_port = -1,
                                          .lmtp_port = -1}};
    struct settings settings = {.own = own_flag, .ctx = &flags, .no_default_file = true};
    int r = settings_read(&settings, argc, argv);

    if (settings.positional)
        flags.options.mail = settings.positional;
    if (flags.help) {
        help(stdout);
        r = 0;
    } else if (flags.bad) {
        help(stderr);
        r = EX_USAGE;
    } else if (!r) {
        r = daemon_dev(&settings.config, &flags.options);
    }
    config_done(&settings.config);
    return r;
}
