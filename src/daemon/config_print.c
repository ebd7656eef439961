/* SPDX-License-Identifier: MIT */
/* config_print - the settings as a file, as JSON, as a sample, as manual text, as --help. */
#include "base/span.h"
#include "daemon/config.h"
#include "daemon/config_table.h"
#include <inttypes.h>

static void put_quoted(FILE *out, const char *text)
{
    putc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            putc('\\', out);
        putc(*text, out);
    }
    putc('"', out);
}

static void put_json_text(FILE *out, const char *text)
{
    putc('"', out);
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == '"' || *text == '\\')
            fprintf(out, "\\u%04x", (unsigned)(unsigned char)*text);
        else
            putc(*text, out);
    putc('"', out);
}

static void put_time(FILE *out, postern_time time)
{
    if (time % POSTERN_SECOND)
        fprintf(out, "%" PRIu64 "ms", time / 1000000);
    else if (time && time % (60 * POSTERN_SECOND) == 0)
        fprintf(out, "%" PRIu64 "m", time / (60 * POSTERN_SECOND));
    else
        fprintf(out, "%" PRIu64 "s", time / POSTERN_SECOND);
}

static void put_list(FILE *out, char *const *list, const char *open, const char *close,
                     void (*put)(FILE *, const char *))
{
    fputs(open, out);
    for (size_t i = 0; list[i]; i++) {
        if (i)
            fputs(", ", out);
        put(out, list[i]);
    }
    fputs(close, out);
}

static void put_value(FILE *out, const struct config *config, const struct config_row *row,
                      bool json)
{
    const void *member = config_member_of(config, row);

    switch (row->type) {
    case CONFIG_STRING:
        (json ? put_json_text : put_quoted)(out, *(char *const *)member);
        break;
    case CONFIG_BOOL:
        fputs(*(const bool *)member ? (json ? "true" : "yes") : (json ? "false" : "no"), out);
        break;
    case CONFIG_NUMBER:
        fprintf(out, "%ld", *(const long *)member);
        break;
    case CONFIG_TIME:
        putc('"', out);
        put_time(out, *(const postern_time *)member);
        putc('"', out);
        break;
    case CONFIG_LIST:
        if (json)
            put_list(out, *(char **const *)member, "[", "]", put_json_text);
        else
            put_list(out, *(char **const *)member, "{", "}", put_quoted);
        break;
    }
}

void config_dump(const struct config *config, FILE *out)
{
    for (size_t i = 0; i < config_row_count; i++) {
        fprintf(out, "%s = ", config_rows[i].key);
        put_value(out, config, &config_rows[i], false);
        putc('\n', out);
    }
}

void config_dump_json(const struct config *config, FILE *out)
{
    for (size_t i = 0; i < config_row_count; i++) {
        fprintf(out, "%s\"%s\": ", i ? ",\n " : "{", config_rows[i].key);
        put_value(out, config, &config_rows[i], true);
    }
    fputs("}\n", out);
}

void config_example(FILE *out)
{
    struct config defaults;

    if (config_init(&defaults) < 0)
        return;
    fputs("# postern.conf - settings of `postern serve`; what is commented out shows the default.\n"
          "# Every setting is also a flag (--idle-timeout 15m) and a variable "
          "(POSTERN_IDLE_TIMEOUT).\n",
          out);
    for (size_t i = 0; i < config_row_count; i++) {
        fprintf(out, "\n# %s\n%s%s = ", config_rows[i].help, i ? "# " : "", config_rows[i].key);
        put_value(out, &defaults, &config_rows[i], false);
        putc('\n', out);
    }
    config_done(&defaults);
}

/* Text of the table in the language of man(7): no line of it begins with a control character. */
static void put_man(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\\' || *text == '-')
            putc('\\', out);
        putc(*text, out);
    }
}

static void man_row(FILE *out, const struct config_row *row)
{
    static const char *const types[] = {"text", "yes or no", "number", "time", "list"};

    fprintf(out, ".TP\n.B %s\n(%s", row->key, types[row->type]);
    if (*row->default_text) {
        fputs(", default ", out);
        put_man(out, row->default_text);
    }
    fputs(")\n", out);
    put_man(out, row->help);
    fputs(".\n", out);
}

void config_man(FILE *out)
{
    fputs(".\\\" Made by `postern config man`; change the option table, not this file.\n"
          ".TH POSTERN.CONF 5 \"\" \"postern " POSTERN_VERSION "\"\n"
          ".SH NAME\npostern.conf \\- settings of postern\n"
          ".SH DESCRIPTION\n"
          "Lines\n.IR \"key \" = \" value\" .\n"
          "A text stands in double quotes, a list in braces: {\"a\", \"b\"}; # begins a comment. A "
          "time is a number\n"
          "with ms, s, m, h or d behind it. An unknown key is an error that names the file, the "
          "line and the\n"
          "nearest known key.\n.PP\n"
          "Every setting is also a flag\n.RB ( \\-\\-idle\\-timeout\\~15m )\nand a variable\n"
          ".RB ( POSTERN_IDLE_TIMEOUT ).\nLater wins: default, file, variable, flag.\n"
          ".SH SETTINGS\n",
          out);
    for (size_t i = 0; i < config_row_count; i++)
        man_row(out, &config_rows[i]);
    fputs(".SH FILES\n.TP\n.I /etc/postern/postern.conf\nread when neither\n.B "
          "\\-\\-config\nnor\n.B POSTERN_CONFIG\n"
          "names another.\n.SH SEE ALSO\n.BR postern (1)\n",
          out);
}

void config_help(FILE *out)
{
    for (size_t i = 0; i < config_row_count; i++) {
        char flag[64];
        size_t n = 0;

        for (const char *at = config_rows[i].key; *at && n < sizeof flag - 1; at++)
            flag[n++] = *at == '_' ? '-' : *at;
        flag[n] = '\0';
        fprintf(out, "  --%-24s %s", flag, config_rows[i].help);
        if (*config_rows[i].default_text)
            fprintf(out, " [%s]", config_rows[i].default_text);
        putc('\n', out);
    }
}
