/* SPDX-License-Identifier: MIT */
/* folder_list - the listing of a mailbox, made anew only when its folders have changed.
 * The trap is the clock: a change within the same tick as the last look leaves the same change
 * time. So a listing made while the change time was younger than SETTLE is used once and looked at
 * again. What is known of a file (sizes, wire-clean) is taken over from the last listing by its
 * key. */
#include "store/folder.h"

#include "base/span.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define SETTLE_SECONDS 2
#define HEADER_BYTES 65536

void rows_free(struct rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        free(rows->all[i].name);
    free(rows->all);
    free(rows->by_uid);
    *rows = (struct rows){0};
}

/* looks_escaped - a name that ends as escaped ones do is escaped, too, lest it be taken for
 * another. */
static bool looks_escaped(struct postern_span key)
{
    if (key.n < 33 || key.p[key.n - 33] != '~')
        return false;
    for (size_t i = key.n - 32; i < key.n; i++)
        if (!strchr("0123456789abcdef", key.p[i]))
            return false;
    return true;
}

/* folder_uid - the key itself, or where it is too long or has other characters, its beginning and
 * 128 bits of a hash: it must be the same for ever, and two names must not meet. */
struct postern_span folder_uid(struct postern_span key, char out[POSTERN_UID_MAX + 1])
{
    uint64_t a = UINT64_C(14695981039346656037), b = UINT64_C(0x9ae16a3b2f90404f);
    bool good = key.n >= 1 && key.n <= POSTERN_UID_MAX;
    size_t head = key.n < 37 ? key.n : 37;

    for (size_t i = 0; i < key.n; i++) {
        unsigned char c = (unsigned char)key.p[i];

        good = good && c >= 0x21 && c <= 0x7e;
        a = (a ^ c) * UINT64_C(1099511628211);
        b = (b ^ (c + i)) * UINT64_C(0x9fb21c651e98df25);
        b ^= b >> 29;
    }
    if (good && !looks_escaped(key)) {
        memcpy(out, key.p, key.n);
        out[key.n] = '\0';
        return span_make(out, key.n);
    }
    for (size_t i = 0; i < head; i++)
        out[i] =
            (unsigned char)key.p[i] >= 0x21 && (unsigned char)key.p[i] <= 0x7e ? key.p[i] : '_';
    snprintf(out + head, POSTERN_UID_MAX + 1 - head, "~%016llx%016llx", (unsigned long long)a,
             (unsigned long long)b);
    return postern_span_of(out);
}

/* row_name - the copies of a name and of the unique-id, which mostly is a part of it. */
static int row_name(struct row *row, const char *name, struct postern_span key)
{
    char uid_text[POSTERN_UID_MAX + 1];
    struct postern_span uid = folder_uid(key, uid_text);
    size_t name_n = strlen(name);
    bool is_key = span_equal(uid, key);

    row->name = malloc(name_n + 1 + (is_key ? 0 : uid.n)); /* UNSAFE: both are below 256 */
    if (!row->name)
        return POSTERN_E_NOMEM;
    memcpy(row->name, name, name_n + 1);
    if (!is_key)
        memcpy(row->name + name_n + 1, uid.p, uid.n);
    row->uid = span_make(row->name + (is_key ? (size_t)(key.p - name) : name_n + 1), uid.n);
    return 0;
}

static int rows_add(struct rows *rows, const char *name, unsigned sub, struct postern_span key)
{
    struct row *row;

    if (rows->count == rows->room) {
        size_t room = rows->room ? rows->room * 2 : 64;
        struct row *all = realloc(rows->all, room * sizeof *all);

        if (!all)
            return POSTERN_E_NOMEM;
        rows->all = all;
        rows->room = room;
    }
    row = &rows->all[rows->count];
    *row = (struct row){.sub = (uint8_t)sub, .size_raw = UINT64_MAX, .size_wire = UINT64_MAX};
    if (row_name(row, name, key) < 0)
        return POSTERN_E_NOMEM;
    rows->count++;
    return 0;
}

/* list_sub - the names of one folder. A file whose name begins with a dot is nobody's message. */
static int list_sub(struct folder *folder, unsigned sub, struct rows *rows)
{
    const struct folder_kind *kind = folder->store->kind;
    int fd = folder_dir_open(folder->base, kind->subs[sub], false), err = 0;
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (!dir) {
        err = fd < 0 ? fd : folder_error(errno);
        folder_fd_close(&fd);
        return err;
    }
    while (!err && (errno = 0, entry = readdir(dir))) {
        struct postern_span name = postern_span_of(entry->d_name);
        bool maybe_file = entry->d_type == DT_REG || entry->d_type == DT_UNKNOWN;

        if (maybe_file && name.p[0] != '.' && kind->is_message(name))
            err = rows_add(rows, entry->d_name, sub, kind->key_of(name));
    }
    if (!err && errno)
        err = POSTERN_E_IO;
    closedir(dir);
    return err;
}

/* ---- order ----------------------------------------------------------------------------------- */

static int compare_spans(struct postern_span a, struct postern_span b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = memcmp(a.p, b.p, n);

    return order ? order : (a.n > b.n) - (a.n < b.n);
}

