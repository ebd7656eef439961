/* SPDX-License-Identifier: MIT */
/* memory - mailboxes in memory: for tests, `postern dev`, and as the model for other stores.
 * One mutex guards a store. Messages are counted, so that a reader keeps the one it has open when
 * another session deletes it. */
#include "store/scan.h"
#include "store/snapshot.h"

#include "base/buffer.h"
#include "base/span.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct content { /* the octets of one message */
    atomic_uint references;
    struct scan scan;
    size_t n;
    char bytes[];
};

struct message {
    char uid[POSTERN_UID_MAX + 1];
    struct content *content;
};

struct box { /* one user's messages */
    struct box *next;
    struct memory *store;
    char user[256];
    struct message *messages;
    size_t count, room;
    struct postern_snapshot *snapshot; /* NULL: out of date */
    bool locked;
    struct postern_mailbox *handles;
};

struct memory {
    pthread_mutex_t mutex;
    struct box *boxes;
    uint64_t next_uid;
};

struct postern_mailbox {
    struct box *box;
    struct postern_mailbox *next;
    bool has_lock;
    int event; /* -1: nobody watches */
};

struct postern_content {
    struct content *content;
};

struct postern_delivery {
    struct box *box;
    struct buffer bytes;
};

static void content_unref(struct content *content)
{
    if (atomic_fetch_sub(&content->references, 1) == 1)
        free(content);
}

static struct box *box_find(struct memory *memory, struct postern_span user)
{
    struct box *box = memory->boxes;

    while (box && !span_equal(postern_span_of(box->user), user))
        box = box->next;
    return box;
}

static struct box *box_make(struct memory *memory, struct postern_span user)
{
    struct box *box = calloc(1, sizeof *box);

    if (!box)
        return NULL;
    memcpy(box->user, user.p, user.n);
    box->store = memory;
    box->next = memory->boxes;
    memory->boxes = box;
    return box;
}

static int memory_open(struct postern_store *store, struct postern_span user, unsigned flags,
                       struct postern_mailbox **mailbox_r)
{
    struct memory *memory = store->self;
    struct postern_mailbox *mailbox;
    struct box *box;

    if (!user_is_safe(user))
        return POSTERN_E_NOT_FOUND;
    mailbox = calloc(1, sizeof *mailbox);
    if (!mailbox)
        return POSTERN_E_NOMEM;
    pthread_mutex_lock(&memory->mutex);
    box = box_find(memory, user);
    if (!box && flags & POSTERN_STORE_CREATE)
        box = box_make(memory, user);
    if (box) {
        *mailbox = (struct postern_mailbox){.box = box, .next = box->handles, .event = -1};
        box->handles = mailbox;
    }
    pthread_mutex_unlock(&memory->mutex);
    if (!box) {
        free(mailbox);
        return POSTERN_E_NOT_FOUND;
    }
    *mailbox_r = mailbox;
    return 0;
}

static void memory_unlock(struct postern_mailbox *mailbox)
{
    struct memory *memory = mailbox->box->store;

    pthread_mutex_lock(&memory->mutex);
    if (mailbox->has_lock)
        mailbox->box->locked = mailbox->has_lock = false;
    pthread_mutex_unlock(&memory->mutex);
}

static void memory_close(struct postern_mailbox **mailbox_p)
{
    struct postern_mailbox *mailbox = mailbox_p ? *mailbox_p : NULL, **at;

    if (!mailbox)
        return;
    memory_unlock(mailbox);
    pthread_mutex_lock(&mailbox->box->store->mutex);
    for (at = &mailbox->box->handles; *at != mailbox; at = &(*at)->next)
        continue;
    *at = mailbox->next;
    pthread_mutex_unlock(&mailbox->box->store->mutex);
    if (mailbox->event >= 0)
        close(mailbox->event);
    free(mailbox);
    *mailbox_p = NULL;
}

static int memory_lock(struct postern_mailbox *mailbox)
{
    struct memory *memory = mailbox->box->store;
    int err = 0;

    pthread_mutex_lock(&memory->mutex);
    if (mailbox->box->locked && !mailbox->has_lock)
        err = POSTERN_E_IN_USE;
    else
        mailbox->box->locked = mailbox->has_lock = true;
    pthread_mutex_unlock(&memory->mutex);
    return err;
}

/* changed - the list is out of date; with the mutex held. */
static void changed(struct box *box)
{
    postern_snapshot_unref(&box->snapshot);
    for (struct postern_mailbox *mailbox = box->handles; mailbox; mailbox = mailbox->next)
        if (mailbox->event >= 0)
            (void)!eventfd_write(mailbox->event, 1);
}

