/* SPDX-License-Identifier: MIT */
/* settings - the configuration of a command: defaults, the file, the environment, the flags. */
#ifndef CLI_SETTINGS_H
#define CLI_SETTINGS_H

#include "daemon/config.h"

/* struct settings - what to read, and what came of it. */
struct settings {
    struct config config;
    bool no_default_file;       /* read no file unless one is named */
    const char *positional;     /* the one argument without "--", or NULL */
    const char *positional_key; /* set this key with it; NULL: it is left to the caller */
    /* own - a flag of the command itself: 1 taken, 0 not mine; value NULL when it has none. May be
     * NULL. *value_used tells that the value was used. */
    int (*own)(void *ctx, const char *flag, const char *value, bool *value_used);
    void *ctx;
    const char *complaint; /* what a complaint begins with; NULL: "postern:" */
};

#define CONFIG_PATH "/etc/postern/postern.conf" /* read when no other file is named */

/* settings_read - `--config FILE`, then `--key value` or `--key=value`. 0, or a sysexits code with
 * the reason on stderr. End with config_done(&settings->config) either way. */
int settings_read(struct settings *settings, int argc, char **argv);

#endif
