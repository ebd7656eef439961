/* SPDX-License-Identifier: MIT */
/* folder_deliver - a new message: written to the staging folder, synced, linked under its name, the
 * folder synced; only then acknowledged. Nobody sees half a message, and a crash leaves at most a
 * staging file. */
#include "store/folder.h"

#include "base/span.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define NAME_BYTES 256

struct postern_delivery {
    struct folder *folder;
    int fd, staging;
    struct scan scan;
    uint64_t number;
    char staged[64];
};

int folder_begin(struct postern_mailbox *mailbox, struct postern_delivery **delivery_r)
{
    static atomic_ullong numbers;
    struct postern_delivery *delivery = calloc(1, sizeof *delivery);
    struct timespec now;

    if (!delivery)
        return POSTERN_E_NOMEM;
    clock_gettime(CLOCK_REALTIME, &now);
    delivery->folder = mailbox->folder;
    delivery->number = atomic_fetch_add(&numbers, 1) + 1;
    snprintf(delivery->staged, sizeof delivery->staged, "postern.%lld.%d.%llu",
             (long long)now.tv_sec, (int)getpid(), (unsigned long long)delivery->number);
    delivery->staging =
        folder_dir_open(mailbox->folder->base, mailbox->folder->store->kind->staging, true);
    if (delivery->staging >= 0)
        delivery->fd = openat(delivery->staging, delivery->staged,
                              O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (delivery->staging < 0 || delivery->fd < 0) {
        int err = delivery->staging < 0 ? delivery->staging : folder_error(errno);

        folder_fd_close(&delivery->staging);
        free(delivery);
        return err;
    }
    *delivery_r = delivery;
    return 0;
}

int folder_write(struct postern_delivery *delivery, struct postern_span bytes)
{
    scan_feed(&delivery->scan, bytes);
    return folder_write_all(delivery->fd, bytes);
}

void folder_abort(struct postern_delivery **delivery)
{
    if (!delivery || !*delivery)
        return;
    close((*delivery)->fd);
    unlinkat((*delivery)->staging, (*delivery)->staged, 0);
    close((*delivery)->staging);
    free(*delivery);
    *delivery = NULL;
}

/* publish - give the file its name and make that durable. */
static int publish(struct postern_delivery *delivery, const char *name)
{
    struct folder *folder = delivery->folder;
    int sub = folder_dir_open(folder->base, folder->store->kind->subs[0], false), err = 0;

    if (sub < 0)
        return sub;
    /* link, not rename: a name that exists must not be overwritten */
    if (linkat(delivery->staging, delivery->staged, sub, name, 0) < 0) {
        err = folder_error(errno);
    } else if (folder_sync(sub) < 0) {
        unlinkat(sub, name, 0);
        err = POSTERN_E_IO;
    }
    close(sub);
    return err;
}

int folder_commit(struct postern_delivery **delivery_p, char *uid_r)
{
    struct postern_delivery *delivery = *delivery_p;
    struct folder *folder = delivery->folder;
    char name[NAME_BYTES];
    int err;

    scan_end(&delivery->scan);
    err = folder->store->kind->new_name(&delivery->scan, delivery->number, name, sizeof name);
    if (!err)
        err = folder_sync(delivery->fd);
    if (!err)
        err = publish(delivery, name);
    folder_abort(delivery_p); /* the staging name goes either way */
    if (!err && uid_r)
        folder_uid(folder->store->kind->key_of(postern_span_of(name)), uid_r);
    return err;
}
