/* SPDX-License-Identifier: MIT */
/* config - `postern config check|dump|example|man [--config FILE] [--json]`. */
#include "cli/cli.h"

#include <string.h>
#include <sysexits.h>

static int own_flag(void *ctx, const char *flag, const char *value, bool *value_used)
{
    (void)value, (void)value_used;
    if (strcmp(flag, "json") != 0)
        return 0;
    *(bool *)ctx = true;
    return 1;
}

int cli_config(int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";
    bool json = false;
    struct settings settings = {.own = own_flag, .ctx = &json};
    int code;

    if (strcmp(verb, "example") == 0) {
        config_example(stdout);
        return 0;
    }
    if (strcmp(verb, "man") == 0) { /* for making postern.conf(5) */
        config_man(stdout);
        return 0;
    }
    if (strcmp(verb, "check") != 0 && strcmp(verb, "dump") != 0)
        return cli_complain(EX_USAGE, "config", "want check, dump or example");
    code = settings_read(&settings, argc - 1, argv + 1);
    if (!code && strcmp(verb, "check") == 0)
        puts(json ? "{\"ok\": true}" : "the configuration is good");
    else if (!code)
        (json ? config_dump_json : config_dump)(&settings.config, stdout);
    config_done(&settings.config);
    return code;
}
