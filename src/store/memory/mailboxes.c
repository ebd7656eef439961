/* SPDX-License-Identifier: MIT */
/* mailboxes - listed, made, removed, renamed, subscribed to. */
#include "store/levels.h"
#include "store/memory/memory.h"
#include "store/metadata.h"

#include "base/span.h"
#include <stdlib.h>

void memory_status_of(const struct box *box, struct postern_status *status_r)
{
    *status_r = (struct postern_status){.name = postern_span_of(box->name),
                                        .id = box->id,
                                        .uid_validity = box->uid_validity,
                                        .uid_next = box->uid_next,
                                        .modseq = box->modseq,
                                        .messages = (uint32_t)box->count,
                                        .recent_from = box->recent_from ? box->recent_from : 1,
                                        .special = box->special,
                                        .subscribed = box->subscribed,
                                        .exists = box->exists};
    for (size_t i = 0; i < box->count; i++) {
        const struct postern_message_info *info = &box->messages[i].info;

        status_r->unseen += !(info->flags & POSTERN_FLAG_SEEN);
        status_r->deleted += (info->flags & POSTERN_FLAG_DELETED) != 0;
        status_r->size_bytes += info->size_wire;
        status_r->deleted_bytes += info->flags & POSTERN_FLAG_DELETED ? info->size_wire : 0;
        status_r->recent += info->uid >= box->recent_from;
    }
}

static struct box *existing(const struct postern_account *account, struct postern_span name)
{
    struct box *box = box_named(account, name);

    return box && box->exists ? box : NULL;
}

int memory_list(struct postern_account *account,
                int (*each)(void *ctx, const struct postern_status *status), void *ctx)
{
    struct postern_status *all;
    size_t count = 0;
    int result;

    pthread_mutex_lock(&account->memory->mutex);
    for (const struct box *box = account->boxes; box; box = box->next)
        count++;
    all = calloc(count + 1, sizeof *all);
    count = 0;
    for (const struct box *box = account->boxes; all && box; box = box->next) {
        memory_status_of(box, &all[count]);
        all[count].annotations = metadata_stamp(buffer_span(&account->metadata), all[count].name);
        count++;
    }
    result = all ? levels_show(all, count, each, ctx) : POSTERN_E_NOMEM;
    pthread_mutex_unlock(&account->memory->mutex);
    free(all);
    return result;
}

int memory_status(struct postern_account *account, struct postern_span name, unsigned flags,
                  struct postern_status *status_r)
{
    const struct box *box;
    int err = name_check(&name);

    (void)flags;
    if (err)
        return err;
    pthread_mutex_lock(&account->memory->mutex);
    box = existing(account, name);
    if (box) {
        memory_status_of(box, status_r);
        status_r->name = name;
    }
    pthread_mutex_unlock(&account->memory->mutex);
    return box ? 0 : POSTERN_E_NOT_FOUND;
}

/* I 8474:4-2 */
static int make(struct postern_account *account, struct postern_span name,
                enum postern_special_use special)
{
    struct box *old = box_named(account, name), *box;

    if (old && old->exists)
        return POSTERN_E_EXISTS;
    box = box_make(account, name);
    if (!box)
        return POSTERN_E_NOMEM;
    box->special = special;
    if (old) {
        box->subscribed = old->subscribed;
        box_drop(old);
    }
    return 0;
}

static int make_levels(struct postern_account *account, struct postern_span name)
{
    int err = 0;

    for (size_t n = 1; n < name.n && !err; n++)
        if (name.p[n] == '/' && !existing(account, span_make(name.p, n)))
            err = make(account, span_make(name.p, n), POSTERN_SPECIAL_NONE);
    return err;
}

int memory_create(struct postern_account *account, struct postern_span name,
                  enum postern_special_use special)
{
    int err = name_check(&name);

    if (err)
        return err;
    pthread_mutex_lock(&account->memory->mutex);
    err = existing(account, name) ? POSTERN_E_EXISTS : memory_fits(account, name, 1);
    if (!err)
        err = memory_new_acl(account, name);
    if (!err)
        err = make_levels(account, name);
    if (!err)
        err = make(account, name, special);
    account_changed(account);
    pthread_mutex_unlock(&account->memory->mutex);
    return err;
}

/* subscription - to a name that is not there (any more). */
static int subscription(struct postern_account *account, struct postern_span name)
{
    struct box *box = box_make(account, name);

    if (!box)
        return POSTERN_E_NOMEM;
    box->exists = false;
    box->subscribed = true;
    return 0;
}

int memory_remove(struct postern_account *account, struct postern_span name)
{
    struct box *box;
    int err = name_check(&name);

    if (err)
        return err;
    pthread_mutex_lock(&account->memory->mutex);
    box = existing(account, name);
    if (!box)
        err = POSTERN_E_NOT_FOUND;
    else if (span_equal(name, SPAN("INBOX")))
        err = POSTERN_E_DENIED;
    else if (box->subscribed)
        err = subscription(account, name);
    if (!err) {
        box_changed(box);
        box_drop(box);
        memory_move_metadata(account, name, (struct postern_span){NULL, 0});
    }
    pthread_mutex_unlock(&account->memory->mutex);
    return err;
}

