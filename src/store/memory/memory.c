/* SPDX-License-Identifier: MIT */
/* memory - the store itself: accounts and handles, and what they show. */
#include "store/memory/memory.h"
#include "store/quota.h"
#include "store/structure.h"

#include "base/span.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct postern_content {
    struct octets *octets;
};

/* ---- accounts -------------------------------------------------------------------------------- */

static struct postern_account *account_find(struct memory *memory, struct postern_span user)
{
    struct postern_account *account = memory->accounts;

    while (account && !span_equal(postern_span_of(account->user), user))
        account = account->next;
    return account;
}

static struct postern_account *account_make(struct memory *memory, struct postern_span user)
{
    struct postern_account *account = calloc(1, sizeof *account);

    if (!account)
        return NULL;
    account->memory = memory;
    memcpy(account->user, user.p, user.n);
    if (!box_make(account, SPAN("INBOX"))) {
        free(account);
        return NULL;
    }
    account->next = memory->accounts;
    memory->accounts = account;
    return account;
}

static int memory_account_open(struct postern_store *store, struct postern_span user,
                               unsigned flags, struct postern_account **account_r)
{
    struct memory *memory = store->self;
    struct postern_account *account;
    int err = POSTERN_E_NOT_FOUND;

    if (!user_is_safe(user))
        return err;
    pthread_mutex_lock(&memory->mutex);
    account = account_find(memory, user);
    if (!account && flags & POSTERN_STORE_CREATE) {
        account = account_make(memory, user);
        err = POSTERN_E_NOMEM;
    }
    pthread_mutex_unlock(&memory->mutex);
    if (!account)
        return err;
    *account_r = account;
    return 0;
}

static void memory_account_close(struct postern_account **account)
{
    if (account)
        *account = NULL; /* it lives as long as its store */
}

void memory_usage(const struct postern_account *account, struct postern_quota *quota_r)
{
    *quota_r = (struct postern_quota){.bytes_max = account->memory->bytes_max,
                                      .messages_max = account->memory->messages_max};
    (void)quota_read(buffer_span(&account->metadata), quota_r);
    for (const struct box *box = account->boxes; box; box = box->next) {
        struct postern_status status;

        memory_status_of(box, &status);
        quota_r->bytes += status.size_bytes;
        quota_r->messages += status.messages;
    }
}

static int memory_quota(struct postern_account *account, struct postern_quota *quota_r)
{
    pthread_mutex_lock(&account->memory->mutex);
    memory_usage(account, quota_r);
    pthread_mutex_unlock(&account->memory->mutex);
    return 0;
}

static void memory_limit(struct postern_store *store, const struct postern_quota *quota)
{
    struct memory *memory = store->self;

    pthread_mutex_lock(&memory->mutex);
    memory->bytes_max = quota->bytes_max;
    memory->messages_max = quota->messages_max;
    pthread_mutex_unlock(&memory->mutex);
}

static int memory_list_users(struct postern_store *store,
                             int (*each)(void *ctx, struct postern_span user), void *ctx)
{
    struct memory *memory = store->self;
    int result = 0;

    pthread_mutex_lock(&memory->mutex);
    for (struct postern_account *account = memory->accounts; account && !result;
         account = account->next)
        result = each(ctx, postern_span_of(account->user));
    pthread_mutex_unlock(&memory->mutex);
    return result;
}

static void memory_free(struct postern_store *store)
{
    struct memory *memory = store->self;

    while (memory->accounts) {
        struct postern_account *account = memory->accounts;

        memory->accounts = account->next;
        while (account->boxes)
            box_drop(account->boxes);
        buffer_done(&account->metadata);
        free(account);
    }
    pthread_mutex_destroy(&memory->mutex);
    free(memory);
}

/* ---- handles --------------------------------------------------------------------------------- */

static struct postern_mailbox *handle_make(struct memory *memory, struct box *box)
{
    struct postern_mailbox *mailbox = calloc(1, sizeof *mailbox);

