/* SPDX-License-Identifier: MIT */
/* fuzz_passwd - a password file: what is parsed is found again by name, and its fields decode
 * within bounds. */
#include <stdlib.h>

#include "accounts/escape.h"
#include "accounts/keys.h"
#include "accounts/table.h"
#include "base/span.h"

static void look(const struct account_table *table, const struct account *account)
{
    static const char *const fields[] = {"apop", "scram-sha-256", "scram-sha-1", "plaintext"};
    const struct account *found = table_find(table, account->user);
    struct account_secrets secrets = {0};
    char out[64];

    if (!found || !span_equal(found->user, account->user) || !account_name_is_good(account->user))
        abort();
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        struct postern_span value = account_value(account, fields[i]);
        int n = value.p ? escape_decode(value, out, sizeof out) : 0;

        if (n > (int)sizeof out)
            abort();
        if (value.p)
            (void)!keys_parse(i == 2 ? POSTERN_HASH_SHA1 : POSTERN_HASH_SHA256, value, &secrets);
    }
    account_is_disabled(account);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct account_table *table = NULL;
    const struct account *account;
    const char *why = NULL;
    unsigned line = 0;

    if (table_parse(span_make((const char *)data, size), &table, &line, &why) < 0) {
        if (!why || !line)
            abort(); /* an error names its line and says why */
        return 0;
    }
    for (size_t i = 0; (account = table_at(table, i)); i++)
        look(table, account);
    table_free(&table);
    return 0;
}

#include "replay.h"
