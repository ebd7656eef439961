/* SPDX-License-Identifier: MIT */
/* config_check - words that a setting can be, ranges of numbers, and what no single value can
 * tell. */
#include "base/span.h"
#include "daemon/config.h"
#include "daemon/config_table.h"
#include "store/text/text_index.h"
#include "store/words.h"
#include <postern/imap.h>

static bool is_one_of(const char *value, const char *const *words)
{
    while (*words && strcmp(*words, value) != 0)
        words++;
    return *words != NULL;
}

static int check_words(const struct config *config)
{
    static const char *const stores[] = {"maildir", "eml", "memory", NULL},
                             *const durabilities[] = {"full", "none", NULL},
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
                {"durability", config->durability, durabilities},
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

/* is_level - one level of a mailbox's name, and not INBOX. */
static bool is_level(const char *text)
{
    struct postern_span name = postern_span_of(text);

    return name.n <= CONFIG_LEVEL_MAX && !strchr(text, '/') && name_check(&name) == 0 &&
           !span_equal(name, SPAN("INBOX"));
}

static int check_sharing(const struct config *config)
{
    if (*config->other_users && !is_level(config->other_users))
        return config_fail(POSTERN_E_SYNTAX, "other_users: \"%.60s\" is no level of a mailbox",
                           config->other_users);
    if (!is_level(config->shared))
        return config_fail(POSTERN_E_SYNTAX, "shared: \"%.60s\" is no level of a mailbox",
                           config->shared);
    if (*config->shared_account && strcmp(config->shared, config->other_users) == 0)
        return config_fail(POSTERN_E_SYNTAX, "other_users and shared must not be the same");
    return 0;
}

/* check_imap - IMAP's lists, whose words the engine knows. */
static int check_imap(const struct config *config)
{
    struct postern_span name;
    enum postern_special_use use;

    if (config->search_index && !text_index_is_built())
        return config_fail(POSTERN_E_UNSUPPORTED,
                           "search_index: built without it (cmake -DPOSTERN_FTS=ON)");
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
                {"imap_message_limit", config->imap_message_limit, 0, INT32_MAX},
                {"imap_save_limit", config->imap_save_limit, 0, INT32_MAX},
                {"disk_reserve_mb", config->disk_reserve_mb, 0, 1L << 40},
                {"message_mb", config->message_mb, 1, 1L << 30},
                {"recipients_max", config->recipients_max, 100, 1000000},
                {"quota_messages", config->quota_messages, 0, 1L << 40},
                {"quota_mailboxes", config->quota_mailboxes, 0, 1L << 40},
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
        err = check_sharing(config);
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
