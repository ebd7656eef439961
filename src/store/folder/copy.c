/* SPDX-License-Identifier: MIT */
/* copy - messages to another mailbox of the account: each is written as a new file, and the set is
 * committed in one group of the index, together with the expunge when it is a move. A file is never
 * shared by two mailboxes: whoever removes or edits one must not touch the other. */
#include "store/folder/append.h"

#include "base/span.h"
#include <stdlib.h>

#define COPY_BYTES 65536

/* struct source - a message to be copied: what is known of it, and its open file. */
struct source {
    struct postern_mailbox *from, *to;
    struct index_row row;
    struct postern_content *content;
};

static int source_open(struct source *source, uint32_t uid)
{
    struct postern_account *account = source->from->account;
    const struct index_mailbox *rows;
    const struct index_row *row = NULL;
    struct postern_facts facts;
    int err = folder_message(source->from, uid, 0, &source->content, &facts);

    if (!err)
        err = account_enter(account, 0);
    if (err)
        return err;
    rows = index_mailbox_of(&account->index, source->from->id);
    if (rows)
        row = mailbox_find((struct index_mailbox *)rows, uid);
    if (row)
        source->row = *row;
    account_leave(account);
    return row ? 0 : POSTERN_E_NOT_FOUND;
}

/* map_keywords - by their names, which the other mailbox numbers otherwise. */
static int map_keywords(const struct source *source, uint64_t *keywords_r)
{
    uint64_t keywords = 0;

    for (unsigned i = 0; i < POSTERN_KEYWORDS_MAX; i++) {
        struct postern_span name;
        int number;

        if (!(source->row.keywords >> i & 1))
            continue;
        number = folder_keyword_name(source->from, i, &name);
        if (number == 0)
            number = folder_keyword(source->to, name, true);
        if (number < 0)
            return number;
        keywords |= UINT64_C(1) << number;
    }
    *keywords_r = keywords;
    return 0;
}

static int copy_octets(struct postern_content *content, struct postern_delivery *delivery)
{
    char bytes[COPY_BYTES];
    uint64_t offset = 0;
    int n, err = 0;

    while (!err && (n = folder_read(content, offset, bytes, sizeof bytes)) != 0) {
        if (n < 0)
            return n;
        err = folder_write(delivery, span_make(bytes, (size_t)n));
        offset += (uint64_t)n;
    }
    return err;
}

static int copy_one(struct postern_mailbox *from, uint32_t uid, struct postern_mailbox *to,
                    struct postern_delivery **delivery_r)
{
    struct source source = {.from = from, .to = to};
    struct postern_new_message what = {0};
    int err = source_open(&source, uid);

    if (!err)
        err = map_keywords(&source, &what.keywords);
    what.flags = source.row.bits & POSTERN_FLAGS_ALL;
    what.date_s = source.row.date_s == INDEX_NO_DATE ? 0 : source.row.date_s;
    if (!err)
        err = folder_begin(to, &what, delivery_r);
    if (!err) {
        (*delivery_r)->email_id = source.row.email_id;
        err = copy_octets(source.content, *delivery_r);
    }
    folder_content_close(&source.content);
    return err;
}

static bool is_rising(const uint32_t *uids, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (uids[i] <= uids[i - 1])
            return false;
    return true;
}

int folder_copy(struct postern_mailbox *from, const uint32_t *uids, size_t count,
                struct postern_mailbox *to, bool move, uint32_t *uids_r)
{
    struct commit_set set = {.count = count};
    int err = 0;

    if (from->account != to->account || !is_rising(uids, count))
        return POSTERN_E_USAGE;
    if (count == 0)
        return 0;
    set.deliveries = calloc(count, sizeof(struct postern_delivery *));
    if (!set.deliveries)
        return POSTERN_E_NOMEM;
    for (size_t i = 0; i < count && !err; i++)
        err = copy_one(from, uids[i], to, &set.deliveries[i]);
    if (!err) {
        set.from = move ? from->id : 0;
        set.moved = uids;
        err = folder_commit_set(&set, uids_r);
    }
    for (size_t i = 0; i < count; i++)
        folder_abort(&set.deliveries[i]);
    free(set.deliveries);
    return err;
}
