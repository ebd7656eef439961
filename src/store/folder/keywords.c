/* SPDX-License-Identifier: MIT */
/* keywords - a mailbox's own flags, numbered as they come. */
#include "store/folder/folder.h"

#include "base/span.h"
#include <stdlib.h>

int keyword_number(const struct index_mailbox *mailbox, struct postern_span name)
{
    for (unsigned i = 0; i < mailbox->keyword_count; i++)
        if (span_equal_nocase(mailbox->keywords[i], name))
            return (int)i;
    return POSTERN_E_NOT_FOUND;
}

int keyword_make(struct keyword_maker *maker, const struct index_mailbox *mailbox,
                 struct postern_span name)
{
    struct postern_span made = buffer_span(&maker->made);
    unsigned number = mailbox->keyword_count;

    for (; made.n; number++) {
        struct postern_span each = span_make(made.p + 1, (unsigned char)made.p[0]);

        if (span_equal_nocase(each, name))
            return (int)number;
        made = span_from(made, each.n + 1);
    }
    if (number >= POSTERN_KEYWORDS_MAX)
        return POSTERN_E_FULL;
    buffer_append_char(&maker->made, (char)name.n);
    buffer_append(&maker->made, name);
    group_keyword(maker->group, mailbox->facts.id, name);
    return maker->made.error ? POSTERN_E_NOMEM : (int)number;
}

static int keyword_of(struct postern_account *account, uint64_t id, struct postern_span name,
                      bool make)
{
    const struct index_mailbox *rows = index_mailbox_of(&account->index, id);
    struct buffer group = {0};
    int err, number;

    if (!rows)
        return POSTERN_E_NOT_FOUND;
    number = keyword_number(rows, name);
    if (number >= 0 || !make)
        return number;
    if (rows->keyword_count == POSTERN_KEYWORDS_MAX)
        return POSTERN_E_FULL;
    group_keyword(&group, id, name);
    err = index_commit(&account->index, &group, false, false); /* synced with what uses it */
    return err ? err : (int)index_mailbox_of(&account->index, id)->keyword_count - 1;
}

int folder_keyword(struct postern_mailbox *mailbox, struct postern_span name, bool make)
{
    struct postern_account *account = mailbox->account;
    int number;

    if (!keyword_is_good(name))
        return POSTERN_E_SYNTAX;
    number = account_enter(account, 0);
    if (number)
        return number;
    number = keyword_of(account, mailbox->id, name, false);
    account_leave(account);
    if (number != POSTERN_E_NOT_FOUND || !make)
        return number;
    number = account_enter_lock(account, 0);
    if (number)
        return number;
    number = keyword_of(account, mailbox->id, name, true);
    account_leave(account);
    return number;
}

int folder_keyword_name(struct postern_mailbox *mailbox, unsigned number,
                        struct postern_span *name_r)
{
    const struct index_mailbox *rows;
    int err = mailbox_enter_known(mailbox);

    if (err)
        return err;
    rows = mailbox_index(mailbox);
    if (number < rows->keyword_count && !mailbox->keywords)
        mailbox->keywords = calloc(POSTERN_KEYWORDS_MAX, sizeof *mailbox->keywords);
    if (number < rows->keyword_count && mailbox->keywords && !mailbox->keywords[number])
        mailbox->keywords[number] = strndup(rows->keywords[number].p, rows->keywords[number].n);
    account_leave(mailbox->account);
    if (number >= POSTERN_KEYWORDS_MAX || !mailbox->keywords || !mailbox->keywords[number])
        return POSTERN_E_NOT_FOUND;
    *name_r = postern_span_of(mailbox->keywords[number]);
    return 0;
}