    if (!mailbox)
        return NULL;
    *mailbox = (struct postern_mailbox){
        .memory = memory, .box = box, .next = memory->handles, .event = -1};
    memory->handles = mailbox;
    box->handles++;
    return mailbox;
}

static int memory_open(struct postern_account *account, struct postern_span name, unsigned flags,
                       struct postern_mailbox **mailbox_r)
{
    struct memory *memory = account->memory;
    struct postern_mailbox *mailbox = NULL;
    struct box *box;
    int err = name_check(&name);

    if (!err && flags & POSTERN_STORE_CREATE) {
        err = memory_create(account, name, POSTERN_SPECIAL_NONE);
        err = err == POSTERN_E_EXISTS ? 0 : err;
    }
    if (err)
        return err;
    pthread_mutex_lock(&memory->mutex);
    box = box_named(account, name);
    if (!box || !box->exists)
        err = POSTERN_E_NOT_FOUND;
    else if (!(mailbox = handle_make(memory, box)))
        err = POSTERN_E_NOMEM;
    pthread_mutex_unlock(&memory->mutex);
    if (!err)
        *mailbox_r = mailbox;
    return err;
}

static void memory_unlock(struct postern_mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->memory->mutex);
    if (mailbox->has_lock)
        mailbox->box->locked = false;
    mailbox->has_lock = false;
    pthread_mutex_unlock(&mailbox->memory->mutex);
}

static int memory_lock(struct postern_mailbox *mailbox)
{
    int err = 0;

    pthread_mutex_lock(&mailbox->memory->mutex);
    if (mailbox->box->locked && !mailbox->has_lock)
        err = POSTERN_E_IN_USE;
    else
        mailbox->box->locked = mailbox->has_lock = true;
    pthread_mutex_unlock(&mailbox->memory->mutex);
    return err;
}

static void memory_close(struct postern_mailbox **mailbox)
{
    struct postern_mailbox **at;
    struct memory *memory;
    struct box *box;

    if (!mailbox || !*mailbox)
        return;
    memory_unlock(*mailbox);
    memory = (*mailbox)->memory;
    box = (*mailbox)->box;
    pthread_mutex_lock(&memory->mutex);
    for (at = &memory->handles; *at != *mailbox; at = &(*at)->next)
        continue;
    *at = (*mailbox)->next;
    if (--box->handles == 0 && box->dropped)
        box_free(box);
    pthread_mutex_unlock(&memory->mutex);
    if ((*mailbox)->event >= 0)
        close((*mailbox)->event);
    free(*mailbox);
    *mailbox = NULL;
}

/* enter - the mutex; let go again when the mailbox is gone. */
static int enter(struct postern_mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->memory->mutex);
    if (!mailbox->box->dropped)
        return 0;
    pthread_mutex_unlock(&mailbox->memory->mutex);
    return POSTERN_E_NOT_FOUND;
}

static void leave(struct postern_mailbox *mailbox)
{
    pthread_mutex_unlock(&mailbox->memory->mutex);
}

/* ---- what is there --------------------------------------------------------------------------- */

static uint8_t entry_flags(const struct message *message)
{
    return message->octets->scan.utf8_header ? POSTERN_ENTRY_UTF8 : 0;
}

static int make_snapshot(struct box *box)
{
    struct snapshot_builder *builder;
    int err = snapshot_builder_new(&builder, box->count);

    for (size_t i = 0; !err && i < box->count; i++)
        err = snapshot_builder_add(builder, postern_span_of(box->messages[i].unique),
                                   box->messages[i].info.uid, box->messages[i].info.size_wire,
                                   entry_flags(&box->messages[i]));
    if (err) {
        snapshot_builder_free(&builder);
        return err;
    }
    box->snapshot = snapshot_builder_end(&builder);
    return 0;
}

static int memory_snapshot(struct postern_mailbox *mailbox, unsigned flags,
                           struct postern_snapshot **snapshot_r)
{
    int err = enter(mailbox);

