/* SPDX-License-Identifier: MIT */
/* table - a password file in memory: parsed lines and a hash table over the names. Pure but for
 * malloc. */
#ifndef ACCOUNTS_TABLE_H
#define ACCOUNTS_TABLE_H

#include <postern/base.h>

#define ACCOUNT_LINE_MAX 4096
#define ACCOUNT_NAME_MAX 255

/* struct account - one line, its spans lent until the table is freed. */
struct account {
    struct account *next; /* of the same bucket */
    struct postern_span user, hash, values; /* values: "key=value:key=value" */
    uint64_t stamp;       /* changes with the line */
    unsigned line;
};

struct account_table;

/* table_parse - read a file's text. table_r: given. On failure POSTERN_E_SYNTAX with *line_r and
 * *why_r (static) set, or POSTERN_E_NOMEM. */
int table_parse(struct postern_span text, struct account_table **table_r, unsigned *line_r,
                const char **why_r);
void table_free(struct account_table **table);
const struct account *table_find(const struct account_table *table, struct postern_span user);
/* table_each - the lines in the order of the file. NULL after the last. */
const struct account *table_at(const struct account_table *table, size_t index);
/* account_value - the value of key; absent when not there. */
struct postern_span account_value(const struct account *account, const char *key);
bool account_is_disabled(const struct account *account);
/* account_name_is_good - 1..255 octets, no colon, slash, control character, leading '.', '#' or
 * '-'. */
bool account_name_is_good(struct postern_span name);

#endif
