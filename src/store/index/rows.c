/* SPDX-License-Identifier: MIT */
/* rows - the messages of a mailbox in memory: the mapped table and the rows that came after it.
 * UIDs rise over both, so a row is found by halving. A changed row keeps its place; its new name
 * goes behind the other strings until the next checkpoint. */
#include "store/index/index.h"

#include "base/span.h"
#include <stdlib.h>
#include <zlib.h>

#define HISTORY_MAX 65536

uint32_t index_crc(uint32_t crc, struct postern_span bytes)
{
    if (bytes.n == 0) /* for a NULL pointer zlib would begin anew */
        return crc;
    return (uint32_t)crc32_z(crc, (const unsigned char *)bytes.p, bytes.n);
}

uint32_t row_crc(const struct index_row *row, struct postern_span strings)
{
    struct index_row plain = *row;

    plain.name = 0; /* where the strings are changes with every checkpoint */
    return index_crc(index_crc(1, span_make((const char *)&plain, offsetof(struct index_row, crc))),
                     strings);
}

size_t mailbox_rows(const struct index_mailbox *mailbox)
{
    return mailbox->base_n + mailbox->tail_n;
}

struct index_row *mailbox_row(const struct index_mailbox *mailbox, size_t place)
{
    return place < mailbox->base_n ? mailbox->base + place
                                   : mailbox->tail + (place - mailbox->base_n);
}

