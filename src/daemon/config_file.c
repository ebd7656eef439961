/* SPDX-License-Identifier: MIT */
/* config_file - the configuration file, read by libconfuse. All settings are read as text and
 * converted by the table, so that file, variable and flag mean the same. */
#include "base/span.h"
#include "daemon/config.h"
#include "daemon/config_table.h"
#include <confuse.h>
#include <errno.h>
#include <stdlib.h>

#define ROWS_MAX 128
#define FILE_BYTES_MAX (1u << 20)

/* complain - libconfuse tells of an error; its words for an unknown key get a suggestion. */
static void complain(cfg_t *cfg, const char *format, va_list arguments)
{
    char text[300], key[64] = "";
    const char *file = cfg && cfg->filename ? cfg->filename : "configuration", *nearest;
    int line = cfg ? cfg->line : 0;

    vsnprintf(text, sizeof text, format, arguments);
    if (sscanf(text, "no such option '%63[^']'", key) != 1) {
        config_fail(POSTERN_E_SYNTAX, "%s:%d: %s", file, line, text);
        return;
    }
    nearest = config_nearest(key);
    if (nearest)
        config_fail(POSTERN_E_SYNTAX, "%s:%d: unknown setting \"%s\"; did you mean \"%s\"?", file,
                    line, key, nearest);
    else
        config_fail(POSTERN_E_SYNTAX, "%s:%d: unknown setting \"%s\"", file, line, key);
}

static cfg_t *parser_new(void)
{
    cfg_opt_t options[ROWS_MAX + 1];
    cfg_t *cfg;

    for (size_t i = 0; i < config_row_count; i++)
        options[i] = config_rows[i].type == CONFIG_LIST
                         ? (cfg_opt_t)CFG_STR_LIST(config_rows[i].key, NULL, CFGF_NODEFAULT)
                         : (cfg_opt_t)CFG_STR(config_rows[i].key, NULL, CFGF_NODEFAULT);
    options[config_row_count] = (cfg_opt_t)CFG_END();
    cfg = cfg_init(options, CFGF_NONE);
    if (cfg)
        cfg_set_error_function(cfg, complain);
    return cfg;
}

static int take_list(struct config *config, const struct config_row *row, cfg_t *cfg)
{
    unsigned count = cfg_size(cfg, row->key);
    char **items = calloc(count + 1, sizeof *items);
    int err = items ? 0 : POSTERN_E_NOMEM;

    for (unsigned i = 0; !err && i < count; i++)
        items[i] = cfg_getnstr(cfg, row->key, i);
    if (!err)
        err = config_set_list(config, row, items, count);
    free(items);
    return err;
}

static int take_all(struct config *config, cfg_t *cfg)
{
    int err = 0;

    for (size_t i = 0; !err && i < config_row_count; i++) {
        const struct config_row *row = &config_rows[i];
        cfg_opt_t *option = cfg_getopt(cfg, row->key);

        if (!(option->flags & CFGF_MODIFIED))
            continue;
        if (row->type == CONFIG_LIST)
            err = take_list(config, row, cfg);
        else if (cfg_getstr(cfg, row->key))
            err = config_set_row(config, row, cfg_getstr(cfg, row->key));
    }
    return err;
}

static int finish(struct config *config, cfg_t *cfg, int result, const char *name)
{
    char why[400];
    int err = POSTERN_E_SYNTAX;

    if (result == CFG_SUCCESS) {
        err = take_all(config, cfg);
        if (err) {
            snprintf(why, sizeof why, "%s", config_error());
            config_fail(err, "%s: %s", name, why);
        }
    }
    cfg_free(cfg);
    return err;
}

/* read_file - the whole text, since the parser ends the process when a read fails. given: free().
 */
static int read_file(const char *path, char **text_r, size_t *n_r)
{
    FILE *file = fopen(path, "re");
    char *text = file ? malloc(FILE_BYTES_MAX + 1) : NULL;
    size_t n = text ? fread(text, 1, FILE_BYTES_MAX + 1, file) : 0;
    int err = !file                ? errno == ENOENT ? POSTERN_E_NOT_FOUND : POSTERN_E_IO
              : !text              ? POSTERN_E_NOMEM
              : ferror(file)       ? POSTERN_E_IO
              : n > FILE_BYTES_MAX ? POSTERN_E_TOO_LONG
                                   : 0;

    if (file)
        fclose(file);
    if (err) {
        free(text);
        return config_fail(err, "%s: %s", path, postern_err_text(err));
    }
    *text_r = text;
    *n_r = n;
    return 0;
}

int config_file(struct config *config, const char *path)
{
    char *text = NULL;
    size_t n = 0;
    int result, err = read_file(path, &text, &n);
    cfg_t *cfg = err ? NULL : parser_new();
    FILE *file = cfg && n ? fmemopen(text, n, "r") : NULL;

    if (err)
        return err;
    config_fail(POSTERN_E_SYNTAX, "%s: cannot be read", path);
    if (cfg)
        cfg->filename = strdup(path);
    result = file ? cfg_parse_fp(cfg, file) : n ? CFG_PARSE_ERROR : CFG_SUCCESS;
    if (file)
        fclose(file);
    free(text);
    return cfg ? finish(config, cfg, result, path) : config_fail(POSTERN_E_NOMEM, "out of memory");
}

int config_text(struct config *config, const char *text)
{
    cfg_t *cfg = parser_new();

    if (!cfg)
        return config_fail(POSTERN_E_NOMEM, "out of memory");
    return finish(config, cfg, cfg_parse_buf(cfg, text), "text");
}
