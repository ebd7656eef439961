/* SPDX-License-Identifier: MIT */
/* uidl - POP3 unique-ids taken over from Dovecot, so that no client downloads all mail again. */
#include "store/folder/check.h"
#include "store/folder/sync.h"
#include "store/folder/uidlist.h"

#include "base/span.h"
#include <stdio.h>

static size_t put_number(char *out, size_t room, uint32_t number, struct postern_span how)
{
    int n = span_equal(how, SPAN("08X"))   ? snprintf(out, room, "%08lX", (unsigned long)number)
            : span_equal(how, SPAN("08x")) ? snprintf(out, room, "%08lx", (unsigned long)number)
            : how.n == 0                   ? snprintf(out, room, "%lu", (unsigned long)number)
                                           : -1;

    return n < 0 || (size_t)n >= room ? 0 : (size_t)n;
}

/* format_one - "%08Xu%08Xv" with its numbers; its length, 0 when it is no format. */
static size_t format_one(struct postern_span format, uint32_t uid, uint32_t validity,
                         char out[POSTERN_UID_MAX + 1])
{
    size_t n = 0;

    while (format.n && n < POSTERN_UID_MAX) {
        struct postern_span how;
        size_t end = 1, put;

        if (format.p[0] != '%') {
            out[n++] = format.p[0];
            format = span_from(format, 1);
            continue;
        }
        while (end < format.n && format.p[end] != 'u' && format.p[end] != 'v')
            end++;
        if (end == format.n)
            return 0;
        how = span_make(format.p + 1, end - 1);
        put = put_number(out + n, POSTERN_UID_MAX + 1 - n, format.p[end] == 'u' ? uid : validity,
                         how);
        if (!put)
            return 0;
        n += put;
        format = span_from(format, end + 1);
    }
    return format.n ? 0 : n;
}

static int import_row(struct index_mailbox *rows, struct index_row *old, struct postern_span format,
                      const struct uidlist *list, const struct uidlist_entry *entry,
                      struct buffer *group)
{
    char text[POSTERN_UID_MAX + 1];
    struct postern_span unique = entry->unique;
    struct index_row row = *old;

    if (!unique.n)
        unique = span_make(text, format_one(format, entry->uid, list->uid_validity, text));
    if (!unique.n)
        return POSTERN_E_SYNTAX;
    row_write(group, rows->facts.id, &row, row_name(rows, old), unique);
    return 0;
}

/* import_all - how many, or <0. */
static int import_all(struct postern_account *account, struct postern_span format)
{
    const struct folder_kind *kind = account->store->kind;
    struct index_mailbox *rows = index_mailbox_of(&account->index, INBOX_ID);
    struct buffer group = {0};
    struct uidlist list = {0};
    struct place place;
    int err = place_open(&place, account, rows), count = 0;

    if (!err)
        err = uidlist_read(&list, &place);
    if (!err && !list.uid_validity)
        err = POSTERN_E_NOT_FOUND;
    for (size_t i = 0; i < mailbox_rows(rows) && !err; i++) {
        struct index_row *row = mailbox_row(rows, i);
        const struct uidlist_entry *entry =
            row->bits & ROW_GONE ? NULL : uidlist_find(&list, kind->key_of(row_name(rows, row)));

        if (!entry)
            continue;
        err = import_row(rows, row, format, &list, entry, &group);
        count++;
    }
    if (!err)
        err = index_commit(&account->index, &group, true, false);
    buffer_done(&group);
    uidlist_done(&list);
    place_close(&place);
    return err ? err : count;
}

int folder_import_uidl(struct postern_store *store, struct postern_span user,
                       struct postern_span format)
{
    struct postern_account *account = NULL;
    int r;

    if (store->ops->tidy != folder_tidy)
        return POSTERN_E_UNSUPPORTED;
    r = folder_account_open(store, user, 0, &account);
    if (r)
        return r;
    r = account_enter_lock(account, 0);
    if (!r) {
        r = mailbox_sync(account, INBOX_ID, 0, true);
        if (!r)
            r = import_all(account, format);
        account_leave(account);
    }
    folder_account_close(&account);
    return r;
}