/* by_age - delivery time (the number that a maildir name begins with), then the unique-id. */
static int by_age(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    unsigned long long m = strtoull(x->name, NULL, 10), n = strtoull(y->name, NULL, 10);

    if (m != n)
        return m < n ? -1 : 1;
    return compare_spans(x->uid, y->uid);
}

static int by_uid(const void *a, const void *b, void *all)
{
    const struct row *rows = all;

    return compare_spans(rows[*(const uint32_t *)a].uid, rows[*(const uint32_t *)b].uid);
}

static int rows_index(struct rows *rows)
{
    rows->by_uid = malloc((rows->count + 1) * sizeof *rows->by_uid);
    if (!rows->by_uid)
        return POSTERN_E_NOMEM;
    for (size_t i = 0; i < rows->count; i++)
        rows->by_uid[i] = (uint32_t)i;
    if (rows->count == 0)
        return 0;
    qsort_r(rows->by_uid, rows->count, sizeof *rows->by_uid, by_uid, rows->all);
    return 0;
}

static struct row *rows_find(const struct rows *rows, struct postern_span uid)
{
    size_t low = 0, high = rows->by_uid ? rows->count : 0;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct row *row = &rows->all[rows->by_uid[middle]];
        int order = compare_spans(uid, row->uid);

        if (order == 0)
            return row;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

struct row *folder_row(struct folder *folder, struct postern_span uid)
{
    return folder->stale ? NULL : rows_find(&folder->rows, uid);
}

struct row *folder_row_of_key(struct folder *folder, struct postern_span key)
{
    char uid_text[POSTERN_UID_MAX + 1];

    return folder_row(folder, folder_uid(key, uid_text));
}

/* ---- facts ----------------------------------------------------------------------------------- */

static void take_scan(struct row *row, const struct scan *scan)
{
    row->size_raw = scan->size_raw;
    row->size_wire = scan->size_wire;
    row->wire_clean = scan->wire_clean;
    row->scanned = true;
    if (scan->utf8_header)
        row->flags |= POSTERN_ENTRY_UTF8;
}

/* read_header - sizes are known by the name; only the header's octets are wanted (R87). */
static void read_header(int fd, struct row *row)
{
    char bytes[HEADER_BYTES];
    ssize_t n = pread(fd, bytes, sizeof bytes, 0);
    struct scan scan = {0};

    if (n > 0)
        scan_feed(&scan, span_make(bytes, (size_t)n));
    if (scan.utf8_header)
        row->flags |= POSTERN_ENTRY_UTF8;
    if (n >= 0 && n < (ssize_t)sizeof bytes) {
        scan_end(&scan);
        take_scan(row, &scan); /* that was all of it: more exact than a name */
    }
}

/* learn - facts of a file that was not there before. One that cannot be read is listed all the
 * same. */
static void learn(struct folder *folder, struct row *row)
{
    struct scan scan;
    struct stat facts;
    int fd;

    folder->store->kind->sizes_of(postern_span_of(row->name), &row->size_raw, &row->size_wire);
    fd = folder_open_row(folder, row, &facts);
    if (fd < 0) {
        row->flags |= POSTERN_ENTRY_UNREADABLE;
    } else {
        row->mtime = facts.st_mtim;
        if (row->size_wire != UINT64_MAX && row->size_raw == (uint64_t)facts.st_size)
            read_header(fd, row);
        else if (scan_fd(fd, &scan) == 0)
            take_scan(row, &scan);
        close(fd);
    }
    if (row->size_wire == UINT64_MAX)
        row->size_wire = 0;
}

/* is_same - whether what is known of old still holds for the file of row. */
static bool is_same(struct folder *folder, const struct row *old, const struct row *row)
{
    struct stat facts;

    if (old->flags & POSTERN_ENTRY_UNREADABLE)
        return false;
    if (!folder->store->kind->mutable_files)
        return true;
    return fstatat(folder_sub(folder, row->sub), row->name, &facts, AT_SYMLINK_NOFOLLOW) == 0 &&
           (uint64_t)facts.st_size == old->size_raw && facts.st_mtim.tv_sec == old->mtime.tv_sec &&
           facts.st_mtim.tv_nsec == old->mtime.tv_nsec;
}

static void take_over(struct folder *folder, struct rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        struct row *row = &rows->all[i];
        const struct row *old = rows_find(&folder->rows, row->uid);

        if (!old || !is_same(folder, old, row)) {
            learn(folder, row);
            continue;
        }
        row->size_raw = old->size_raw;
        row->size_wire = old->size_wire;
        row->mtime = old->mtime;
        row->flags = old->flags;
        row->scanned = old->scanned;
        row->wire_clean = old->wire_clean;
    }
}

/* ---- the listing ----------------------------------------------------------------------------- */

static int change_times(const struct folder *folder, struct timespec times_r[FOLDER_SUBS])
{
    struct stat facts;

    for (unsigned i = 0; i < folder->store->kind->sub_count; i++) {
        if (fstatat(folder->base, folder->store->kind->subs[i], &facts, AT_SYMLINK_NOFOLLOW) < 0)
            return folder_error(errno);
        times_r[i] = facts.st_mtim;
    }
    return 0;
}