static uint8_t flags_of(const struct content *content)
{
    return content->scan.utf8_header ? POSTERN_ENTRY_UTF8 : 0;
}

static int refresh(struct box *box)
{
    struct snapshot_builder *builder;
    int err = snapshot_builder_new(&builder, box->count);

    for (size_t i = 0; !err && i < box->count; i++)
        err = snapshot_builder_add(builder, postern_span_of(box->messages[i].uid),
                                   box->messages[i].content->scan.size_wire,
                                   flags_of(box->messages[i].content));
    if (err)
        snapshot_builder_free(&builder);
    else
        box->snapshot = snapshot_builder_end(&builder);
    return err;
}

static int memory_snapshot(struct postern_mailbox *mailbox, unsigned flags,
                           struct postern_snapshot **snapshot_r)
{
    struct box *box = mailbox->box;
    int err = 0;

    (void)flags;
    pthread_mutex_lock(&box->store->mutex);
    if (!box->snapshot)
        err = refresh(box);
    if (!err)
        *snapshot_r = postern_snapshot_ref(box->snapshot);
    pthread_mutex_unlock(&box->store->mutex);
    return err;
}

static struct message *message_find(struct box *box, struct postern_span uid)
{
    for (size_t i = 0; i < box->count; i++)
        if (span_equal(postern_span_of(box->messages[i].uid), uid))
            return &box->messages[i];
    return NULL;
}

static int memory_find(struct postern_mailbox *mailbox, struct postern_span uid,
                       struct postern_entry *entry_r)
{
    const struct message *message;

    pthread_mutex_lock(&mailbox->box->store->mutex);
    message = message_find(mailbox->box, uid);
    if (message)
        *entry_r = (struct postern_entry){.size_bytes = message->content->scan.size_wire,
                                          .uid_length = (uint8_t)uid.n,
                                          .flags = flags_of(message->content)};
    pthread_mutex_unlock(&mailbox->box->store->mutex);
    return message ? 0 : POSTERN_E_NOT_FOUND;
}

static int memory_message(struct postern_mailbox *mailbox, struct postern_span uid, unsigned flags,
                          struct postern_content **content_r, struct postern_facts *facts_r)
{
    struct postern_content *open = malloc(sizeof *open);
    const struct message *message;

    (void)flags;
    if (!open)
        return POSTERN_E_NOMEM;
    pthread_mutex_lock(&mailbox->box->store->mutex);
    message = message_find(mailbox->box, uid);
    if (message) {
        open->content = message->content;
        atomic_fetch_add(&open->content->references, 1);
    }
    pthread_mutex_unlock(&mailbox->box->store->mutex);
    if (!message) {
        free(open);
        return POSTERN_E_NOT_FOUND;
    }
    *facts_r = (struct postern_facts){.size_raw = open->content->n,
                                      .size_wire = open->content->scan.size_wire,
                                      .wire_clean = open->content->scan.wire_clean,
                                      .fd = -1};
    *content_r = open;
    return 0;
}

static int memory_read(struct postern_content *open, uint64_t offset, char *out, size_t n)
{
    const struct content *content = open->content;
    size_t left = offset < content->n ? content->n - (size_t)offset : 0;

    n = n < left ? n : left;
    memcpy(out, content->bytes + (left ? offset : 0), n);
    return (int)n;
}

static void memory_content_close(struct postern_content **open)
{
    if (!open || !*open)
        return;
    content_unref((*open)->content);
    free(*open);
    *open = NULL;
}

static int memory_expunge(struct postern_mailbox *mailbox, const struct postern_span *uids,
                          size_t count)
{
    struct box *box = mailbox->box;

    pthread_mutex_lock(&box->store->mutex);
    for (size_t i = 0; i < count; i++) {
        struct message *message = message_find(box, uids[i]);

        if (!message)
            continue;
        content_unref(message->content);
        box->count--;
        memmove(message, message + 1,
                (size_t)(box->messages + box->count - message) * sizeof *message);
    }
    changed(box);
    pthread_mutex_unlock(&box->store->mutex);
    return 0;
}

static int memory_begin(struct postern_mailbox *mailbox, struct postern_delivery **delivery_r)
{
    struct postern_delivery *delivery = calloc(1, sizeof *delivery);

    if (!delivery)
        return POSTERN_E_NOMEM;
    delivery->box = mailbox->box;
    *delivery_r = delivery;
    return 0;
}

