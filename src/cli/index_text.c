/* SPDX-License-Identifier: MIT */
/* index_text - `postern index text USER`: the texts of all of an account's messages are brought
 * into its index of texts, which searches would else do little by little. */
#include "cli/cli.h"

#include "base/span.h"
#include "serve/text.h"
#include <stdlib.h>
#include <string.h>

struct names {
    char **all;
    size_t count;
};

static int note_name(void *ctx, const struct postern_status *status)
{
    struct names *names = ctx;
    char **all;

    if (!status->exists)
        return 0;
    all = realloc(names->all, (names->count + 1) * sizeof *all);
    if (!all)
        return POSTERN_E_NOMEM;
    names->all = all;
    all[names->count] = strndup(status->name.p, status->name.n);
    return all[names->count] ? (names->count++, 0) : POSTERN_E_NOMEM;
}

static int one_mailbox(const struct postern_store_ops *ops, struct postern_account *account,
                       const char *name)
{
    struct postern_mailbox *mailbox = NULL;
    int r = ops->open(account, postern_span_of(name), 0, &mailbox);

    if (!r)
        r = text_bring_up(ops, mailbox, POSTERN_NEVER);
    ops->close(&mailbox);
    return r;
}

int index_text(struct postern_store *store, const char *user)
{
    const struct postern_store_ops *ops = store->ops;
    struct postern_account *account = NULL;
    struct names names = {0};
    int err = ops->account_open(store, postern_span_of(user), 0, &account);

    if (!err)
        err = ops->list(account, note_name, &names);
    for (size_t i = 0; i < names.count; i++) {
        if (err >= 0)
            err = one_mailbox(ops, account, names.all[i]);
        free(names.all[i]);
    }
    free(names.all);
    ops->account_close(&account);
    return err;
}