static bool unchanged(const struct folder *folder, const struct timespec times[FOLDER_SUBS])
{
    if (!folder->snapshot || folder->stale || !folder->settled ||
        folder->store->kind->mutable_files)
        return false;
    for (unsigned i = 0; i < folder->store->kind->sub_count; i++)
        if (times[i].tv_sec != folder->seen[i].tv_sec ||
            times[i].tv_nsec != folder->seen[i].tv_nsec)
            return false;
    return true;
}

static bool is_settled(const struct folder *folder, const struct timespec times[FOLDER_SUBS])
{
    struct timespec now;
    bool settled = true;

    clock_gettime(CLOCK_REALTIME, &now);
    for (unsigned i = 0; i < folder->store->kind->sub_count; i++)
        settled = settled && now.tv_sec - times[i].tv_sec > SETTLE_SECONDS;
    return settled;
}

static bool same_list(const struct rows *a, const struct rows *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!span_equal(a->all[i].uid, b->all[i].uid) ||
            a->all[i].size_wire != b->all[i].size_wire || a->all[i].flags != b->all[i].flags)
            return false;
    return true;
}

static int make_snapshot(struct folder *folder, const struct rows *rows)
{
    struct snapshot_builder *builder;
    int err = snapshot_builder_new(&builder, rows->count);

    for (size_t i = 0; !err && i < rows->count; i++)
        err = snapshot_builder_add(builder, rows->all[i].uid, rows->all[i].size_wire,
                                   rows->all[i].flags);
    if (err) {
        snapshot_builder_free(&builder);
        return err;
    }
    postern_snapshot_unref(&folder->snapshot);
    folder->snapshot = snapshot_builder_end(&builder);
    return 0;
}

/* drop_twins - a file seen in two folders (it was moved while they were read) is one message. */
static void drop_twins(struct rows *rows)
{
    size_t kept = 0;

    for (size_t i = 0; i < rows->count; i++) {
        if (kept && span_equal(rows->all[kept - 1].uid, rows->all[i].uid)) {
            free(rows->all[kept - 1].name);
            rows->all[kept - 1] = rows->all[i];
            continue;
        }
        rows->all[kept++] = rows->all[i];
    }
    rows->count = kept;
}

/* fit - give back what growing took too much; thousands of small mailboxes may be open. */
static void fit(struct rows *rows)
{
    struct row *all = rows->count ? realloc(rows->all, rows->count * sizeof *all) : NULL;

    if (!all)
        return;
    rows->all = all;
    rows->room = rows->count;
}

int folder_scan(struct folder *folder, bool always)
{
    struct timespec times[FOLDER_SUBS];
    struct rows rows = {0};
    int err = change_times(folder, times);

    if (err || (!always && unchanged(folder, times)))
        return err;
    for (unsigned i = 0; !err && i < folder->store->kind->sub_count; i++)
        err = list_sub(folder, i, &rows);
    if (!err) {
        if (rows.count)
            qsort(rows.all, rows.count, sizeof *rows.all, by_age);
        drop_twins(&rows);
        fit(&rows);
        err = rows_index(&rows);
    }
    if (!err)
        take_over(folder, &rows);
    if (!err && (!folder->snapshot || !same_list(&folder->rows, &rows)))
        err = make_snapshot(folder, &rows);
    if (err) {
        rows_free(&rows);
        return err;
    }
    rows_free(&folder->rows);
    folder->rows = rows;
    memcpy(folder->seen, times, sizeof times);
    folder->settled = is_settled(folder, times);
    folder->stale = false;
    return 0;
}

int folder_refresh(struct postern_mailbox *mailbox, unsigned flags)
{
    struct folder *folder = mailbox->folder;
    struct timespec times[FOLDER_SUBS];
    int err = change_times(folder, times);

    if (err || unchanged(folder, times))
        return err;
    if (flags & POSTERN_STORE_NO_WAIT)
        return POSTERN_E_AGAIN;
    err = folder_recover(mailbox);
    return err ? err : folder_scan(folder, false);
}

int folder_snapshot(struct postern_mailbox *mailbox, unsigned flags,
                    struct postern_snapshot **snapshot_r)
{
    struct folder *folder = mailbox->folder;
    int err;

    folder_enter(folder);
    err = folder_refresh(mailbox, flags);
    if (!err)
        *snapshot_r = postern_snapshot_ref(folder->snapshot);
    folder_leave(folder);
    return err;
}

int folder_find(struct postern_mailbox *mailbox, struct postern_span uid,
                struct postern_entry *entry_r)
{
    struct folder *folder = mailbox->folder;
    const struct row *row;
    int err;

    folder_enter(folder);
    err = folder_refresh(mailbox, 0);
    row = err ? NULL : folder_row(folder, uid);
    if (row)
        *entry_r = (struct postern_entry){
            .size_bytes = row->size_wire, .uid_length = (uint8_t)uid.n, .flags = row->flags};
    else if (!err)
        err = POSTERN_E_NOT_FOUND;
    folder_leave(folder);
    return err;
}