    (void)flags;
    if (err)
        return err;
    if (!mailbox->box->snapshot)
        err = make_snapshot(mailbox->box);
    if (!err)
        *snapshot_r = postern_snapshot_ref(mailbox->box->snapshot);
    leave(mailbox);
    return err;
}

static int memory_refresh(struct postern_mailbox *mailbox, unsigned flags,
                          struct postern_status *status_r)
{
    int err = enter(mailbox);

    (void)flags;
    if (err)
        return err;
    memory_status_of(mailbox->box, status_r);
    leave(mailbox);
    return 0;
}

static int memory_recent(struct postern_mailbox *mailbox, uint32_t *from_r)
{
    int err = enter(mailbox);

    if (err)
        return err;
    *from_r = mailbox->box->recent_from ? mailbox->box->recent_from : 1;
    mailbox->box->recent_from = mailbox->box->uid_next;
    leave(mailbox);
    return 0;
}

static int memory_ranges(struct postern_mailbox *mailbox, struct postern_uid_range *ranges_r,
                         size_t room)
{
    const struct box *box = mailbox->box;
    size_t count = 0;
    int err = enter(mailbox);

    if (err)
        return err;
    for (size_t i = 0; i < box->count; i++) {
        uint32_t uid = box->messages[i].info.uid;

        if (i == 0 || box->messages[i - 1].info.uid != uid - 1)
            count++;
        if (count <= room) {
            if (i == 0 || box->messages[i - 1].info.uid != uid - 1)
                ranges_r[count - 1].first = uid;
            ranges_r[count - 1].last = uid;
        }
    }
    leave(mailbox);
    return (int)count;
}

static int memory_each(struct postern_mailbox *mailbox, struct postern_uid_range range,
                       uint64_t since,
                       int (*each)(void *ctx, const struct postern_message_info *info), void *ctx)
{
    int result = enter(mailbox);

    if (result)
        return result;
    for (size_t i = 0; i < mailbox->box->count && !result; i++) {
        struct postern_message_info info = mailbox->box->messages[i].info;

        info.unique_id = postern_span_of(mailbox->box->messages[i].unique);
        if (info.uid >= range.first && info.uid <= range.last && info.modseq > since)
            result = each(ctx, &info);
    }
    leave(mailbox);
    return result;
}

static int memory_vanished(struct postern_mailbox *mailbox, uint64_t since,
                           int (*each)(void *ctx, struct postern_uid_range range), void *ctx)
{
    int result = enter(mailbox);

    if (result)
        return result;
    for (size_t i = 0; i < mailbox->box->vanished_count && !result; i++) {
        const struct vanished *gone = &mailbox->box->vanished[i];

        if (gone->modseq > since)
            result = each(ctx, (struct postern_uid_range){gone->uid, gone->uid});
    }
    leave(mailbox);
    return result;
}

static int memory_keyword(struct postern_mailbox *mailbox, struct postern_span name, bool make)
{
    char **keywords = mailbox->box->keywords;
    int number = 0, err;

    if (!keyword_is_good(name))
        return POSTERN_E_SYNTAX;
    err = enter(mailbox);
    if (err)
        return err;
    while (number < POSTERN_KEYWORDS_MAX && keywords[number] &&
           !span_equal_nocase(postern_span_of(keywords[number]), name))
        number++;
    if (number == POSTERN_KEYWORDS_MAX)
        number = make ? POSTERN_E_FULL : POSTERN_E_NOT_FOUND;
    else if (!keywords[number] && !make)
        number = POSTERN_E_NOT_FOUND;
    else if (!keywords[number] && !(keywords[number] = strndup(name.p, name.n)))
        number = POSTERN_E_NOMEM;
    leave(mailbox);
    return number;
}

