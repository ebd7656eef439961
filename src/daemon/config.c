/* SPDX-License-Identifier: MIT */
/* config - the settings, their types and bounds. One table makes parser, flags, variables, sample
 * file and manual page, so that none of them can lag behind. */
#include "daemon/config.h"

#include "base/span.h"
#include "daemon/config_table.h"
#include <errno.h>
#include <postern/imap.h>
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

static bool is_one_of(const char *value, const char *const *words)
{
    while (*words && strcmp(*words, value) != 0)
        words++;
    return *words != NULL;
}

static int check_words(const struct config *config)
{
    static const char *const stores[] = {"maildir", "eml", "memory", NULL},
                             *const kinds[] = {"file", "pam", NULL},
                             *const plaintexts[] = {"tls", "loopback", "always", NULL},
                             *const surrogates[] = {"send", "refuse", NULL},
                             *const levels[] = {"error", "warn", "info", "debug", NULL},
                             *const trusts[] = {"verify", "encrypt", "none", NULL},
                             *const newlines[] = {"normalize", "reject", "legacy", NULL};
    const struct {
        const char *key, *value;
        const char *const *words;
    } rows[] = {{"store", config->store, stores},
                {"accounts", config->accounts, kinds},
                {"plaintext", config->plaintext, plaintexts},
                {"surrogate", config->surrogate, surrogates},
                {"bare_newline", config->bare_newline, newlines},
                {"smarthost_tls", config->smarthost_tls, trusts},
                {"submit_tls", config->submit_tls, trusts},
                {"log_level", config->log_level, levels}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!is_one_of(rows[i].value, rows[i].words))
            return config_fail(POSTERN_E_SYNTAX, "%s cannot be \"%.60s\"; see postern.conf(5)",
                               rows[i].key, rows[i].value);
    return 0;
}

static int check_list(const char *key, char *const *list, const char *const *words)
{
    for (; *list; list++)
        if (!is_one_of(*list, words))
            return config_fail(POSTERN_E_SYNTAX,
                               "%s: \"%.60s\" is none of them; see postern.conf(5)", key, *list);
    return 0;
}

static int check_lists(const struct config *config)
{
    static const char *const mechanisms[] = {"PLAIN",
                                             "LOGIN",
                                             "EXTERNAL",
                                             "OAUTHBEARER",
                                             "XOAUTH2",
                                             "SCRAM-SHA-1",
                                             "SCRAM-SHA-1-PLUS",
                                             "SCRAM-SHA-256",
                                             "SCRAM-SHA-256-PLUS",
                                             NULL};
    static const char *const extensions[] = {"UID-PARAM", "SLEE-WAKE", "DELI", "QAUT", NULL};
    int err = check_list("mechanisms", config->mechanisms, mechanisms);

    return err ? err : check_list("extensions", config->extensions, extensions);
}

const char *config_special_word(enum postern_special_use use)
{
    static const char *const words[] = {
        [POSTERN_SPECIAL_NONE] = "none",           [POSTERN_SPECIAL_ARCHIVE] = "archive",
        [POSTERN_SPECIAL_DRAFTS] = "drafts",       [POSTERN_SPECIAL_FLAGGED] = "flagged",
        [POSTERN_SPECIAL_IMPORTANT] = "important", [POSTERN_SPECIAL_JUNK] = "junk",
        [POSTERN_SPECIAL_SENT] = "sent",           [POSTERN_SPECIAL_TRASH] = "trash"};

    return words[use];
}

bool config_special(const char *text, struct postern_span *name_r, enum postern_special_use *use_r)
{
    struct postern_span rest = postern_span_of(text), use;

    *name_r = span_cut(&rest, '=');
    use = rest.p ? rest : *name_r;
    for (unsigned i = 1; i < POSTERN_SPECIAL_COUNT; i++) {
        *use_r = (enum postern_special_use)i;
        if (span_equal_nocase(use, postern_span_of(config_special_word(*use_r))))
            return name_r->n > 0;
    }
    return false;
}

