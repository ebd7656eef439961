/* SPDX-License-Identifier: MIT */
/* load - a folder of .eml files becomes messages of one mailbox, delivered one by one. */
#include "daemon/load.h"

#include "base/span.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CHUNK_BYTES 65536

static int is_eml(const struct dirent *entry)
{
    struct postern_span name = postern_span_of(entry->d_name);

    return name.n > 4 && name.p[0] != '.' &&
           span_equal_nocase(span_from(name, name.n - 4), SPAN(".eml"));
}

static int copy_bytes(const struct postern_store_ops *ops, struct postern_delivery *delivery,
                      int fd)
{
    char bytes[CHUNK_BYTES];
    ssize_t n;
    int r = 0;

    while (r >= 0 && (n = read(fd, bytes, sizeof bytes)) != 0) {
        if (n < 0 && errno != EINTR)
            return POSTERN_E_IO;
        if (n > 0)
            r = ops->write(delivery, span_make(bytes, (size_t)n));
    }
    return r;
}

static int deliver(const struct postern_store_ops *ops, struct postern_mailbox *mailbox, int fd)
{
    struct postern_delivery *delivery;
    int r = ops->begin(mailbox, NULL, &delivery);

    if (r < 0)
        return r;
    r = copy_bytes(ops, delivery, fd);
    if (r < 0) {
        ops->abort(&delivery);
        return r;
    }
    return ops->commit(&delivery, 1, NULL);
}

static int load_file(const struct postern_store_ops *ops, struct postern_mailbox *mailbox,
                     const char *folder, const char *name)
{
    char path[4096];
    int fd, r;

    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        return POSTERN_E_TOO_LONG;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return POSTERN_E_IO;
    r = deliver(ops, mailbox, fd);
    close(fd);
    return r;
}

int load_folder(struct postern_store *store, struct postern_span user, const char *folder)
{
    const struct postern_store_ops *ops = store->ops;
    struct postern_mailbox *mailbox = NULL;
    struct dirent **names;
    int count = scandir(folder, &names, is_eml, alphasort);
    int r;

    if (count < 0)
        return errno == ENOENT || errno == ENOTDIR ? POSTERN_E_NOT_FOUND : POSTERN_E_IO;
    r = postern_store_inbox(store, user, POSTERN_STORE_CREATE, &mailbox);
    for (int i = 0; i < count; i++) {
        if (r >= 0)
            r = load_file(ops, mailbox, folder, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    if (mailbox)
        ops->close(&mailbox);
    return r < 0 ? r : count;
}