static int memory_write(struct postern_delivery *delivery, struct postern_span bytes)
{
    buffer_append(&delivery->bytes, bytes);
    return delivery->bytes.error;
}

static void memory_abort(struct postern_delivery **delivery)
{
    if (!delivery || !*delivery)
        return;
    buffer_done(&(*delivery)->bytes);
    free(*delivery);
    *delivery = NULL;
}

static struct content *content_new(struct postern_span bytes)
{
    struct content *content = malloc(sizeof *content + bytes.n);

    if (!content)
        return NULL;
    atomic_init(&content->references, 1);
    content->scan = (struct scan){0};
    content->n = bytes.n;
    if (bytes.n)
        memcpy(content->bytes, bytes.p, bytes.n);
    scan_feed(&content->scan, bytes);
    scan_end(&content->scan);
    return content;
}

/* append - with the mutex held. */
static int append(struct box *box, struct content *content, char *uid_r)
{
    struct message *message;

    if (box->count == box->room) {
        size_t room = box->room ? box->room * 2 : 16;
        struct message *messages = realloc(box->messages, room * sizeof *messages);

        if (!messages)
            return POSTERN_E_NOMEM;
        box->messages = messages;
        box->room = room;
    }
    message = &box->messages[box->count++];
    message->content = content;
    snprintf(message->uid, sizeof message->uid, "m%llu",
             (unsigned long long)++box->store->next_uid);
    if (uid_r)
        memcpy(uid_r, message->uid, sizeof message->uid);
    changed(box);
    return 0;
}

static int memory_commit(struct postern_delivery **delivery_p, char *uid_r)
{
    struct postern_delivery *delivery = *delivery_p;
    struct content *content =
        delivery->bytes.error ? NULL : content_new(buffer_span(&delivery->bytes));
    int err = POSTERN_E_NOMEM;

    if (content) {
        pthread_mutex_lock(&delivery->box->store->mutex);
        err = append(delivery->box, content, uid_r);
        pthread_mutex_unlock(&delivery->box->store->mutex);
        if (err)
            content_unref(content);
    }
    memory_abort(delivery_p);
    return err;
}

static int memory_watch_fd(struct postern_mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->box->store->mutex);
    if (mailbox->event < 0)
        mailbox->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_unlock(&mailbox->box->store->mutex);
    return mailbox->event < 0 ? POSTERN_E_IO : mailbox->event;
}

static void memory_watch_clear(struct postern_mailbox *mailbox)
{
    eventfd_t value;

    if (mailbox->event >= 0)
        (void)!eventfd_read(mailbox->event, &value);
}

static int memory_list_users(struct postern_store *store,
                             int (*each)(void *ctx, struct postern_span user), void *ctx)
{
    struct memory *memory = store->self;
    int result = 0;

    pthread_mutex_lock(&memory->mutex);
    for (struct box *box = memory->boxes; box && !result; box = box->next)
        result = each(ctx, postern_span_of(box->user));
    pthread_mutex_unlock(&memory->mutex);
    return result;
}

static void memory_free_store(struct postern_store *store)
{
    struct memory *memory = store->self;

    while (memory->boxes) {
        struct box *box = memory->boxes;

        memory->boxes = box->next;
        for (size_t i = 0; i < box->count; i++)
            content_unref(box->messages[i].content);
        postern_snapshot_unref(&box->snapshot);
        free(box->messages);
        free(box);
    }
    pthread_mutex_destroy(&memory->mutex);
    free(memory);
}

int postern_store_memory_new(struct postern_store *store_r)
{
    static const struct postern_store_ops ops = {.name = "memory",
                                                 .open = memory_open,
                                                 .close = memory_close,
                                                 .lock = memory_lock,
                                                 .unlock = memory_unlock,
                                                 .snapshot = memory_snapshot,
                                                 .find = memory_find,
                                                 .message = memory_message,
                                                 .read = memory_read,
                                                 .content_close = memory_content_close,
                                                 .expunge = memory_expunge,
                                                 .begin = memory_begin,
                                                 .write = memory_write,
                                                 .commit = memory_commit,
                                                 .abort = memory_abort,
                                                 .watch_fd = memory_watch_fd,
                                                 .watch_clear = memory_watch_clear,
                                                 .list_users = memory_list_users,
                                                 .free = memory_free_store};
    struct memory *memory = calloc(1, sizeof *memory);

    if (!memory)
        return POSTERN_E_NOMEM;
    pthread_mutex_init(&memory->mutex, NULL);
    *store_r = (struct postern_store){&ops, memory};
    return 0;
}
