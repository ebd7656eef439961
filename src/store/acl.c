/* SPDX-License-Identifier: MIT */
/* acl - one record for each mailbox and identifier, its rights as letters. Nothing is kept between
 * calls: the run of records is walked each time. */
#include "store/acl.h"

#include "base/span.h"
#include "codec/rights.h"
#include "store/metadata.h"

static struct postern_span identifier_of(const struct metadata_record *record)
{
    return span_from(record->entry, strlen(METADATA_ACL));
}

/* whom - the identifier without its sign. */
static struct postern_span whom(struct postern_span identifier)
{
    return span_begins(identifier, SPAN("-")) ? span_from(identifier, 1) : identifier;
}

static bool is_of(const struct metadata_record *record, struct postern_span mailbox)
{
    return metadata_is_acl(record) && span_equal(record->mailbox, mailbox);
}

int acl_each(struct postern_span all, struct postern_span mailbox,
             int (*each)(void *ctx, const struct postern_acl *one), void *ctx)
{
    struct metadata_record record;
    int r;

    while ((r = metadata_take(&all, &record)) == 1) {
        struct postern_acl one = {.identifier = identifier_of(&record)};

        if (!is_of(&record, mailbox))
            continue;
        r = rights_parse(record.value, &one.rights) < 0 ? POSTERN_E_CORRUPT : each(ctx, &one);
        if (r)
            return r;
    }
    return r;
}

/* put - the rights of an identifier; none: it is not there. */
static void put(struct buffer *out, struct postern_span mailbox, struct postern_span identifier,
                uint32_t rights)
{
    struct buffer entry = {.allocator = out->allocator}, letters = {.allocator = out->allocator};

    buffer_append_text(&entry, METADATA_ACL);
    buffer_append(&entry, identifier);
    rights_write(&letters, rights, false);
    if (rights)
        metadata_put(
            out, &(struct metadata_record){mailbox, buffer_span(&entry), buffer_span(&letters)});
    if (entry.error || letters.error)
        out->error = POSTERN_E_NOMEM;
    buffer_done(&entry);
    buffer_done(&letters);
}

int acl_change(struct postern_span all, struct postern_span mailbox,
               const struct postern_acl *change, enum postern_flags_how how, struct buffer *out)
{
    struct metadata_record record;
    uint32_t rights = 0;
    size_t records = 1;
    int r;

    if (whom(change->identifier).n == 0 || change->identifier.n > ACL_IDENTIFIER_MAX)
        return POSTERN_E_SYNTAX;
    while ((r = metadata_take(&all, &record)) == 1) {
        if (is_of(&record, mailbox) && span_equal(identifier_of(&record), change->identifier)) {
            if (rights_parse(record.value, &rights) < 0)
                return POSTERN_E_CORRUPT;
            continue;
        }
        metadata_put(out, &record);
        records++;
    }
    if (r)
        return r;
    rights = how == POSTERN_FLAGS_ADD      ? rights | change->rights
             : how == POSTERN_FLAGS_REMOVE ? rights & ~change->rights
                                           : change->rights;
    put(out, mailbox, change->identifier, rights);
    return metadata_fits(out, records);
}

/* inherit - to out: all, and the mailbox has what parent has; absent: nothing. */
static int inherit(struct postern_span all, struct postern_span parent, struct postern_span mailbox,
                   struct buffer *out)
{
    struct postern_span rest = all;
    struct metadata_record record;
    size_t records = 0;
    int r;

    while ((r = metadata_take(&rest, &record)) == 1) {
        if (is_of(&record, mailbox))
            continue;
        metadata_put(out, &record);
        records++;
        if (!parent.p || !is_of(&record, parent))
            continue;
        record.mailbox = mailbox;
        metadata_put(out, &record);
        records++;
    }
    return r ? r : metadata_fits(out, records);
}

int acl_new(struct postern_span all, struct postern_span mailbox,
            bool (*exists)(void *ctx, struct postern_span name), void *ctx, struct buffer *out)
{
    struct postern_span above = {NULL, 0};
    int err = 0;

    buffer_append(out, all);
    for (size_t n = 1; n <= mailbox.n && !err; n++) {
        struct postern_span level = span_make(mailbox.p, n);
        struct buffer next = {.allocator = out->allocator};

        if (n < mailbox.n && mailbox.p[n] != '/')
            continue;
        if (exists(ctx, level)) {
            above = level;
            continue;
        }
        err = inherit(buffer_span(out), above, level, &next);
        buffer_done(out);
        *out = next;
    }
    return err ? err : out->error;
}

/* is_all - identifiers of everybody who is logged in. */
static bool is_all(struct postern_span identifier)
{
    return span_equal(identifier, SPAN("anyone")) || span_equal(identifier, SPAN("authenticated"));
}

bool acl_names(struct postern_span all, struct postern_span user)
{
    struct metadata_record record;

    while (metadata_take(&all, &record) == 1)
        if (metadata_is_acl(&record) &&
            (is_all(identifier_of(&record)) || span_equal(identifier_of(&record), user)))
            return true;
    return false;
}

bool acl_is_about(struct postern_span identifier, struct postern_span user)
{
    return span_equal(whom(identifier), user);
}

struct sum {
    struct postern_span user;
    uint32_t given, taken;
};

static int add(void *ctx, const struct postern_acl *one)
{
    struct sum *sum = ctx;
    struct postern_span identifier = whom(one->identifier);
    bool takes = identifier.n < one->identifier.n;

    if (is_all(identifier) || span_equal(identifier, sum->user))
        *(takes ? &sum->taken : &sum->given) |= one->rights;
    return 0;
}

int acl_rights(const struct postern_store *store, struct postern_account *account,
               struct postern_span mailbox, struct postern_span user, uint32_t *rights_r)
{
    struct sum sum = {.user = user};
    int err = store->ops->acl(account, mailbox, add, &sum);

    if (!err)
        *rights_r = sum.given & ~sum.taken;
    return err;
}