static int memory_keyword_name(struct postern_mailbox *mailbox, unsigned number,
                               struct postern_span *name_r)
{
    if (number >= POSTERN_KEYWORDS_MAX || !mailbox->box->keywords[number])
        return POSTERN_E_NOT_FOUND;
    *name_r = postern_span_of(mailbox->box->keywords[number]);
    return 0;
}

/* ---- reading --------------------------------------------------------------------------------- */

static int memory_find(struct postern_mailbox *mailbox, struct postern_span unique_id,
                       struct postern_entry *entry_r, uint32_t *uid_r)
{
    int err = enter(mailbox);

    if (err)
        return err;
    err = POSTERN_E_NOT_FOUND;
    for (size_t i = 0; i < mailbox->box->count && err; i++) {
        const struct message *message = &mailbox->box->messages[i];

        if (!span_equal(postern_span_of(message->unique), unique_id))
            continue;
        *entry_r = (struct postern_entry){.size_bytes = message->info.size_wire,
                                          .uid_length = (uint8_t)unique_id.n,
                                          .flags = entry_flags(message)};
        *uid_r = message->info.uid;
        err = 0;
    }
    leave(mailbox);
    return err;
}

static int memory_message(struct postern_mailbox *mailbox, uint32_t uid, unsigned flags,
                          struct postern_content **content_r, struct postern_facts *facts_r)
{
    struct postern_content *content;
    const struct message *message;
    int err = enter(mailbox);

    (void)flags;
    if (err)
        return err;
    message = box_find(mailbox->box, uid);
    content = message ? malloc(sizeof *content) : NULL;
    if (content) {
        atomic_fetch_add(&message->octets->references, 1);
        content->octets = message->octets;
        *facts_r = (struct postern_facts){.size_raw = message->octets->n,
                                          .size_wire = message->octets->scan.size_wire,
                                          .wire_clean = message->octets->scan.wire_clean,
                                          .fd = -1};
        *content_r = content;
    }
    leave(mailbox);
    return content ? 0 : message ? POSTERN_E_NOMEM : POSTERN_E_NOT_FOUND;
}

static int memory_read(struct postern_content *content, uint64_t offset, char *out, size_t n)
{
    const struct octets *octets = content->octets;

    if (offset >= octets->n)
        return 0;
    if (n > octets->n - offset)
        n = octets->n - (size_t)offset;
    if (n > INT32_MAX)
        n = INT32_MAX;
    memcpy(out, octets->bytes + offset, n);
    return (int)n;
}

static void memory_content_close(struct postern_content **content)
{
    if (!content || !*content)
        return;
    octets_unref((*content)->octets);
    free(*content);
    *content = NULL;
}

static int memory_structure(struct postern_mailbox *mailbox, uint32_t uid, unsigned flags,
                            struct postern_span *block_r)
{
    struct postern_content *content = NULL;
    struct postern_facts facts;
    int err = memory_message(mailbox, uid, flags, &content, &facts);

    if (err)
        return err;
    err = structure_of(content, memory_read, block_r);
    memory_content_close(&content);
    return err;
}

/* memory_structures - all are at hand as soon as they are parsed. */
static int memory_structures(struct postern_mailbox *mailbox, const uint32_t *uids, size_t count,
                             unsigned flags, char *room, size_t size,
                             struct postern_structure *all_r)
{
    int n = 0;

    for (size_t i = 0; i < count; i++, n++) {
        struct postern_span block;
        int err = memory_structure(mailbox, uids[i], flags, &block);
        bool fits = !err && block.n <= size;

        if (fits) {
            memcpy(room, block.p, block.n);
            all_r[i] = (struct postern_structure){uids[i], span_make(room, block.n)};
            room += block.n;
            size -= block.n;
        }
        if (!err)
            free((char *)(uintptr_t)block.p);
        if (!fits)
            break;
    }
    return n;
}

/* ---- news ------------------------------------------------------------------------------------ */

static void memory_tidy(struct postern_mailbox *mailbox)
{
    (void)mailbox;
}