size_t mailbox_place(const struct index_mailbox *mailbox, uint32_t uid)
{
    size_t low = 0, high = mailbox_rows(mailbox);

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (mailbox_row(mailbox, middle)->uid < uid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct index_row *mailbox_find(struct index_mailbox *mailbox, uint32_t uid)
{
    size_t place = mailbox_place(mailbox, uid);
    struct index_row *row = place < mailbox_rows(mailbox) ? mailbox_row(mailbox, place) : NULL;

    if (!row || row->uid != uid || row->bits & ROW_GONE || !row_is_whole(mailbox, row))
        return NULL;
    return row;
}

/* row_strings - name and unique-id; absent when they lie outside of what there is. */
static struct postern_span row_strings(const struct index_mailbox *mailbox,
                                       const struct index_row *row)
{
    size_t n = (size_t)row->name_n + row->unique_n, at = row->name;

    if (at < mailbox->strings_n)
        return mailbox->strings_n - at < n ? (struct postern_span){0}
                                           : span_make(mailbox->strings + at, n);
    at -= mailbox->strings_n;
    if (at > buffer_length(&mailbox->extra) || buffer_length(&mailbox->extra) - at < n)
        return (struct postern_span){0};
    return span_make(buffer_span(&mailbox->extra).p + at, n);
}

struct postern_span row_name(const struct index_mailbox *mailbox, const struct index_row *row)
{
    struct postern_span strings = row_strings(mailbox, row);

    return strings.n < row->name_n ? (struct postern_span){0} : span_make(strings.p, row->name_n);
}

struct postern_span row_unique(const struct index_mailbox *mailbox, const struct index_row *row)
{
    return span_from(row_strings(mailbox, row), row->name_n);
}

static bool crc_fits(const struct index_mailbox *mailbox, const struct index_row *row)
{
    struct postern_span strings = row_strings(mailbox, row);

    return (strings.p || row->name_n + row->unique_n == 0) && row_crc(row, strings) == row->crc;
}

void row_seal(const struct index_mailbox *mailbox, struct index_row *row)
{
    row->crc =
        row_crc(row, span_make(row_name(mailbox, row).p, (size_t)row->name_n + row->unique_n));
}

/* is_of_base - its place in the mapped table, which nobody writes to: once whole, always whole. */
static bool is_of_base(const struct index_mailbox *mailbox, const struct index_row *row,
                       size_t *place_r)
{
    if (!mailbox->base_n || row < mailbox->base || row >= mailbox->base + mailbox->base_n)
        return false;
    *place_r = (size_t)(row - mailbox->base);
    return true;
}

bool row_is_whole(struct index_mailbox *mailbox, const struct index_row *row)
{
    size_t place = 0;
    bool of_base = is_of_base(mailbox, row, &place), whole;

    if (of_base && mailbox->seen_whole && mailbox->seen_whole[place / 8] >> place % 8 & 1)
        return true;
    whole = row->name_n && crc_fits(mailbox, row);
    if (!whole)
        mailbox->damaged = true;
    if (whole && of_base && !mailbox->seen_whole)
        mailbox->seen_whole = calloc(mailbox->base_n / 8 + 1, 1);
    if (whole && of_base && mailbox->seen_whole)
        mailbox->seen_whole[place / 8] |= (uint8_t)(1u << place % 8);
    return whole;
}

unsigned row_sub(const struct index_row *row)
{
    return row->bits & ROW_SECOND_SUB ? 1 : 0;
}

/* ---- the sums -------------------------------------------------------------------------------- */

static void count_row(struct index_mailbox *mailbox, const struct index_row *row, int sign)
{
    mailbox->messages += (uint32_t)sign;
    mailbox->size_bytes += sign > 0 ? row->size_wire : -row->size_wire;
    if (!(row->bits & POSTERN_FLAG_SEEN))
        mailbox->unseen += (uint32_t)sign;
    if (row->bits & POSTERN_FLAG_DELETED) {
        mailbox->deleted += (uint32_t)sign;
        mailbox->deleted_bytes += sign > 0 ? row->size_wire : -row->size_wire;
    }
    if (row->bits & ROW_PENDING)
        mailbox->pending += (uint32_t)sign;
}

uint64_t mailbox_deleted_bytes(struct index_mailbox *mailbox)
{
    if (!mailbox->deleted_bytes_due)
        return mailbox->deleted_bytes;
    mailbox->deleted_bytes_due = false;
    mailbox->deleted_bytes = 0;
    for (size_t i = 0; mailbox->deleted && i < mailbox_rows(mailbox); i++) {
        const struct index_row *row = mailbox_row(mailbox, i);

        if (row->bits & POSTERN_FLAG_DELETED && !(row->bits & ROW_GONE))
            mailbox->deleted_bytes += row->size_wire;
    }
    return mailbox->deleted_bytes;
}

static int tail_room(struct index_mailbox *mailbox, size_t count)
{
    size_t room = mailbox->tail_room ? mailbox->tail_room : 8;
    struct index_row *tail;

    while (room < mailbox->tail_n + count)
        room *= 2;
    if (room == mailbox->tail_room)
        return 0;
    tail = realloc(mailbox->tail, room * sizeof *tail);
    if (!tail)
        return POSTERN_E_NOMEM;
    mailbox->tail = tail;
    mailbox->tail_room = room;
    return 0;
}

/* all_to_tail - out of the mapped table, so that a row can be put between two. */
static int all_to_tail(struct index_mailbox *mailbox)
{
    int err = tail_room(mailbox, mailbox->base_n);

    if (err || mailbox->base_n == 0)
        return err;
    memmove(mailbox->tail + mailbox->base_n, mailbox->tail,
            mailbox->tail_n * sizeof *mailbox->tail);
    memcpy(mailbox->tail, mailbox->base, mailbox->base_n * sizeof *mailbox->tail);
    mailbox->tail_n += mailbox->base_n;
    mailbox->base_n = 0;
    free(mailbox->seen_whole);
    mailbox->seen_whole = NULL;
    return 0;
}

/* new_row - a place for a UID above all that are there; or, while lost rows are made again from
 * their files, between them. */
static int new_row(struct index_mailbox *mailbox, uint32_t uid, struct index_row **row_r)
{
    size_t count = mailbox_rows(mailbox);
    bool is_last = count == 0 || mailbox_row(mailbox, count - 1)->uid < uid;
    struct index_row *row;
    int err = uid == 0 || (!is_last && !mailbox->facts.adopt) ? POSTERN_E_CORRUPT : 0;

    if (!err && !is_last)
        err = all_to_tail(mailbox);
    if (!err)
        err = tail_room(mailbox, 1);
    if (!err)
        err = runs_add(mailbox, uid);
    if (err)
        return err;
    row = mailbox->tail + (is_last ? mailbox->tail_n : mailbox_place(mailbox, uid));
    memmove(row + 1, row, (size_t)(mailbox->tail + mailbox->tail_n - row) * sizeof *row);
    mailbox->tail_n++;
    *row = (struct index_row){.uid = uid, .bits = ROW_GONE};
    *row_r = row;
    return 0;
}

int mailbox_put_row(struct index_mailbox *mailbox, const struct index_row *row,
                    struct postern_span strings, bool keep_strings)
{
    size_t place = mailbox_place(mailbox, row->uid), offset;
    struct index_row *old = place < mailbox_rows(mailbox) ? mailbox_row(mailbox, place) : NULL;
    int err = 0;

    if (!old || old->uid != row->uid) {
        err = keep_strings ? POSTERN_E_CORRUPT : new_row(mailbox, row->uid, &old);
        if (err)
            return err;
    } else if (old->bits & ROW_GONE) {
        return POSTERN_E_CORRUPT; /* a UID never comes back */
    } else {
        count_row(mailbox, old, -1);
    }
    offset = old->name;
    if (!keep_strings) {
        offset = mailbox->strings_n + buffer_length(&mailbox->extra);
        buffer_append(&mailbox->extra, strings);
        if (mailbox->extra.error || offset > UINT32_MAX)
            return POSTERN_E_NOMEM;
        doomed_remove(&mailbox->doomed, span_make(strings.p, row->name_n));
    }
    if (old->modseq != row->modseq)
        recent_note(mailbox, row->uid, row->modseq);
    *old = *row;
    old->name = (uint32_t)offset;
    count_row(mailbox, old, 1);
    if (mailbox->facts.uid_next <= row->uid)
        mailbox->facts.uid_next = row->uid + 1;
    if (mailbox->facts.modseq < row->modseq)
        mailbox->facts.modseq = row->modseq;
    mailbox->changes++;
    return 0;
}

/* ---- expunging ------------------------------------------------------------------------------- */

static int remember(struct index_mailbox *mailbox, struct index_expunged expunged)
{
    size_t half = HISTORY_MAX / 2;

    if (mailbox->history_count == HISTORY_MAX) {
        mailbox->history_floor = mailbox->history[half - 1].modseq;
        memmove(mailbox->history, mailbox->history + half, half * sizeof *mailbox->history);
        mailbox->history_count = half;
    }
    if (mailbox->history_count == mailbox->history_room) {
        size_t room = mailbox->history_room ? mailbox->history_room * 2 : 8;
        struct index_expunged *history = realloc(mailbox->history, room * sizeof *history);

        if (!history)
            return POSTERN_E_NOMEM;
        mailbox->history = history;
        mailbox->history_room = room;
    }
    mailbox->history[mailbox->history_count++] = expunged;
    return 0;
}

void mailbox_expunge(struct index_mailbox *mailbox, struct postern_uid_range range, uint64_t modseq,
                     bool files_gone, int *error)
{
    for (size_t place = mailbox_place(mailbox, range.first); place < mailbox_rows(mailbox);
         place++) {
        struct index_row *row = mailbox_row(mailbox, place);

        if (row->uid > range.last)
            break;
        if (row->bits & ROW_GONE)
            continue;
        if (!files_gone)
            doomed_add(&mailbox->doomed, row_sub(row), row_name(mailbox, row));
        count_row(mailbox, row, -1);
        row->bits |= ROW_GONE;
        row->crc = row_crc(row, row_strings(mailbox, row));
        if (runs_remove(mailbox, row->uid) < 0)
            *error = POSTERN_E_NOMEM;
    }
    if (remember(mailbox, (struct index_expunged){modseq, range.first, range.last}) < 0 ||
        mailbox->doomed.error)
        *error = POSTERN_E_NOMEM;
    if (mailbox->facts.modseq < modseq)
        mailbox->facts.modseq = modseq;
    mailbox->changes++;
}

/* ---- mending --------------------------------------------------------------------------------- */

/* a_gone_row - what stands for one that cannot be believed. */
static struct index_row a_gone_row(uint32_t uid)
{
    struct index_row row = {.uid = uid, .bits = ROW_GONE};

    row.crc = row_crc(&row, (struct postern_span){0});
    return row;
}

static size_t mend_mailbox(struct index_mailbox *mailbox)
{
    size_t bad = 0;
    uint32_t last = 0;

    mailbox->messages = mailbox->unseen = mailbox->deleted = mailbox->pending = 0;
    mailbox->size_bytes = mailbox->deleted_bytes = 0;
    mailbox->deleted_bytes_due = false;
    mailbox->run_count = 0;
    for (size_t i = 0; i < mailbox_rows(mailbox); i++) {
        struct index_row *row = mailbox_row(mailbox, i);
        bool gone = row->bits & ROW_GONE;

        if (!crc_fits(mailbox, row) || (!gone && (row->uid <= last || !row->name_n)) ||
            (gone && row->uid < last)) {
            *row = a_gone_row(last);
            bad++;
        } else if (!gone && runs_add(mailbox, row->uid) == 0) {
            count_row(mailbox, row, 1);
        }
        last = row->uid > last ? row->uid : last;
    }
    mailbox->damaged = false;
    recent_forget(mailbox);
    mailbox->changes++;
    return bad;
}

size_t index_mend(struct index *index)
{
    size_t bad = 0;

    for (size_t i = 0; i < index->count; i++)
        bad += mend_mailbox(index->mailboxes[i]);
    return bad;
}