/* renamed - what a name that is or lies below `from` becomes; NULL without memory. */
static char *renamed(const char *name, struct postern_span from, struct postern_span to)
{
    size_t rest = strlen(name) - from.n;
    char *out = malloc(to.n + rest + 1);

    if (!out)
        return NULL;
    memcpy(out, to.p, to.n);
    memcpy(out + to.n, name + from.n, rest + 1);
    return out;
}

/* rename_one - a name that was subscribed to stays so.
 * I 6154:2-4
 * I 8474:4-1 */
static int rename_one(struct box *box, struct postern_span from, struct postern_span to)
{
    char *name = renamed(box->name, from, to), *before = box->name;
    struct box *old = name ? box_named(box->account, postern_span_of(name)) : NULL;
    bool was = box->subscribed;
    int err = name ? 0 : POSTERN_E_NOMEM;

    if (err)
        return err;
    box->subscribed = old && old->subscribed;
    if (old)
        box_drop(old);
    box->name = name;
    if (was)
        err = subscription(box->account, postern_span_of(before));
    free(before);
    return err;
}

static bool moves(const struct box *box, struct postern_span from)
{
    struct postern_span name = postern_span_of(box->name);

    return box->exists && (span_equal(name, from) || name_is_below(name, from));
}

/* check_rename - would every one get a name that is free, and not too long? */
static int check_rename(struct postern_account *account, struct postern_span from,
                        struct postern_span to)
{
    bool any = false;
    int err = existing(account, to) ? POSTERN_E_EXISTS : 0;

    for (const struct box *box = account->boxes; box && !err; box = box->next) {
        char *name;

        if (!moves(box, from))
            continue;
        any = true;
        name = renamed(box->name, from, to);
        if (!name)
            return POSTERN_E_NOMEM;
        if (strlen(name) > POSTERN_MAILBOX_NAME_MAX)
            err = POSTERN_E_TOO_LONG;
        else if (existing(account, postern_span_of(name)))
            err = POSTERN_E_EXISTS;
        free(name);
    }
    return err ? err : any ? 0 : POSTERN_E_NOT_FOUND;
}

static int rename_all(struct postern_account *account, struct postern_span from,
                      struct postern_span to)
{
    int err = check_rename(account, from, to);

    if (!err)
        err = memory_fits(account, to, 0);
    if (!err)
        err = memory_new_acl(account, to);
    if (!err)
        err = make_levels(account, to);
    for (bool any = true; any && !err;) {
        struct box *box = account->boxes;

        while (box && !moves(box, from))
            box = box->next;
        any = box != NULL;
        if (box)
            err = rename_one(box, from, to);
    }
    return err;
}

/* rename_inbox - its messages go, it stays. */
static int rename_inbox(struct postern_account *account, struct postern_span to)
{
    struct postern_mailbox from = {.memory = account->memory}, target = from;
    uint32_t *uids;
    size_t count;
    int err = memory_create(account, to, POSTERN_SPECIAL_NONE);

    if (err)
        return err;
    pthread_mutex_lock(&account->memory->mutex);
    from.box = box_named(account, SPAN("INBOX"));
    target.box = box_named(account, to);
    count = from.box->count;
    uids = malloc((count + 1) * sizeof *uids);
    for (size_t i = 0; uids && i < count; i++)
        uids[i] = from.box->messages[i].info.uid;
    pthread_mutex_unlock(&account->memory->mutex);
    err = uids ? memory_copy(&from, uids, count, &target, true, NULL) : POSTERN_E_NOMEM;
    free(uids);
    pthread_mutex_lock(&account->memory->mutex);
    if (!err)
        memory_move_metadata(account, SPAN("INBOX"), to);
    pthread_mutex_unlock(&account->memory->mutex);
    return err;
}

int memory_rename(struct postern_account *account, struct postern_span from, struct postern_span to)
{
    int err = name_check_rename(&from, &to);

    if (err)
        return err;
    if (span_equal(from, SPAN("INBOX")))
        return rename_inbox(account, to);
    pthread_mutex_lock(&account->memory->mutex);
    err = rename_all(account, from, to);
    if (!err)
        memory_move_metadata(account, from, to);
    account_changed(account);
    pthread_mutex_unlock(&account->memory->mutex);
    return err;
}

int memory_subscribe(struct postern_account *account, struct postern_span name, bool on)
{
    struct box *box;
    int err = name_check(&name);

    if (err)
        return err;
    pthread_mutex_lock(&account->memory->mutex);
    box = box_named(account, name);
    if (box && (box->exists || on))
        box->subscribed = on;
    else if (box)
        box_drop(box);
    else if (on)
        err = subscription(account, name);
    account_changed(account);
    pthread_mutex_unlock(&account->memory->mutex);
    return err;
}
