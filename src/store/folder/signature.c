/* SPDX-License-Identifier: MIT */
/* signature - what is remembered of the subjects and senders that a search has looked at: each
 * three octets that stand behind each other set one of 64 bits, or of 32. Where a text would have
 * set others it is not, so that the next search reads few messages.
 *
 * It is memory only. There is none until a search asks for it, and it is made of the parsed forms
 * that this search is then given. */
#include "store/folder/folder.h"

#include "base/span.h"
#include <postern/mime.h>
#include <stdlib.h>

#define MESSAGES_MAX (1u << 18) /* of a mailbox; above, nothing is remembered */
#define ANYTHING UINT64_MAX

struct signature {
    uint32_t uid; /* 0: nothing is known */
    uint32_t from;
    uint64_t subject;
};

struct signatures {
    uint32_t uid_validity;
    size_t count;
    struct signature all[]; /* by the row's place, if the UID there is the same */
};

/* bits_of - without regard to case. */
static uint64_t bits_of(struct postern_span text)
{
    uint64_t bits = 0;
    uint32_t three = 0;

    for (size_t i = 0; i < text.n; i++) {
        three = (three << 8 | (unsigned char)ascii_lower(text.p[i])) & 0xffffff;
        if (i >= 2)
            bits |= UINT64_C(1) << (three * 0x9e3779b1u >> 26);
    }
    return bits;
}

static uint32_t halved(uint64_t bits)
{
    return (uint32_t)bits | (uint32_t)(bits >> 32);
}

/* field_bits - of all fields of that name; those that are more than they say may have anything. */
static uint64_t field_bits(struct postern_span block, enum postern_mime_field field)
{
    struct postern_mime_header header;
    uint64_t bits = 0;
    uint32_t at = 0;

    while (postern_mime_find(block, 0, field, &at, &header)) {
        if (!header.value.p || !postern_mime_is_plain(header.value))
            return ANYTHING;
        bits |= bits_of(header.value);
    }
    return bits;
}

void signature_note(const struct kept *kept, size_t place, uint32_t uid, struct postern_span block)
{
    struct signatures *known = kept ? kept->signatures : NULL;

    if (!known || place >= known->count || known->all[place].uid == uid)
        return;
    known->all[place] = (struct signature){.uid = uid,
                                           .from = halved(field_bits(block, POSTERN_MIME_FROM)),
                                           .subject = field_bits(block, POSTERN_MIME_SUBJECT)};
}

/* signatures_of - a place for each row; those that are known stay. NULL: too many. */
static struct signatures *signatures_of(struct kept *kept, const struct index_mailbox *rows)
{
    struct signatures *known = kept->signatures;
    size_t count = mailbox_rows(rows), had = known ? known->count : 0;

    if (known && known->uid_validity != rows->facts.uid_validity)
        had = 0;
    if (known && had >= count)
        return known;
    if (count > MESSAGES_MAX)
        return NULL;
    count += count / 8 + 16;
    known = realloc(known, sizeof *known + count * sizeof *known->all);
    if (!known)
        return NULL;
    memset(known->all + had, 0, (count - had) * sizeof *known->all);
    known->count = count;
    known->uid_validity = rows->facts.uid_validity;
    kept->signatures = known;
    return known;
}

static bool may(const struct signature *known, uint32_t uid, enum postern_mime_field field,
                uint64_t wanted)
{
    if (known->uid != uid)
        return true;
    if (field == POSTERN_MIME_FROM)
        return (known->from & halved(wanted)) == halved(wanted);
    return (known->subject & wanted) == wanted;
}

/* show - what lies between those that have it not. */
static int show(const struct signatures *known, const struct index_mailbox *rows,
                enum postern_mime_field field, uint64_t wanted,
                int (*each)(void *ctx, struct postern_uid_range range), void *ctx)
{
    uint32_t from = 1;
    int result = 0;

    for (size_t i = 0; i < mailbox_rows(rows) && !result; i++) {
        uint32_t uid = mailbox_row(rows, i)->uid;

        if (may(&known->all[i], uid, field, wanted))
            continue;
        if (uid > from)
            result = each(ctx, (struct postern_uid_range){from, uid - 1});
        from = uid + 1;
    }
    return result ? result : each(ctx, (struct postern_uid_range){from, UINT32_MAX});
}

int folder_may_have(struct postern_mailbox *mailbox, enum postern_mime_field field,
                    struct postern_span text, unsigned flags,
                    int (*each)(void *ctx, struct postern_uid_range range), void *ctx)
{
    struct postern_account *account = mailbox->account;
    const struct index_mailbox *rows;
    const struct signatures *known = NULL;
    struct kept *kept;
    int err;

    if (account->store->kind->mutable_files ||
        (field != POSTERN_MIME_SUBJECT && field != POSTERN_MIME_FROM))
        return POSTERN_E_UNSUPPORTED;
    err = account_take(account, flags);
    if (err)
        return err;
    rows = mailbox_index(mailbox);
    kept = rows ? account_kept(account, mailbox->id) : NULL;
    if (kept)
        known = signatures_of(kept, rows);
    err = known ? show(known, rows, field, bits_of(text), each, ctx) : POSTERN_E_UNSUPPORTED;
    account_leave(account);
    return err;
}