/* check_imap - IMAP's lists, whose words the engine knows. */
static int check_imap(const struct config *config)
{
    struct postern_span name;
    enum postern_special_use use;

    for (char *const *at = config->imap_without; *at; at++)
        if (!postern_imap_is_extension(postern_span_of(*at)))
            return config_fail(POSTERN_E_SYNTAX, "imap_without: there is no extension \"%.60s\"",
                               *at);
    for (char *const *at = config->special_mailboxes; *at; at++)
        if (!config_special(*at, &name, &use))
            return config_fail(POSTERN_E_SYNTAX,
                               "special_mailboxes: \"%.60s\" is not Archive, Drafts, Flagged, "
                               "Important, Junk, Sent or Trash, nor NAME=one of these",
                               *at);
    return 0;
}

/* ends_with - "127.0.0.1:25" and ":25". */
static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n >= m && strcmp(text + n - m, end) == 0;
}

/* check_lmtp - RFC 2033 5: it must not be found where SMTP is looked for (Q4). */
static int check_lmtp(const struct config *config)
{
    for (char *const *at = config->lmtp_listen; *at; at++)
        if (**at != '/' && ends_with(*at, ":25"))
            return config_fail(POSTERN_E_SYNTAX, "lmtp_listen: LMTP is not spoken on port 25");
    return 0;
}

static int check_ranges(const struct config *config)
{
    const struct {
        const char *key;
        long value, least, most;
    } rows[] = {{"connections_max", config->connections_max, 1, 10000000},
                {"connections_per_address", config->connections_per_address, 0, 10000000},
                {"connections_per_user", config->connections_per_user, 0, 10000000},
                {"quota_mb", config->quota_mb, 0, 1L << 40},
                {"disk_reserve_mb", config->disk_reserve_mb, 0, 1L << 40},
                {"imap_message_limit", config->imap_message_limit, 0, INT32_MAX},
                {"imap_save_limit", config->imap_save_limit, 0, INT32_MAX},
                {"message_mb", config->message_mb, 1, 1L << 30},
                {"recipients_max", config->recipients_max, 100, 1000000},
                {"quota_messages", config->quota_messages, 0, 1L << 40},
                {"ban_strikes", config->ban_strikes, 0, 1000000},
                {"threads", config->threads, 0, 1024},
                {"workers", config->workers, 1, 1024},
                {"expire_days", config->expire_days, -2, 36500}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].value < rows[i].least || rows[i].value > rows[i].most)
            return config_fail(POSTERN_E_SYNTAX, "%s must be %ld to %ld", rows[i].key,
                               rows[i].least, rows[i].most);
    return 0;
}

int config_check(const struct config *config)
{
    int err;

    if (config->config_version != 1)
        return config_fail(POSTERN_E_SYNTAX,
                           "config_version must be 1: this file is of another version");
    err = check_words(config);
    if (!err)
        err = check_lists(config);
    if (!err)
        err = check_imap(config);
    if (!err)
        err = check_lmtp(config);
    if (!err)
        err = check_ranges(config);
    if (err)
        return err;
    if (config->idle_timeout < 600 * POSTERN_SECOND)
        return config_fail(POSTERN_E_SYNTAX,
                           "idle_timeout must be at least 10m (RFC 1939 3)"); /* R11 */
    if (strncmp(config->smarthost, "lmtp:", 5) == 0)
        return config_fail(POSTERN_E_SYNTAX, "smarthost: mail for others is not sent by LMTP");
    if (*config->sendmail && *config->smarthost)
        return config_fail(POSTERN_E_SYNTAX, "smarthost and sendmail: only one of them takes mail");
    if (!*config->tls_cert != !*config->tls_key)
        return config_fail(POSTERN_E_SYNTAX, "tls_cert and tls_key go together");
    return 0;
}