static int memory_watch_fd(struct postern_mailbox *mailbox)
{
    if (mailbox->event < 0)
        mailbox->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return mailbox->event < 0 ? POSTERN_E_IO : mailbox->event;
}

static void memory_watch_clear(struct postern_mailbox *mailbox)
{
    uint64_t count;

    while (mailbox->event >= 0 && read(mailbox->event, &count, sizeof count) > 0)
        continue;
}

static int memory_watch_all(struct postern_account *account, struct postern_watch **watch_r,
                            int *fd_r)
{
    struct postern_watch *watch = calloc(1, sizeof *watch);

    if (!watch)
        return POSTERN_E_NOMEM;
    watch->account = account;
    watch->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (watch->event < 0) {
        free(watch);
        return POSTERN_E_IO;
    }
    pthread_mutex_lock(&account->memory->mutex);
    watch->next = account->watches;
    account->watches = watch;
    pthread_mutex_unlock(&account->memory->mutex);
    *watch_r = watch;
    *fd_r = watch->event;
    return 0;
}

static int memory_watch_all_clear(struct postern_watch *watch)
{
    uint64_t count;

    while (read(watch->event, &count, sizeof count) > 0)
        continue;
    return 0;
}

static void memory_watch_all_end(struct postern_watch **watch)
{
    struct postern_account *account = (*watch)->account;
    struct postern_watch **at = &account->watches;

    pthread_mutex_lock(&account->memory->mutex);
    while (*at != *watch)
        at = &(*at)->next;
    *at = (*watch)->next;
    pthread_mutex_unlock(&account->memory->mutex);
    close((*watch)->event);
    free(*watch);
    *watch = NULL;
}

int postern_store_memory_new(struct postern_store *store_r)
{
    static const struct postern_store_ops ops = {.name = "memory",
                                                 .account_open = memory_account_open,
                                                 .account_close = memory_account_close,
                                                 .quota = memory_quota,
                                                 .limit = memory_limit,
                                                 .metadata = memory_metadata,
                                                 .set_metadata = memory_set_metadata,
                                                 .acl = memory_acl,
                                                 .set_acl = memory_set_acl,
                                                 .sharers = memory_sharers,
                                                 .list_users = memory_list_users,
                                                 .list = memory_list,
                                                 .status = memory_status,
                                                 .create = memory_create,
                                                 .remove = memory_remove,
                                                 .rename = memory_rename,
                                                 .subscribe = memory_subscribe,
                                                 .open = memory_open,
                                                 .close = memory_close,
                                                 .lock = memory_lock,
                                                 .unlock = memory_unlock,
                                                 .snapshot = memory_snapshot,
                                                 .refresh = memory_refresh,
                                                 .recent = memory_recent,
                                                 .ranges = memory_ranges,
                                                 .each = memory_each,
                                                 .vanished = memory_vanished,
                                                 .keyword = memory_keyword,
                                                 .keyword_name = memory_keyword_name,
                                                 .find = memory_find,
                                                 .message = memory_message,
                                                 .read = memory_read,
                                                 .content_close = memory_content_close,
                                                 .structure = memory_structure,
                                                 .structures = memory_structures,
                                                 .flags = memory_flags,
                                                 .copy = memory_copy,
                                                 .expunge = memory_expunge,
                                                 .tidy = memory_tidy,
                                                 .begin = memory_begin,
                                                 .write = memory_write,
                                                 .commit = memory_commit,
                                                 .abort = memory_abort,
                                                 .watch_fd = memory_watch_fd,
                                                 .watch_clear = memory_watch_clear,
                                                 .watch_all = memory_watch_all,
                                                 .watch_all_clear = memory_watch_all_clear,
                                                 .watch_all_end = memory_watch_all_end,
                                                 .free = memory_free};
    struct memory *memory = calloc(1, sizeof *memory);

    if (!memory)
        return POSTERN_E_NOMEM;
    pthread_mutex_init(&memory->mutex, NULL);
    *store_r = (struct postern_store){&ops, memory};
    return 0;
}
