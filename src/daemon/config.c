/* SPDX-License-Identifier: MIT */
/* config - the settings, their types and bounds. One table makes parser, flags, variables, sample
 * file and manual page, so that none of them can lag behind. */
#include "daemon/config.h"

#include "base/span.h"
#include "daemon/config_table.h"
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <strings.h>

#define LIST_MAX 256

const struct config_row config_rows[] = {
#define CONFIG_ROW(member, key, type, default_text, help) \
    {key, CONFIG_##type, offsetof(struct config, member), default_text, help},
    CONFIG_MAP(CONFIG_ROW)
#undef CONFIG_ROW
};
const size_t config_row_count = sizeof config_rows / sizeof *config_rows;

static _Thread_local char error_text[512];

const char *config_error(void)
{
    return error_text;
}

int config_fail(int err, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(error_text, sizeof error_text, format, arguments);
    va_end(arguments);
    return err;
}

void *config_member(struct config *config, const struct config_row *row)
{
    return (char *)config + row->offset;
}

const void *config_member_of(const struct config *config, const struct config_row *row)
{
    return (const char *)config + row->offset;
}

static bool same_key(const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if (*a != *b && !(*a == '-' && *b == '_') && !(*a == '_' && *b == '-'))
            return false;
    return *a == *b;
}

const struct config_row *config_find(const char *key)
{
    for (size_t i = 0; i < config_row_count; i++)
        if (same_key(config_rows[i].key, key))
            return &config_rows[i];
    return NULL;
}

/* distance - how many letters must change to make b of a (Levenshtein), for short words. */
static size_t distance(const char *a, const char *b)
{
    size_t row[64], n = strlen(b);

    if (n >= 64 || strlen(a) >= 64)
        return 64;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t change = diagonal + (a[i - 1] != b[j - 1]);
            size_t edit = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;

            diagonal = row[j];
            row[j] = change < edit ? change : edit;
        }
    }
    return row[n];
}

const char *config_nearest(const char *key)
{
    const char *nearest = NULL;
    size_t least = 4;

    for (size_t i = 0; i < config_row_count; i++) {
        size_t d = distance(key, config_rows[i].key);

        if (d < least) {
            least = d;
            nearest = config_rows[i].key;
        }
    }
    return nearest;
}

/* ---- one value ------------------------------------------------------------------------------- */

static int set_bool(bool *out, const char *value)
{
    static const char *const yes[] = {"yes", "true", "on", "1"}, *const no[] = {"no", "false",
                                                                                "off", "0"};

    for (size_t i = 0; i < 4; i++)
        if (strcasecmp(value, yes[i]) == 0 || strcasecmp(value, no[i]) == 0) {
            *out = strcasecmp(value, yes[i]) == 0;
            return 0;
        }
    return POSTERN_E_SYNTAX;
}

static int set_number(long *out, const char *value)
{
    char *end;
    long number;

    errno = 0;
    number = strtol(value, &end, 10);
    if (end == value || *end || errno)
        return POSTERN_E_SYNTAX;
    *out = number;
    return 0;
}

static int set_time(postern_time *out, const char *value)
{
    static const struct {
        const char *name;
        postern_time unit;
    } units[] = {{"ms", 1000000},
                 {"s", POSTERN_SECOND},
                 {"m", 60 * POSTERN_SECOND},
                 {"h", 3600 * POSTERN_SECOND},
                 {"d", 86400 * POSTERN_SECOND}};
    size_t digits = strspn(value, "0123456789");
    uint64_t number;

    if (!span_number(span_make(value, digits), 100000000, &number))
        return POSTERN_E_SYNTAX;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(value + digits, units[i].name) == 0) {
            *out = number * units[i].unit;
            return 0;
        }
    return POSTERN_E_SYNTAX;
}

static void list_free(char ***list)
{
    for (size_t i = 0; *list && (*list)[i]; i++)
        free((*list)[i]);
    free(*list);
    *list = NULL;
}

int config_set_list(struct config *config, const struct config_row *row, char *const *items,
                    size_t count)
{
    char ***member = config_member(config, row), **list = calloc(count + 1, sizeof *list);

    for (size_t i = 0; list && i < count; i++)
        if (!(list[i] = strdup(items[i])))
            list_free(&list);
    if (!list)
        return config_fail(POSTERN_E_NOMEM, "out of memory");
    list_free(member);
    *member = list;
    return 0;
}

static int set_list(struct config *config, const struct config_row *row, const char *value)
{
    char *copy = strdup(value), *items[LIST_MAX], *rest = copy, *item;
    size_t count = 0;
    int err;

    if (!copy)
        return POSTERN_E_NOMEM;
    while ((item = strsep(&rest, ","))) {
        struct postern_span trimmed = span_trim(postern_span_of(item));

        if (trimmed.n == 0)
            continue;
        if (count == LIST_MAX)
            break;
        items[count] = (char *)trimmed.p;
        items[count++][trimmed.n] = '\0';
    }
    err = config_set_list(config, row, items, count);
    free(copy);
    return err;
}

static int set_string(char **out, const char *value)
{
    char *copy = strdup(value);

    if (!copy)
        return POSTERN_E_NOMEM;
    free(*out);
    *out = copy;
    return 0;
}

int config_set_row(struct config *config, const struct config_row *row, const char *value)
{
    static const char *const wants[] = {"text", "yes or no", "a number",
                                        "a time such as 90s, 10m, 1h", "a list"};
    void *member = config_member(config, row);
    int err = 0;

    switch (row->type) {
    case CONFIG_STRING:
        err = set_string(member, value);
        break;
    case CONFIG_BOOL:
        err = set_bool(member, value);
        break;
    case CONFIG_NUMBER:
        err = set_number(member, value);
        break;
    case CONFIG_TIME:
        err = set_time(member, value);
        break;
    case CONFIG_LIST:
        err = set_list(config, row, value);
        break;
    }
    if (err)
        return config_fail(err, "%s wants %s, not \"%.80s\"", row->key, wants[row->type], value);
    return 0;
}

int config_set(struct config *config, const char *key, const char *value)
{
    const struct config_row *row = config_find(key);
    const char *nearest;

    if (row)
        return config_set_row(config, row, value);
    nearest = config_nearest(key);
    return config_fail(POSTERN_E_SYNTAX,
                       nearest ? "unknown setting \"%.60s\"; did you mean \"%s\"?"
                               : "unknown setting \"%.60s\"",
                       key, nearest);
}

/* ---- all of them ----------------------------------------------------------------------------- */

int config_init(struct config *config)
{
    int err = 0;

    *config = (struct config){0};
    for (size_t i = 0; !err && i < config_row_count; i++)
        err = config_set_row(config, &config_rows[i], config_rows[i].default_text);
    if (err)
        config_done(config);
    return err;
}

void config_done(struct config *config)
{
    for (size_t i = 0; i < config_row_count; i++) {
        void *member = config_member(config, &config_rows[i]);

        if (config_rows[i].type == CONFIG_LIST)
            list_free(member);
        else if (config_rows[i].type == CONFIG_STRING)
            free(*(char **)member);
    }
    *config = (struct config){0};
}

int config_environment(struct config *config)
{
    int err = 0;

    for (size_t i = 0; !err && i < config_row_count; i++) {
        char name[80] = "POSTERN_";
        size_t n = strlen(name);
        const char *value;

        for (const char *at = config_rows[i].key; *at && n < sizeof name - 1; at++)
            name[n++] = ascii_upper(*at);
        value = getenv(name);
        if (value)
            err = config_set_row(config, &config_rows[i], value);
    }
    return err;
}
