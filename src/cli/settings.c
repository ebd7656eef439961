/* SPDX-License-Identifier: MIT */
/* settings - reads a configuration in its order: default < file < environment < flag.
 *
 * Two walks over the arguments: the first only looks for --config, since the file comes before the
 * flags wherever they stand. The file is --config's, else POSTERN_CONFIG's, else CONFIG_PATH if it
 * is there; never one of the current directory, where somebody else may have put it. */
#include "cli/settings.h"

#include "base/span.h"
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#define FLAG_BYTES 64

static int complain(const struct settings *settings, const char *what, const char *why)
{
    fprintf(stderr, "%s %s%s%s\n", settings->complaint ? settings->complaint : "postern:", what,
            *what ? ": " : "", why);
    return EX_USAGE;
}

/* A flag cut into its name and its value: the part behind '=', else the next argument. */
struct flag {
    char name[FLAG_BYTES];
    const char *value;
    bool inner; /* the value was behind '=' */
};

static bool flag_of(struct flag *flag, const char *argument, const char *next)
{
    struct postern_span rest = postern_span_of(argument), name;

    if (!span_begins(rest, SPAN("--")) || rest.n == 2)
        return false;
    rest = span_from(rest, 2);
    name = span_cut(&rest, '=');
    if (name.n >= sizeof flag->name)
        return false;
    snprintf(flag->name, sizeof flag->name, "%.*s", SPAN_ARG(name));
    flag->inner = rest.p != NULL;
    flag->value = flag->inner ? rest.p : next;
    return true;
}

static const char *path_of(const struct settings *settings, int argc, char **argv)
{
    const char *path = getenv("POSTERN_CONFIG");
    struct flag flag;

    for (int i = 1; i < argc; i++)
        if (flag_of(&flag, argv[i], argv[i + 1]) && strcmp(flag.name, "config") == 0 && flag.value)
            path = flag.value;
    if (path && !*path)
        path = NULL; /* an empty variable is none */
    if (path || settings->no_default_file || access(CONFIG_PATH, F_OK) < 0)
        return path;
    return CONFIG_PATH;
}

static int file_read(struct settings *settings, int argc, char **argv)
{
    const char *path = path_of(settings, argc, argv);
    int r = config_init(&settings->config);

    if (r >= 0 && path)
        r = config_file(&settings->config, path);
    if (r >= 0)
        r = config_environment(&settings->config);
    if (r >= 0)
        return 0;
    complain(settings, "", config_error());
    return r == POSTERN_E_NOT_FOUND || r == POSTERN_E_IO ? EX_NOINPUT : EX_CONFIG;
}

/* the value's argument is used up: 1 more, unless it was behind '=' */
static int flag_apply(struct settings *settings, const struct flag *flag, int *used_r)
{
    bool value_used = false;

    if (settings->own && settings->own(settings->ctx, flag->name, flag->value, &value_used)) {
        *used_r = value_used && !flag->inner;
        return 0;
    }
    if (!flag->value)
        return complain(settings, flag->name, "wants a value");
    *used_r = !flag->inner;
    if (strcmp(flag->name, "config") == 0)
        return 0;
    if (config_set(&settings->config, flag->name, flag->value) < 0)
        return complain(settings, "", config_error());
    return 0;
}

static int positional(struct settings *settings, const char *argument)
{
    if (settings->positional)
        return complain(settings, argument, "one argument too many");
    settings->positional = argument;
    if (settings->positional_key &&
        config_set(&settings->config, settings->positional_key, argument) < 0)
        return complain(settings, "", config_error());
    return 0;
}

int settings_read(struct settings *settings, int argc, char **argv)
{
    int r = file_read(settings, argc, argv);

    for (int i = 1; i < argc && !r; i++) {
        struct flag flag;
        int used = 0;

        if (flag_of(&flag, argv[i], argv[i + 1]))
            r = flag_apply(settings, &flag, &used);
        else
            r = positional(settings, argv[i]);
        i += used;
    }
    if (!r && config_check(&settings->config) < 0) {
        complain(settings, "", config_error());
        r = EX_CONFIG;
    }
    return r;
}
