/* SPDX-License-Identifier: MIT */
/* serve - `postern serve [MAIL] [--config FILE] [--key value]...`: the server, in the foreground.
 */
#include "cli/cli.h"

#include "cli/settings.h"
#include "daemon/daemon.h"
#include <stdio.h>
#include <string.h>

static int own_flag(void *ctx, const char *flag, const char *value, bool *value_used)
{
    (void)value, (void)value_used;
    if (strcmp(flag, "help") != 0)
        return 0;
    *(bool *)ctx = true;
    return 1;
}

static void help(void)
{
    printf("usage: postern serve [MAIL] [--config FILE] [--KEY VALUE]...\n\n"
           "Serves the mail in MAIL (as --mail). Later wins: default, file, POSTERN_KEY variable, "
           "flag.\n\n");
    config_help(stdout);
}

int cli_serve(int argc, char **argv)
{
    bool asked = false;
    struct settings settings = {.positional_key = "mail", .own = own_flag, .ctx = &asked};
    int r = settings_read(&settings, argc, argv);

    if (asked) {
        help();
        r = 0;
    } else if (!r) {
        r = daemon_serve(&settings.config);
    }
    config_done(&settings.config);
    return r;
}
