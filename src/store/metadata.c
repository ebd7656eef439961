/* SPDX-License-Identifier: MIT */
/* metadata - a record is three lengths and three texts. A change walks the run and writes a new
 * one. */
#include "store/metadata.h"

#include "base/span.h"

int metadata_take(struct postern_span *rest, struct metadata_record *record_r)
{
    struct postern_span *const fields[] = {&record_r->mailbox, &record_r->entry, &record_r->value};
    uint32_t lengths[3];

    if (rest->n == 0)
        return 0;
    if (rest->n < sizeof lengths)
        return POSTERN_E_CORRUPT;
    memcpy(lengths, rest->p, sizeof lengths);
    *rest = span_from(*rest, sizeof lengths);
    for (unsigned i = 0; i < 3; i++) {
        if (lengths[i] > rest->n)
            return POSTERN_E_CORRUPT;
        *fields[i] = span_make(rest->p, lengths[i]);
        *rest = span_from(*rest, lengths[i]);
    }
    return 1;
}

void metadata_put(struct buffer *out, const struct metadata_record *record)
{
    uint32_t lengths[3] = {(uint32_t)record->mailbox.n, (uint32_t)record->entry.n,
                           (uint32_t)record->value.n};

    buffer_append(out, span_make((const char *)lengths, sizeof lengths));
    buffer_append(out, record->mailbox);
    buffer_append(out, record->entry);
    buffer_append(out, record->value);
}

bool metadata_is_acl(const struct metadata_record *record)
{
    return span_begins(record->entry, SPAN(METADATA_ACL));
}

int metadata_fits(const struct buffer *out, size_t records)
{
    if (records > METADATA_RECORDS_MAX || buffer_length(out) > METADATA_BYTES_MAX)
        return POSTERN_E_FULL;
    return out->error;
}

int metadata_each(struct postern_span all, struct postern_span mailbox,
                  int (*each)(void *ctx, const struct postern_metadata *one), void *ctx)
{
    struct metadata_record record;
    int r;

    while ((r = metadata_take(&all, &record)) == 1) {
        struct postern_metadata one = {record.entry, record.value};

        if (!span_equal(record.mailbox, mailbox) || metadata_is_acl(&record))
            continue;
        r = each(ctx, &one);
        if (r)
            return r;
    }
    return r;
}

static int add_stamp(void *ctx, const struct postern_metadata *one)
{
    uint64_t *stamp = ctx;

    *stamp = *stamp * 31 + span_hash(one->entry) + 7 * span_hash(one->value) + 1;
    return 0;
}

uint64_t metadata_stamp(struct postern_span all, struct postern_span mailbox)
{
    uint64_t stamp = 0;

    (void)metadata_each(all, mailbox, add_stamp, &stamp);
    return stamp;
}

static bool is_changed(const struct postern_metadata *changes, size_t count,
                       struct postern_span entry)
{
    for (size_t i = 0; i < count; i++)
        if (span_equal_nocase(changes[i].entry, entry))
            return true;
    return false;
}

int metadata_change(struct postern_span all, struct postern_span mailbox,
                    const struct postern_metadata *changes, size_t count, struct buffer *out)
{
    struct metadata_record record;
    size_t records = 0;
    int r;

    while ((r = metadata_take(&all, &record)) == 1) {
        if (span_equal(record.mailbox, mailbox) && is_changed(changes, count, record.entry))
            continue;
        metadata_put(out, &record);
        records++;
    }
    for (size_t i = 0; i < count && !r; i++) {
        record = (struct metadata_record){mailbox, changes[i].entry, changes[i].value};
        if (metadata_is_acl(&record))
            return POSTERN_E_SYNTAX;
        if (!record.value.p || is_changed(changes + i + 1, count - i - 1, record.entry))
            continue;
        metadata_put(out, &record);
        records++;
    }
    return r ? r : metadata_fits(out, records);
}

static bool is_below(struct postern_span name, struct postern_span parent)
{
    return name.n > parent.n && span_begins(name, parent) && name.p[parent.n] == '/';
}

/* I 5464:4.1-2 */
int metadata_move(struct postern_span all, struct postern_span from, struct postern_span to,
                  struct buffer *out)
{
    struct metadata_record record;
    int r;

    while ((r = metadata_take(&all, &record)) == 1) {
        struct buffer name = {.allocator = out->allocator};
        bool is_it = span_equal(record.mailbox, from);

        if ((is_it && !to.p) || (to.p && span_equal(record.mailbox, to)))
            continue; /* what it was called before is over, also where that could not be kept up */
        if (is_it || (to.p && is_below(record.mailbox, from))) {
            buffer_append(&name, to);
            buffer_append(&name, span_from(record.mailbox, from.n));
            record.mailbox = buffer_span(&name);
        }
        metadata_put(out, &record);
        out->error = out->error ? out->error : name.error;
        buffer_done(&name);
    }
    return r ? r : out->error;
}

/* I 5464:4.1-1 */
int metadata_copy(struct postern_span all, struct postern_span from, struct postern_span to,
                  struct buffer *out)
{
    struct metadata_record record;
    size_t records = 0;
    int r;

    while ((r = metadata_take(&all, &record)) == 1) {
        if (span_equal(record.mailbox, to))
            continue;
        metadata_put(out, &record);
        records++;
        if (!span_equal(record.mailbox, from) || metadata_is_acl(&record))
            continue;
        record.mailbox = to;
        metadata_put(out, &record);
        records++;
    }
    return r ? r : metadata_fits(out, records);
}
