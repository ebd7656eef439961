/* SPDX-License-Identifier: MIT */
/* append - a new message on its way into the staging folder. Line ends are made CRLF on the way in,
 * so that a file goes out as it is. What makes it a message of a mailbox is in commit.c. */
#include "store/folder/append.h"

#include "base/span.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define HELD_BYTES 65536 /* a message up to this long is written in one piece */

int folder_begin(struct postern_mailbox *mailbox, const struct postern_new_message *what,
                 struct postern_delivery **delivery_r)
{
    static atomic_ullong numbers;
    struct postern_delivery *delivery = calloc(1, sizeof *delivery);
    struct timespec now;

    if (!delivery)
        return POSTERN_E_NOMEM;
    clock_gettime(CLOCK_REALTIME, &now);
    if (what)
        delivery->what = *what;
    if (delivery->what.unique_id.n > POSTERN_UID_MAX) {
        free(delivery);
        return POSTERN_E_TOO_LONG;
    }
    memcpy(delivery->unique, delivery->what.unique_id.p ? delivery->what.unique_id.p : "",
           delivery->what.unique_id.n);
    delivery->what.unique_id.p = delivery->unique;
    delivery->mailbox = mailbox;
    delivery->number = atomic_fetch_add(&numbers, 1) + 1;
    delivery->fd = -1;
    delivery->place = (struct place){.base = -1, .subs = {-1, -1}, .staging = -1};
    snprintf(delivery->staged, sizeof delivery->staged, "postern.%lld.%d.%llu",
             (long long)now.tv_sec, (int)getpid(), (unsigned long long)delivery->number);
    *delivery_r = delivery;
    return 0;
}

/* stage - the file in the staging folder. */
static int stage(struct postern_delivery *delivery)
{
    struct postern_account *account = delivery->mailbox->account;
    const struct index_mailbox *rows;
    int err = account_enter(account, 0), staging = -1;

    if (err)
        return err;
    rows = index_mailbox_of(&account->index, delivery->mailbox->id);
    err = rows ? place_open(&delivery->place, account, rows) : POSTERN_E_NOT_FOUND;
    account_leave(account);
    if (!err) {
        staging = place_staging(&delivery->place);
        if (staging == POSTERN_E_NOT_FOUND)
            staging = delivery->place.staging =
                folder_dir_open(delivery->place.base, account->store->kind->staging, true);
        err = staging < 0 ? staging : 0;
    }
    if (err)
        return err;
    delivery->fd = openat(staging, delivery->staged,
                          O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    return delivery->fd < 0 ? folder_error(errno) : 0;
}

static int spill(struct postern_delivery *delivery)
{
    struct postern_span held = buffer_span(&delivery->held);
    int err = delivery->fd < 0 ? stage(delivery) : 0;

    if (!err && held.n) {
        scan_feed(&delivery->scan, held);
        err = folder_write_all(delivery->fd, held);
    }
    buffer_take(&delivery->held, held.n);
    return err ? err : delivery->held.error;
}

int folder_write(struct postern_delivery *delivery, struct postern_span bytes)
{
    while (bytes.n) {
        size_t at = span_find(bytes, '\n');
        bool bare = at < bytes.n && (at ? bytes.p[at - 1] : delivery->last) != '\r';
        size_t n = at < bytes.n ? at + 1 : at;

        buffer_append(&delivery->held, span_make(bytes.p, bare ? at : n));
        if (bare)
            buffer_append(&delivery->held, SPAN("\r\n"));
        delivery->last = bytes.p[n - 1];
        bytes = span_from(bytes, n);
        if (!delivery->error && buffer_length(&delivery->held) > HELD_BYTES)
            delivery->error = spill(delivery);
    }
    if (!delivery->error)
        delivery->error = delivery->held.error;
    return delivery->error;
}

void folder_abort(struct postern_delivery **delivery_p)
{
    struct postern_delivery *delivery = delivery_p ? *delivery_p : NULL;

    if (!delivery)
        return;
    if (delivery->fd >= 0) {
        close(delivery->fd);
        if (!delivery->placed)
            unlinkat(delivery->place.staging, delivery->staged, 0);
    }
    place_close(&delivery->place);
    buffer_done(&delivery->held);
    free(delivery);
    *delivery_p = NULL;
}

int delivery_finish(struct postern_delivery *delivery)
{
    int err = delivery->error ? delivery->error : spill(delivery);

    scan_end(&delivery->scan);
    if (!err && delivery->what.date_s) {
        struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = delivery->what.date_s}};

        if (futimens(delivery->fd, times) < 0)
            err = POSTERN_E_IO;
    }
    if (!err)
        err = folder_sync_mail(delivery->mailbox->account->store, delivery->fd);
    return err;
}
