/* SPDX-License-Identifier: MIT */
/* table - a password file in memory. The text is copied once and wiped at the end; accounts are
 * spans into the copy. One bad line refuses the whole file: half a password file would lock people
 * out silently. */
#include "accounts/table.h"

#include "base/memory.h"
#include "base/span.h"

struct account_table {
    char *text;
    size_t text_bytes, count, size, bucket_count;
    struct account *accounts;
    struct account **buckets;
};

static uint64_t fnv(struct postern_span s)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < s.n; i++)
        hash = (hash ^ (unsigned char)s.p[i]) * UINT64_C(1099511628211);
    return hash;
}

bool account_name_is_good(struct postern_span name)
{
    if (name.n == 0 || name.n > ACCOUNT_NAME_MAX || name.p[0] == '.' || name.p[0] == '#' ||
        name.p[0] == '-')
        return false;
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] <= ' ' || name.p[i] == ':' || name.p[i] == '/' ||
            name.p[i] == 127)
            return false;
    return true;
}

static bool values_are_good(struct postern_span values)
{
    while (values.n) {
        struct postern_span pair = span_cut(&values, ':');
        size_t equals = span_find(pair, '=');

        if (equals == 0 || equals == pair.n)
            return false;
    }
    return true;
}

static int add_line(struct account_table *table, struct postern_span line, unsigned number,
                    const char **why_r)
{
    struct account account = {.line = number, .stamp = fnv(line) | 1};
    struct account **bucket;

    account.values = line;
    account.user = span_cut(&account.values, ':');
    account.hash = span_cut(&account.values, ':');
    if (line.n > ACCOUNT_LINE_MAX)
        *why_r = "line too long";
    else if (!account_name_is_good(account.user))
        *why_r = "bad user name";
    else if (!account.hash.p)
        *why_r = "no password hash: want user:hash";
    else if (!values_are_good(account.values))
        *why_r = "want key=value after the hash";
    else if (table_find(table, account.user))
        *why_r = "the same user again";
    if (*why_r)
        return POSTERN_E_SYNTAX;
    bucket = &table->buckets[fnv(account.user) % table->bucket_count];
    account.next = *bucket;
    table->accounts[table->count] = account;
    *bucket = &table->accounts[table->count++];
    return 0;
}

static size_t count_lines(struct postern_span text)
{
    size_t lines = 1;

    for (size_t i = 0; i < text.n; i++)
        lines += text.p[i] == '\n';
    return lines;
}

static int table_new(struct postern_span text, struct account_table **table_r)
{
    struct account_table *table = memory_new(NULL, sizeof *table);

    if (!table)
        return POSTERN_E_NOMEM;
    table->size = count_lines(text);
    table->bucket_count = table->size * 2 + 1;
    table->text_bytes = text.n;
    table->text = memory_new(NULL, text.n + 1);
    table->accounts = memory_new(NULL, table->size * sizeof *table->accounts);
    table->buckets = memory_new(NULL, table->bucket_count * sizeof *table->buckets);
    if (!table->text || !table->accounts || !table->buckets) {
        table_free(&table);
        return POSTERN_E_NOMEM;
    }
    if (text.n)
        memcpy(table->text, text.p, text.n);
    *table_r = table;
    return 0;
}

int table_parse(struct postern_span text, struct account_table **table_r, unsigned *line_r,
                const char **why_r)
{
    struct account_table *table;
    struct postern_span rest;
    const char *why = NULL;
    int err = table_new(text, &table);

    if (err < 0)
        return err;
    rest = span_make(table->text, text.n);
    for (unsigned number = 1; rest.p && !err; number++) {
        struct postern_span line = span_cut(&rest, '\n');

        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        *line_r = number;
        if (line.n && line.p[0] != '#')
            err = add_line(table, line, number, &why);
    }
    if (err < 0) {
        *why_r = why;
        table_free(&table);
        return err;
    }
    *table_r = table;
    return 0;
}

void table_free(struct account_table **table_p)
{
    struct account_table *table = table_p ? *table_p : NULL;

    if (!table)
        return;
    if (table->text)
        secret_wipe(table->text, table->text_bytes);
    memory_free(NULL, table->text);
    memory_free(NULL, table->accounts);
    memory_free(NULL, table->buckets);
    memory_free(NULL, table);
    *table_p = NULL;
}

const struct account *table_find(const struct account_table *table, struct postern_span user)
{
    const struct account *account = table->buckets[fnv(user) % table->bucket_count];

    while (account && !span_equal(account->user, user))
        account = account->next;
    return account;
}

const struct account *table_at(const struct account_table *table, size_t index)
{
    return index < table->count ? &table->accounts[index] : NULL;
}

struct postern_span account_value(const struct account *account, const char *key)
{
    struct postern_span rest = account->values;

    while (rest.n) {
        struct postern_span value = span_cut(&rest, ':');

        if (span_equal(span_cut(&value, '='), postern_span_of(key)))
            return value;
    }
    return (struct postern_span){NULL, 0};
}

bool account_is_disabled(const struct account *account)
{
    return span_equal(account_value(account, "disabled"), SPAN("yes"));
}
